"""Make the whole sample school: reference portraits, ten photos, records and ground truth.

Without arguments it makes everything; with arguments only the photos (``03``), subjects
(``S-1001``) or parts (``references``, ``records``) that they name.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cast import MATCHED, RECORDS, person
from numpy.typing import NDArray
from people import Array, Figure, Look, Shirt, figure
from PIL import Image
from renderer import Camera, Stage, render
from sets import SETS, ambient, area

ROOT = Path(__file__).resolve().parent.parent
QUALITY = 88


STRAIGHT = Look()


@dataclass(frozen=True)
class Place:
    """Where somebody stands in a photo, and how."""

    who: str
    x: float
    y: float = 0.0
    eyes: float | None = None  # height of the face; None: as tall as the person is
    facing: float = 0.0
    look: Look = STRAIGHT
    detail: float = 1.0


@dataclass(frozen=True)
class Photo:
    """One photo: its file name, the rule it shows, its set and its people."""

    name: str
    rule: str
    scene: str
    camera: Camera
    people: tuple[Place, ...]
    samples: int = 8
    phone: bool = False


def _look(expression: str, yaw: float = 0, pitch: float = 0, tilt: float = 0,
          shirt: Shirt | None = None) -> Look:  # fmt: skip
    return Look(expression, yaw, pitch, tilt, 1.0, shirt)


GREEN = Shirt((0.10, 0.34, 0.20))
RED = Shirt((0.58, 0.09, 0.08))
SEA = Shirt((0.12, 0.36, 0.48), (0.86, 0.86, 0.82), "stripes")
LILAC = Shirt((0.42, 0.32, 0.58))
SUN = Shirt((0.80, 0.60, 0.10), (0.85, 0.30, 0.10), "band")
NAVY = Shirt((0.06, 0.09, 0.20), (0.75, 0.72, 0.66), "yoke")
WHITE = Shirt((0.74, 0.73, 0.70))

THREE = Camera((0, -3.2, 1.40), (0, 0, 1.28), 25)

PHOTOS = [
    Photo(
        "01-lesson-in-the-classroom", "Everybody in the picture consented to the public website, "
        "so it goes out as it is.", "classroom",
        Camera((0, -3.3, 1.38), (0, 0, 1.26), 30),
        (Place("S-1001", -0.62, -0.15, 1.24, 6, _look("smile", 4)),
         Place("S-1003", -0.21, 0.05, 1.34, 0, _look("grin", 3, 0, 2)),
         Place("S-1006", 0.22, 0.0, 1.40, -4, _look("smile", -4, 0, -2)),
         Place("T-2001", 0.64, 0.15, 1.50, -10, _look("smile", -3))),
        samples=12,
    ),
    Photo(
        "02-on-the-grass", "The parents of one pupil refused: that face is redacted.",
        "playground", THREE,
        (Place("S-1006", -0.45, 0.0, 1.42, 8, _look("grin", 4, 0, 3, RED)),
         Place("S-1002", 0.0, -0.1, 1.28, 0, _look("smile", -3)),
         Place("S-1007", 0.46, 0.05, 1.46, -8, _look("smile", 0, 0, -2))),
    ),
    Photo(
        "03-visitor-in-the-corridor", "A visitor whom nobody has on record is redacted.",
        "corridor", THREE,
        (Place("S-1001", -0.44, -0.1, 1.26, 6, _look("grin", 5, 0, 3, SEA)),
         Place("X-1", 0.0, 0.1, 1.50, 0, _look("smile", -4)),
         Place("S-1007", 0.46, 0.0, 1.40, -8, _look("grin", -3, 0, 0, LILAC))),
    ),
    Photo(
        "04-reading-in-the-library", "The parents of one pupil agreed to the protected website "
        "only: redacted on the public one, visible on the protected one.", "library", THREE,
        (Place("S-1003", -0.46, -0.05, 1.32, 8, _look("smile", 4, 0, 0, GREEN)),
         Place("S-1005", 0.0, -0.1, 1.36, 0, _look("smile", 4, 0, 2)),
         Place("S-1008", 0.47, 0.1, 1.51, -8, _look("smile", 0))),
    ),
    Photo(
        "05-two-alike-at-school", "Of two siblings one consented and the other did not: the one "
        "who refused is redacted, and where the system is unsure, both are.", "classroom",
        Camera((0.25, -3.2, 1.40), (0.15, 0, 1.28), 25),
        (Place("S-1003", -0.30, 0.0, 1.30, 5, _look("grin", 3, 0, 3, SUN)),
         Place("S-1004", 0.15, 0.0, 1.40, 0, _look("smile", -3)),
         Place("S-1006", 0.62, 0.1, 1.44, -8, _look("smile", 3, 0, 0, NAVY))),
    ),
    Photo(
        "06-class-photo-in-the-yard", "Passers-by far in the background, with faces of 16 to 30 "
        "pixels, are redacted.", "yard", Camera((0, -4.2, 1.47), (0, 0, 1.32), 30),
        (Place("S-1001", -0.72, -0.35, 1.10, 8, _look("smile", 3)),
         Place("S-1003", -0.24, -0.40, 1.13, 3, _look("grin", 2, 0, 2, SEA)),
         Place("S-1006", 0.25, -0.38, 1.16, -3, _look("smile", -2, 0, 0, RED)),
         Place("S-1007", 0.72, -0.35, 1.14, -8, _look("grin", 0, 0, -2, SUN)),
         Place("T-2001", -0.50, 0.30, 1.53, 6, _look("smile", 2)),
         Place("S-1008", -0.01, 0.35, 1.58, 0, _look("smile", 0, 0, 0, NAVY)),
         Place("T-2002", 0.48, 0.30, 1.60, -6, _look("smile", -2)),
         Place("X-2", -3.25, 10.0, None, 15, _look("smile", 3), 0.35),
         Place("X-3", -4.1, 16.5, None, 20, _look("neutral"), 0.35),
         Place("X-4", 3.0, 11.0, None, -10, _look("grin"), 0.35),
         Place("X-1", 4.75, 15.0, None, -15, _look("smile"), 0.35)),
    ),
    Photo(
        "07-in-the-gym", "Nobody in the picture has consent, so the picture is held: every face "
        "would be redacted.", "gym", THREE,
        (Place("S-1002", -0.46, -0.05, 1.34, 6, _look("grin", 3, 0, 2, WHITE)),
         Place("S-1010", 0.0, -0.15, 1.24, 0, _look("smile", -2)),
         Place("S-1004", 0.47, 0.05, 1.42, -8, _look("grin", 0, 0, 0, GREEN))),
    ),
    Photo(
        "08-school-play", "One consent has expired, so that pupil is redacted; the pupil of 17 "
        "decided personally and stays visible.", "theatre", THREE,
        (Place("S-1010", -0.45, -0.15, 1.24, 8, _look("grin", 4)),
         Place("S-1008", 0.0, 0.1, 1.50, 0, _look("smile", -5, 0, 0, WHITE)),
         Place("T-2001", 0.48, 0.1, 1.46, -8, _look("grin", 0, 0, -2))),
    ),
    Photo(
        "09-between-lessons", "A pupil may be published but not matched, so the face is unknown "
        "and redacted; a teacher consented; somebody else is seen in profile only.", "corridor",
        Camera((0.5, -3.2, 1.42), (0.5, 0, 1.30), 25),
        (Place("T-2002", 0.02, 0.1, 1.52, 8, _look("smile", 2)),
         Place("S-1009", 0.50, -0.15, 1.32, 0, _look("grin", -4, 0, 2)),
         Place("S-1007", 1.02, 0.05, 1.40, -62, _look("smile", -20))),
    ),
    Photo(
        "10-phone-picture-outside", "A phone's picture, stored rotated and with position and "
        "thumbnail: comes out upright and without metadata.", "playground",
        Camera((0, -3.1, 1.40), (0, 0, 1.26), 17.5, 800, 1200),
        (Place("S-1001", -0.22, -0.35, 1.08, 4, _look("grin", 2, 0, 0, LILAC)),
         Place("S-1006", 0.23, -0.30, 1.20, -4, _look("grin", -3, 0, 2, SEA)),
         Place("S-1008", -0.03, 0.30, 1.52, 0, _look("smile", 3, 0, 0, RED))),
        phone=True,
    ),
]  # fmt: skip


def _face_middle(made: Figure) -> Array:
    return (made.face.max(0) + made.face.min(0)) / 2


def place(spot: Place, camera: Camera) -> Figure:
    """Put a person into the scene; the eyes go to the camera."""
    at = np.array([spot.x, spot.y, 0.0])
    eye = np.array(camera.origin, float)
    if spot.eyes is not None:  # sitting, crouching or standing on a step out of the picture
        first = figure(person(spot.who), spot.look, spot.facing, tuple(at), eye, 0.05)
        at[2] = spot.eyes - _face_middle(first)[2]
    return figure(person(spot.who), spot.look, spot.facing, tuple(at), eye, spot.detail)


def _visible(made: Figure, camera: Camera) -> str:
    """``front``, ``profile`` or ``back``: how a face is turned to the camera."""
    way = np.array(camera.origin) - made.face.mean(0)
    angle = np.degrees(np.arccos(way @ made.forward / np.linalg.norm(way)))
    return "front" if angle < 55 else "profile" if angle < 110 else "back"


def truth(made: Figure, camera: Camera) -> dict[str, Any] | None:
    """The ground truth of one face, or nothing when it is outside the picture."""
    pixels = camera.project(made.face)
    low, high = pixels.min(0), pixels.max(0)
    inner_low = np.clip(low, 0, [camera.width, camera.height])
    inner_high = np.clip(high, 0, [camera.width, camera.height])
    if np.prod(inner_high - inner_low) < 0.25 * np.prod(high - low):
        return None
    subject = made.person.ident if made.person.ident in {r.subject for r in RECORDS} else None
    face: dict[str, Any] = {
        "subject": subject, "person": made.person.ident,
        "box": [round(float(v)) for v in (*inner_low, *(inner_high - inner_low))],
    }  # fmt: skip
    seen = _visible(made, camera)
    if seen != "front":
        face["visible"] = seen
    return face


def make_photo(photo: Photo, scale: float = 1.0) -> tuple[NDArray[np.uint8], list[Any]]:
    """Render one photo; returns the upright picture and its faces."""
    stage = SETS[photo.scene]()
    stage.figures = [place(spot, photo.camera) for spot in photo.people]
    faces = [f for f in (truth(made, photo.camera) for made in stage.figures) if f]
    camera = Camera(photo.camera.origin, photo.camera.target, photo.camera.fov,
                    int(photo.camera.width * scale), int(photo.camera.height * scale))  # fmt: skip
    return render(stage, camera, photo.samples, seed=int(photo.name[:2])), faces


Entry = tuple[int, int, int, bytes]  # tag, type, count, data


def phone_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG as a phone stores it: rotated, with position, model and thumbnail."""
    upright = Image.fromarray(pixels)
    stored = upright.transpose(Image.Transpose.ROTATE_90)  # shown rotated by 90° clockwise
    small = io.BytesIO()
    stored.resize((160, 107), Image.Resampling.LANCZOS).save(small, "JPEG", quality=70)
    exif = _exif(small.getvalue())
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=QUALITY, exif=exif)
    return out.getvalue()


