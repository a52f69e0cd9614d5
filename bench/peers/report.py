"""The input that the scripts share and the file that they write. Needs NumPy only."""

import json
import os
import platform
import subprocess

import numpy as np

from onnx_weights import read_weights

SCHEMA = "cambium-peers/1"


def read_input(path, model):
    """The model's weights by name, and what export.ts wrote: images N x 3 x H x W, logits N x K, map H x W, its target class."""
    arrays = np.load(path)
    lacking = {"images", "logits", "map", "target"} - set(arrays.files)
    if lacking:
        raise SystemExit(f"{path}: expected a file of bench/peers/export.ts, it lacks {', '.join(sorted(lacking))}.")
    return {
        "weights": read_weights(model),
        "images": arrays["images"],
        "logits": arrays["logits"],
        "map": arrays["map"],
        "target": int(arrays["target"][0]),
    }


def row(what, precision, batch=None, **numbers):
    """One measurement. Keys that do not apply are null; `failed` says why there are no numbers."""
    known = {
        "imagesPerSecond": None,
        "imagesPerSecondRange": None,
        "maskedForwardsPerSecond": None,
        "msPerMap": None,
        "msPerMapRange": None,
        "peakMemoryMB": None,
        "teraflopsPerSecond": None,
        "gigabytesPerSecond": None,
        "largestDifference": None,
        "failed": None,
    }
    unknown = set(numbers) - set(known)
    if unknown:
        raise KeyError(f"row has no field {', '.join(sorted(unknown))}")
    return {"what": what, "batch": batch, "precision": precision, **known, **numbers}


def driver_version():
    """Of the first NVIDIA GPU, or None where there is no nvidia-smi."""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0].strip()
    except (OSError, subprocess.CalledProcessError):
        return None


class Report:
    """Prints rows as they come and rewrites the file after each, so that a run that is cut off keeps what it has."""

    def __init__(self, path, device, versions, limit):
        self.path = path
        self.limit = limit  # seconds after which nothing more is begun, or None
        versions = {"python": platform.python_version(), "numpy": np.__version__, **versions}
        self.head = {"device": device, "driver": driver_version(), "versions": versions}
        self.rows = []

    def begin(self, unmeasured):
        """Has the file say what is under way, until it is measured and added."""
        self.write([*self.rows, {**unmeasured, **self.head}])

    def add(self, measured):
        self.rows.append({**measured, **self.head})
        numbers = {key: value for key, value in measured.items() if value is not None}
        print("  ".join(f"{key} {show(value)}" for key, value in numbers.items()), flush=True)
        self.write(self.rows)

    def raise_to(self, row, measured):
        """Keeps the larger of what a row of this report says and what was measured again."""
        for key, value in measured.items():
            row[key] = max(row[key], value)
            print(f"{row['what']} {row['precision']}: {key} {show(row[key])} after {show(value)} again", flush=True)
        self.write(self.rows)

    def write(self, rows):
        if not self.path:
            return
        with open(self.path + ".part", "w", encoding="utf8") as file:
            json.dump({"schema": SCHEMA, "rows": rows}, file, indent=1)
        os.replace(self.path + ".part", self.path)


def show(value):
    if isinstance(value, list):
        return " to ".join(map(show, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
