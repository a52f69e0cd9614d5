"""Lays the rows of cambium.json and peers.json in a folder side by side, as a table in Markdown. Needs Python alone.

python3 bench/table.py FOLDER
"""

import json
import os
import sys

COLUMNS = [
    ("what", "what"),
    ("precision", "precision"),
    ("batch", "batch"),
    ("imagesPerSecond", "images/s"),
    ("maskedForwardsPerSecond", "masked forwards/s"),
    ("overheadOfMasks", "overhead of masks"),
    ("msPerMap", "ms per map"),
    ("overheadOfMap", "overhead of map"),
    ("peakMemoryMB", "memory, MB"),
    ("ofPeak", "of measured peak"),
    ("largestDifference", "largest difference"),
    ("failed", "why it was not measured"),
]
FLOPS = 8.17e9  # of a forward pass of ResNet-50 at 224 x 224


def main(folder):
    rows = [row for name in ["cambium.json", "peers.json"] for row in read(os.path.join(folder, name))]
    if not rows:
        sys.exit(f"{folder} holds neither cambium.json nor peers.json; bench/gpu.sh writes them.")
    peaks = {row["precision"]: row["teraflopsPerSecond"] for row in rows if row["what"].startswith("product of")}
    print("| " + " | ".join(title for _, title in COLUMNS) + " |")
    print("|" + " --- |" * len(COLUMNS))
    for row in rows:
        print("| " + " | ".join(show(cell(row, key, peaks)) for key, _ in COLUMNS) + " |")


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf8") as file:
        return json.load(file)["rows"]


def cell(row, key, peaks):
    if key == "what":
        return f"cambium {row['variant']}" if "variant" in row else row["what"]
    if key != "ofPeak" or key in row:
        return row.get(key)
    # a peer's peak is the product of matrices in the precision of its name
    peak = peaks.get(row["precision"].split()[0])
    speed = row.get("imagesPerSecond") or row.get("maskedForwardsPerSecond")
    return speed * FLOPS / (peak * 1e12) if peak and speed else None


def show(value):
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