def _exif(thumbnail: bytes) -> bytes:
    """An EXIF block with invented values, its thumbnail in a second directory."""

    def ascii_(text: str) -> bytes:
        return text.encode() + b"\0"

    def rationals(*values: tuple[int, int]) -> bytes:
        return b"".join(struct.pack("<II", *v) for v in values)

    def directory(start: int, entries: list[Entry], following: int) -> bytes:
        head = struct.pack("<H", len(entries))
        extra, data_at = b"", start + 2 + 12 * len(entries) + 4
        for tag, kind, count, data in entries:
            if len(data) > 4:
                value = struct.pack("<I", data_at + len(extra))
                extra += data + b"\0" * (len(data) % 2)
            else:
                value = data.ljust(4, b"\0")
            head += struct.pack("<HHI", tag, kind, count) + value
        return head + struct.pack("<I", following) + extra

    def text(tag: int, value: str) -> Entry:
        data = ascii_(value)
        return (tag, 2, len(data), data)

    def build(gps_at: int, detail_at: int, second_at: int) -> tuple[bytes, bytes, bytes, bytes]:
        first = directory(8, [
            text(0x010F, "Voorbeeld"), text(0x0110, "Phone 7 (sample)"),
            (0x0112, 3, 1, struct.pack("<H", 6)),
            (0x011A, 5, 1, rationals((72, 1))), (0x011B, 5, 1, rationals((72, 1))),
            (0x0128, 3, 1, struct.pack("<H", 2)), text(0x0131, "sample 1.0"),
            text(0x0132, "2026:11:20 10:31:07"),
            (0x8769, 4, 1, struct.pack("<I", detail_at)), (0x8825, 4, 1, struct.pack("<I", gps_at)),
        ], second_at)  # fmt: skip
        detail = directory(detail_at, [text(0x9003, "2026:11:20 10:31:07"),
                                       text(0xA431, "SN-0000-SAMPLE")], 0)  # fmt: skip
        gps = directory(gps_at, [
            (0x0000, 1, 4, bytes([2, 3, 0, 0])), text(0x0001, "N"),
            (0x0002, 5, 3, rationals((52, 1), (5, 1), (2755, 100))), text(0x0003, "E"),
            (0x0004, 5, 3, rationals((5, 1), (7, 1), (1220, 100))),
        ], 0)  # fmt: skip
        second = directory(second_at, [
            (0x0103, 3, 1, struct.pack("<H", 6)),
            (0x0201, 4, 1, struct.pack("<I", second_at + 2 + 36 + 4)),
            (0x0202, 4, 1, struct.pack("<I", len(thumbnail))),
        ], 0)  # fmt: skip
        return first, detail, gps, second

    first, detail, gps, _ = build(0, 0, 0)
    detail_at = 8 + len(first)
    gps_at = detail_at + len(detail)
    second_at = gps_at + len(gps)
    first, detail, gps, second = build(gps_at, detail_at, second_at)
    body = b"II*\0" + struct.pack("<I", 8) + first + detail + gps + second + thumbnail
    return b"Exif\0\0" + body


