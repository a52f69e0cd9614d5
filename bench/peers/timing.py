"""Time and memory of work on a device, with events of the device where it has them."""

import statistics
import time
from typing import NamedTuple

import torch


WARM_SECONDS = 0.5  # a GPU that had nothing to do runs at lower clocks


class Spread(NamedTuple):
    """Seconds of one call."""

    median: float
    least: float
    most: float


def seconds(work, device, repeats, warm_up=2):
    """Spread over the repeats, after calls that are not counted."""
    warm(work, device, warm_up)
    return timed(work, device, repeats)


def warm(work, device, calls):
    """Calls the work at least so often; a GPU for WARM_SECONDS at least, not counting the first call, which may compile and choose."""
    work()
    wait(device)
    start = time.monotonic()
    while calls > 1 or (device.type == "cuda" and time.monotonic() - start < WARM_SECONDS):
        work()
        wait(device)
        calls -= 1


def timed(work, device, repeats):
    """Spread over the repeats. Nothing waits between the calls, unless the work does."""
    if device.type != "cuda":
        return spread_of([on_clock(work) for _ in range(repeats)])
    events = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    torch.cuda.synchronize(device)
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize(device)
    return spread_of([a.elapsed_time(b) / 1000 for a, b in zip(events, events[1:])])


def spread_of(taken):
    return Spread(statistics.median(taken), min(taken), max(taken))


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


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
