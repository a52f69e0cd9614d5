"""Time and memory of work on a device, with events of the device where it has them."""

import statistics
import time

import torch


def seconds(work, device, repeats, warm_up=2):
    """Median over the repeats of one call, after calls that are not counted. Nothing waits between the calls."""
    for _ in range(warm_up):
        work()
    if device.type != "cuda":
        return statistics.median(on_clock(work) for _ in range(repeats))
    events = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    torch.cuda.synchronize(device)
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize(device)
    return statistics.median(a.elapsed_time(b) for a, b in zip(events, events[1:])) / 1000


def on_clock(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_memory(work, device):
    """Largest memory in MB that PyTorch holds on the device while the work runs, weights included; None on a CPU."""
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    work()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) / 1e6


def use_tf32(allowed):
    """Whether float32 convolutions and products may be computed with TF32's 10 bits of mantissa."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