PORTRAITS = (
    (_look("neutral"), 0.2, (0.62, 0.68, 0.72)),
    (_look("smile", 10, 0, 2), 0.9, (0.66, 0.60, 0.50)),
    (_look("grin", -10, 2, -2), -0.9, (0.45, 0.52, 0.50)),
)


def make_reference(ident: str, number: int) -> NDArray[np.uint8]:
    """A reference portrait of somebody."""
    look, lamp, wall = PORTRAITS[number]
    first = _face_middle(figure(person(ident), look, detail=0.05))
    origin = first + np.array([0, -1.05, 0.02])
    made = figure(person(ident), look, target=origin)
    stage = Stage(figures=[made], exposure=0.95)
    stage.parts = [SETS["gym"]().parts[1]]
    stage.parts[0].texture = None
    stage.parts[0].colour = np.array([wall])
    lamp_at = tuple(first + np.array([lamp * 1.5, -1.5, 0.8]))
    stage.lights = {
        "ambient": ambient((0.55, 0.57, 0.60)),
        "key": area(lamp_at, tuple(first), 0.9, 0.9, (6, 5.7, 5.2)),
    }
    camera = Camera(tuple(origin), tuple(first + np.array([0, 0, -0.02])), 20, 360, 400)
    return render(stage, camera, 10, seed=number)


