"""Times what a user would pick instead of Cambium. See README.md beside this file.

    python3 bench/peers/run.py --input peers.npz --json results.json [peaks] [package] [skilled] [forward] [again] [compiled]
"""

import argparse
import os
import sys
import time

try:
    import numpy  # noqa: F401
    import torch
except ImportError as error:
    sys.exit(f"bench/peers needs PyTorch and NumPy: {error}. Install them, or run on a machine that has them.")

from networks import FORMS, build, compiled, images_of, logits_difference, within
from report import Report, read_input, row
from score_cam import as_the_package, make_skilled
from timing import peak_memory, seconds, timed, use_tf32, warm

CHANNELS = 2048
MODEL = os.path.normpath(os.path.join(os.path.dirname(__file__), "../../models/resnet50-textures10.onnx"))
START = time.monotonic()


def main():
    options = parse()
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    report = Report(options.json, name_of(device), versions(), options.limit)
    given = read_input(options.input, options.model)
    for name in options.what or STEPS:
        STEPS[name](given, device, options, report)
    sys.exit(1 if any(measured["failed"] for measured in report.rows) else 0)


def parse():
    parser = argparse.ArgumentParser(description="Times PyTorch on the embedded ResNet-50, after checking its numbers.")
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(STEPS)}; all by default")
    parser.add_argument("--input", required=True, help="file of bench/peers/export.ts")
    parser.add_argument("--model", default=MODEL, help="the ONNX file whose weights are taken; the embedded one by default")
    parser.add_argument("--json", help="file to write")
    parser.add_argument("--device", help="cuda or cpu; the GPU by default, if there is one")
    parser.add_argument("--batches", type=numbers, default=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    parser.add_argument(
        "--compiled-batches", type=numbers, default=[64, 256], help="each is compiled, for the network and for a map"
    )
    parser.add_argument(
        "--map-batches", type=numbers, default=[64, 128, 256, 512], help="of the skilled Score-CAM, not compiled"
    )
    parser.add_argument("--compile-mode", default="max-autotune", help="of torch.compile")
    parser.add_argument("--forms", type=names, default=list(FORMS), help="of the network, all by default; not of the package")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--limit", type=float, help="seconds after which nothing more is begun")
    options = parser.parse_args()
    for name in options.what:
        if name not in STEPS:
            parser.error(f"WHAT is {', '.join(STEPS)}, not {name}")
    return options


def numbers(text):
    return [int(part) for part in text.split(",")]


def names(text):
    for name in text.split(","):
        if name not in FORMS:
            raise argparse.ArgumentTypeError(f"forms are {', '.join(FORMS)}, not {name}")
    return text.split(",")


def peaks(_, device, options, report):
    """What the device does at best: products of 8192 x 8192 matrices, and a copy of 1 GiB (read and written)."""
    for (what, precision), measure in peak_works(device, options).items():
        attempt(report, what, precision, None, measure)


def peaks_again(_, device, options, report):
    """The same after other work, since a GPU does more at one time than at another: the larger is kept."""
    works = peak_works(device, options)
    for measured in [each for each in report.rows if not each["failed"]]:
        measure = works.get((measured["what"], measured["precision"]))
        if measure is None:
            continue
        try:
            report.raise_to(measured, measure())
        except Exception as error:  # whatever a library raises, the peak that is there stays
            print(f"{measured['what']} was not measured again: {error}", file=sys.stderr)


def peak_works(device, options):
    """(what, precision) -> function that measures it."""
    side = 8192 if device.type == "cuda" else 1024
    product = lambda precision: lambda: time_product(side, precision, device, options)  # noqa: E731
    works = {(f"product of {side}x{side} matrices", precision): product(precision) for precision in ["f32", "tf32", "f16"]}
    return {**works, ("copy of 1 GiB", "f32"): lambda: time_copy(device, options)}


def time_product(side, precision, device, options):
    use_tf32(precision == "tf32")
    kind = torch.float16 if precision == "f16" else torch.float32
    a, b = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    out = torch.empty_like(a)
    took = best_seconds(lambda: torch.mm(a, b, out=out), device, options.repeats)
    return {"teraflopsPerSecond": 2 * side**3 / took / 1e12}


def time_copy(device, options):
    source = torch.zeros(2**28, device=device)
    copied = torch.zeros_like(source)
    took = best_seconds(lambda: copied.copy_(source), device, options.repeats)
    return {"gigabytesPerSecond": 2 * 2**30 / took / 1e9}


def best_seconds(work, device, repeats):
    """The best of three medians, after warming up."""
    warm(work, device, 2)
    return min(timed(work, device, repeats).median for _ in range(3))


def forward(given, device, options, report):
    """Images per second of the network alone, for every form and batch; images are on the device and ready."""
    for name in [name for name in options.forms if not FORMS[name].compiled]:
        forward_of(name, options.batches, given, device, options, report)


def forward_of(name, batches, given, device, options, report):
    for batch in batches:
        attempt(report, "forward", name, batch, lambda: time_forward(FORMS[name], batch, given, device, options))


def time_forward(form, batch, given, device, options):
    network, ready = build(form, given, device)
    if form.compiled:
        network = compiled(network, options.compile_mode)
    difference = logits_difference(form, network, ready, given, device, batch)
    input_batch = ready(images_of(given, batch, device))
    with torch.inference_mode():
        run = lambda: network(input_batch)  # noqa: E731
        took = seconds(run, device, options.repeats, warm_up=3)
        memory = peak_memory(run, device)
    return {
        "imagesPerSecond": batch / took.median,
        "imagesPerSecondRange": [batch / took.most, batch / took.least],
        "peakMemoryMB": memory,
        "largestDifference": difference,
    }


def package(given, device, options, report):
    """Score-CAM at layer4 as the popular package does it: without TF32, and with it in convolutions."""
    for name in ["f32", "tf32"]:
        attempt(report, PACKAGE, name, 16, lambda: time_package(FORMS[name], given, device))


def time_package(form, given, device):
    network, ready = build(form, given, device)
    torch.backends.cuda.matmul.allow_tf32 = False  # as PyTorch comes
    torch.backends.cudnn.benchmark = False
    logits_difference(form, network, ready, given, device)
    return time_map(lambda image: as_the_package(network, image, given["target"]), form, given, device, repeats=3)


def skilled(given, device, options, report):
    """Score-CAM at layer4 as well as PyTorch allows: masks on the device in batches, nothing waits for the host."""
    for name in [name for name in options.forms if not FORMS[name].compiled]:
        skilled_of(name, options.map_batches, given, device, options, report)


def skilled_of(name, batches, given, device, options, report):
    for batch in batches:
        attempt(report, SKILLED, name, batch, lambda: time_skilled(FORMS[name], batch, given, device, options))


def compiled_forms(given, device, options, report):
    """What takes minutes to compile, last: the network alone, then Score-CAM, for every batch."""
    for name in options.forms:
        if FORMS[name].compiled:
            forward_of(name, options.compiled_batches, given, device, options, report)
            skilled_of(name, options.compiled_batches, given, device, options, report)


def time_skilled(form, batch, given, device, options):
    network, ready = build(form, given, device)
    logits_difference(form, network, ready, given, device)
    mode = options.compile_mode if form.compiled else None
    explain = make_skilled(network, ready, given["target"], batch, mode)
    return time_map(explain, form, given, device, options.repeats)


def time_map(explain, form, given, device, repeats):
    """Checks the map of the first image, then times it until the host has it.

    The forward pass that gives the activations is in the time.
    """
    image = torch.from_numpy(given["images"][:1]).to(device)
    work = lambda: torch.as_tensor(explain(image)).cpu()  # noqa: E731
    difference = within(form.map, float(abs(work().numpy() - given["map"]).max()), "maps")
    took = seconds(work, device, repeats, warm_up=1)
    return {
        "msPerMap": 1000 * took.median,
        "msPerMapRange": [1000 * took.least, 1000 * took.most],
        "maskedForwardsPerSecond": CHANNELS / took.median,
        "peakMemoryMB": peak_memory(work, device),
        "largestDifference": difference,
    }


def attempt(report, what, precision, batch, measure):
    """Adds what was measured, or the reason why nothing was: too little memory, no compiler, numbers that differ, no time."""
    if report.limit is not None and time.monotonic() - START > report.limit:
        report.add(row(what, precision, batch, failed=f"not begun: the {report.limit:g} s were over"))
        return
    report.begin(row(what, precision, batch, failed="under way when the run was ended"))
    try:
        measured = measure()
    except Exception as error:  # whatever a library raises, the other measurements go on
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        measured = {"failed": reason}
    report.add(row(what, precision, batch, **measured))
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def name_of(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


def versions():
    return {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}


PACKAGE = "Score-CAM as the package does it"
SKILLED = "Score-CAM as a skilled user does it"
# what matters most first, what may take the rest of the time last
STEPS = {
    "peaks": peaks,
    "package": package,
    "skilled": skilled,
    "forward": forward,
    "again": peaks_again,
    "compiled": compiled_forms,
}

if __name__ == "__main__":
    main()
