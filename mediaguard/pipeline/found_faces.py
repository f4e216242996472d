"""Where faces were found, as lines of a file: so that work that was broken off can go on.

Places only; what could tell whose faces they are is never written.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from mediaguard.core.faces import Box, Detection


def as_line(frame: int, detections: Sequence[Detection]) -> bytes:
    """What was found in a frame."""
    return json.dumps([frame, [as_row(detection) for detection in detections]]).encode() + b"\n"


def recall(path: Path) -> list[tuple[int, list[Detection]]]:
    """The lines of a file, as far as they are whole; what follows is cut off the file.

    A process that died while it wrote leaves half a line.
    """
    if not path.exists():
        return []
    found, whole = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        try:
            frame, rows = json.loads(line)
        except ValueError:
            break
        found.append((int(frame), [_from_row(row) for row in rows]))
        whole += len(line)
    with path.open("ab") as file:
        file.truncate(whole)
    return found


def as_row(detection: Detection) -> list[float]:
    """Place, score and landmarks as plain numbers."""
    box = detection.box
    flat = [coordinate for point in detection.landmarks for coordinate in point]
    return [float(v) for v in (box.x, box.y, box.w, box.h, detection.score, *flat)]


def _from_row(row: Sequence[float]) -> Detection:
    points = tuple((row[i], row[i + 1]) for i in range(5, len(row) - 1, 2))
    return Detection(Box(*row[:4]), row[4], points)