def write_records() -> None:
    """Write the roster and the consent export."""
    with (ROOT / "roster.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["subject_id", "kind", "groups", "born"])
        rows.writerows([r.subject, r.kind, r.groups, r.born] for r in RECORDS)
    with (ROOT / "consents.csv").open("w", newline="", encoding="utf-8-sig") as out:
        rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
        rows.writerow(["Leerlingnummer", "Toestemming door", "Kenmerk", "Versie", "Vanaf", "Tot",
                       "Openbare website", "Besloten website", "Facebook", "Nieuwsbrief",
                       "Gezichtsherkenning"])  # fmt: skip
        for number, r in enumerate(RECORDS, 11):
            rows.writerow([r.subject, r.given_by, f"FORM-2026-{number:03d}", "2026-1", r.start,
                           r.end, *r.answers])  # fmt: skip


def write_truth(name: str, rule: str, faces: list[Any]) -> None:
    """Put one photo's faces into the ground truth file."""
    path = ROOT / "ground_truth.json"
    known = json.loads(path.read_text(encoding="utf-8"))["photos"] if path.exists() else {}
    known[name] = {"rule": rule, "faces": faces}
    lines = []
    for photo in sorted(known):
        entry = known[photo]
        rows = ",\n".join("        " + json.dumps(face) for face in entry["faces"])
        lines.append(f'    {json.dumps(photo)}: {{\n      "rule": {json.dumps(entry["rule"])},\n'
                     f'      "faces": [\n{rows}\n      ]\n    }}')  # fmt: skip
    path.write_text('{\n  "photos": {\n' + ",\n".join(lines) + "\n  }\n}\n", encoding="utf-8")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", nargs="*", help="photo numbers, subjects, references, records")
    parser.add_argument("--preview", type=Path, help="write half-size pictures here instead")
    args = parser.parse_args()
    wanted: list[str] = args.what
    every = not wanted
    if every or "records" in wanted:
        write_records()
    for ident in MATCHED:
        if not (every or "references" in wanted or ident in wanted):
            continue
        folder = ROOT / "references" / ident
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(3):
            pixels = make_reference(ident, number)
            Image.fromarray(pixels).save(folder / f"{number + 1}.jpg", quality=QUALITY)
        print(ident, flush=True)
    for photo in PHOTOS:
        if not (every or photo.name[:2] in wanted):
            continue
        if args.preview:
            args.preview.mkdir(parents=True, exist_ok=True)
            pixels, _ = make_photo(photo, 0.5)
            Image.fromarray(pixels).save(args.preview / f"{photo.name}.png")
            continue
        pixels, faces = make_photo(photo)
        path = ROOT / "photos" / f"{photo.name}.jpg"
        path.parent.mkdir(exist_ok=True)
        if photo.phone:
            path.write_bytes(phone_jpeg(pixels))
        else:
            Image.fromarray(pixels).save(path, quality=QUALITY)
        write_truth(path.name, photo.rule, faces)
        print(path.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
