"""Make the sample school's video clips, with sound and the ground truth of every frame.

Without arguments it makes all of them; with arguments only those that they name (``02``). What is
already rendered lies in a temporary folder, so that a run may be interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("MITSUBA_VARIANT", "llvm_ad_rgb")

import av
import numpy as np
from cast import RECORDS, person
from numpy.typing import NDArray
from people import Array, Figure, Look, Part, Shirt, figure, turn
from PIL import Image
from renderer import Camera, Film
from scipy.interpolate import PchipInterpolator
from scipy.spatial import Delaunay
from sets import SETS, shelf

ROOT = Path(__file__).resolve().parent.parent / "clips"
FPS, WIDTH, HEIGHT = 25, 960, 540
RATE = 48000  # of the sound
SAMPLES, DETAIL = 4, 0.6

Keys = tuple[tuple[float, float], ...]  # frame and value


@dataclass(frozen=True)
class Walk:
    """How somebody moves in a shot: everything by key frames, with smooth ways between them."""

    who: str
    x: Keys
    y: float
    eyes: float  # height of the face
    facing: Keys = ((0, 0),)
    yaw: Keys = ((0, 0),)
    expression: str = "smile"
    shirt: Shirt | None = None


@dataclass(frozen=True)
class Shot:
    """What the camera takes without a break."""

    scene: str
    camera: Camera
    frames: int
    people: tuple[Walk, ...]
    props: Callable[[], list[Part]] = list
    pan: int = 0  # pixels by which the picture moves to the right


@dataclass(frozen=True)
class Clip:
    """One clip: its file name, what it shows, its shots and the notes of its melody."""

    name: str
    story: str
    shots: tuple[Shot, ...]
    notes: tuple[int, ...]  # semitones above A (220 Hz)


CLIPS = (
    Clip(
        "01-walking-by",
        "A passer-by whom nobody has on record walks behind S-1006, is hidden for some frames "
        "and appears again: redacted on both sides. S-1001, who consented, turns away until only "
        "the back of the head is seen, and comes back.",
        (
            Shot("classroom", Camera((0, -3.3, 1.40), (0, 0, 1.30), 28, WIDTH, HEIGHT), 135, (
                Walk("S-1006", ((0, 0.27),), 0.0, 1.44, ((0, -6), (70, -2), (135, -8)),
                     ((0, 2), (40, -10), (75, 8), (110, -4), (135, 2))),
                Walk("S-1001", ((0, -0.40),), -0.15, 1.25,
                     ((0, 8), (22, 8), (52, 178), (76, 184), (104, 360), (135, 366)),
                     ((0, 0), (18, 0), (34, 28), (52, 4), (74, 0), (88, 25), (104, 2), (135, 0)),
                     "grin"),
                Walk("X-1", ((0, -1.42), (60, 0.14), (90, 0.51), (135, 1.42)), 1.3, 1.47,
                     ((0, 52),), ((0, -26), (100, -26), (125, 8)), "neutral",
                     Shirt((0.62, 0.56, 0.46), sleeve=0.42, trousers=(0.36, 0.31, 0.25))),
            )),
        ),
        (0, 4, 7, 12, 11, 7, 9, 4, 5, 9, 12, 7),
    ),
    Clip(
        "02-coming-and-going",
        "S-1002, whose parents refused, leaves the picture and comes back: redacted both times; "
        "T-2001, who consented, stays. After a cut S-1007, who consented, is seen, and X-4, whom "
        "nobody has on record, runs past a gap between the shelves: redacted in all of five "
        "frames.",
        (
            Shot("gym", Camera((0, -3.3, 1.42), (0, 0, 1.32), 27, WIDTH, HEIGHT), 82, (
                Walk("T-2001", ((0, -0.30),), 0.05, 1.49, ((0, 4), (82, 8)),
                     ((0, 0), (26, 10), (46, 12), (66, 2), (82, -2))),
                Walk("S-1002", ((0, 0.32), (8, 0.32), (30, 1.15), (36, 1.28), (43, 1.15),
                                (68, 0.36), (82, 0.36)), -0.05, 1.31,
                     ((0, -6), (6, -4), (14, 60), (32, 60), (36, -55), (60, -50), (72, -8)),
                     ((0, 2), (4, 4), (12, -8), (34, -5), (41, 32), (62, 30), (74, 2))),
            )),
            Shot("library", Camera((0, -3.3, 1.42), (0, 0, 1.32), 27, WIDTH, HEIGHT), 45, (
                Walk("S-1007", ((0, -0.34),), 0.0, 1.43, ((0, 6),), ((0, -4), (45, 6)), "grin"),
                Walk("X-4", ((0, -2.2), (21, 0.305), (25, 0.755), (26, 0.905), (45, 3.4)), 1.6,
                     1.23, ((0, 52),), ((0, -34),), "grin"),
            ), lambda: [*shelf(-1.9, 0.30, 1.0, [0.1, 0.5, 0.9, 1.3, 1.7], 61),
                        *shelf(0.30, 0.75, 1.0, [0.1, 0.4, 0.7], 66),
                        *shelf(0.75, 2.4, 1.0, [0.1, 0.5, 0.9, 1.3, 1.7], 73)]),
        ),
        (7, 4, 0, 5, 9, 12, 11, 7, 2, 7, 5, 0),
    ),
    Clip(
        "03-siblings-crossing",
        "Two siblings walk towards each other, cross and walk apart: S-1003, who consented, in "
        "front of S-1004, whose parents refused. Each keeps the own decision; where the system is "
        "unsure, both are redacted.",
        (
            Shot("playground", Camera((-0.05, -3.3, 1.40), (-0.05, 0, 1.29), 29, WIDTH, HEIGHT),
                 125, (
                Walk("S-1003", ((0, -0.74), (125, 0.74)), -0.1, 1.31, ((0, 34),),
                     ((0, -24), (40, -16), (80, -32), (125, -22)), "grin"),
                Walk("S-1004", ((0, 0.77), (125, -0.78)), 0.35, 1.36, ((0, -34),),
                     ((0, 26), (50, 34), (90, 20), (125, 26))),
            ), pan=50),
        ),
        (4, 7, 12, 9, 7, 4, 5, 9, 7, 4, 2, 0),
    ),
)  # fmt: skip


# -------------------------------------------------------------------------------- movement


def at(keys: Keys, frame: float) -> float:
    """The value of key frames at a moment."""
    if len(keys) == 1:
        return keys[0][1]
    times, values = zip(*keys, strict=True)
    return float(PchipInterpolator(times, values)(np.clip(frame, times[0], times[-1])))


class Actor:
    """Poses one person of a shot, with the small movements that nobody can help."""

    def __init__(self, walk: Walk, camera: Camera) -> None:
        self.walk = walk
        self.eye = np.array(camera.origin, float)
        first = figure(person(walk.who), Look(walk.expression), detail=0.05)
        self.floor = walk.eyes - (first.face[:, 2].max() + first.face[:, 2].min()) / 2
        self.rng = np.random.default_rng(person(walk.who).seed)
        self.phases = self.rng.uniform(0, 2 * np.pi, 8)
        self.blinks = np.cumsum(self.rng.uniform(45, 90, 6)) - 20

    def _sway(self, number: int, frame: int, seconds: float) -> float:
        return float(np.sin(2 * np.pi * frame / FPS / seconds + self.phases[number]))

    def pose(self, frame: int) -> Figure:
        """The person at a moment."""
        walk, sway = self.walk, self._sway
        x = at(walk.x, frame)
        speed = abs(at(walk.x, frame + 0.5) - at(walk.x, frame - 0.5)) * FPS  # metres a second
        gait = min(1.0, speed / 0.4)
        step = np.pi * x / 0.34 + self.phases[0]
        bob = gait * 0.012 * np.cos(2 * step) + 0.002 * sway(1, frame, 3.1)
        facing = at(walk.facing, frame) + 4 * gait * np.sin(step) + 1.2 * sway(2, frame, 3.7)
        yaw = at(walk.yaw, frame) - 2.5 * gait * np.sin(step) + 2.0 * sway(3, frame, 2.9)
        blink = float(np.interp(frame, *self._lids()))
        look = Look(
            walk.expression, yaw, 1.3 * sway(4, frame, 2.3), 1.6 * sway(5, frame, 3.3),
            shirt=walk.shirt, swing=14 * gait * np.sin(step), blink=blink,
        )  # fmt: skip
        place = np.array([x + 0.004 * sway(6, frame, 2.7), walk.y, self.floor + bob])
        away = (facing + yaw + 180) % 360 - 180
        beyond = away - np.clip(away, -35, 35)  # eyes follow the camera no further than that
        target = place + turn("z", beyond) @ (self.eye - place)
        return figure(person(walk.who), look, facing, tuple(place), target, DETAIL)

    def _lids(self) -> tuple[Array, Array]:
        times = (self.blinks[:, None] + [-2, 0, 1, 4]).ravel()
        return times, np.tile([0.0, 0.9, 0.9, 0.0], len(self.blinks))


# ------------------------------------------------------------------------------ the truth


def visible(made: Figure, camera: Camera) -> str:
    """How a face is turned to the camera."""
    way = np.array(camera.origin) - made.face.mean(0)
    angle = np.degrees(np.arccos(way @ made.forward / np.linalg.norm(way)))
    names = ("front", "half", "profile", "back")
    return names[int(np.searchsorted([45, 75, 110], angle, side="right"))]


def truth(film: Film, figures: list[Figure], left: int) -> dict[str, list[Any]]:
    """The faces in the part of the picture that begins at ``left``.

    Per person: left, top, width, height, how it is turned, and the share of it that neither
    other people, nor things, nor the border hide.
    """
    found: dict[str, list[Any]] = {}
    for number, made in enumerate(figures):
        outline = film.camera.project(made.face)
        start, end = outline.min(0), outline.max(0)
        low, high = (np.clip(v - [left, 0], 0, [WIDTH, HEIGHT]) for v in (start, end))
        if np.prod(np.round(high) - np.round(low)) == 0:
            continue
        steps = [np.linspace(a, b, 49)[:-1] + (b - a) / 96
                 for a, b in zip(start, end, strict=True)]  # fmt: skip
        points = np.stack(np.meshgrid(*steps), -1).reshape(-1, 2)
        points = points[Delaunay(outline).find_simplex(points) >= 0]
        owner, distance = film.hits(points)
        depth = np.linalg.norm(made.face.mean(0) - film.camera.origin)
        free = (owner == number) | (distance > depth)
        free &= (points[:, 0] >= left) & (points[:, 0] < left + WIDTH)
        free &= (points[:, 1] >= 0) & (points[:, 1] < HEIGHT)
        found[made.person.ident] = [
            *(round(float(v)) for v in (*low, *(high - low))),
            visible(made, film.camera), round(float(free.mean()), 2),
        ]  # fmt: skip
    return found


# ------------------------------------------------------------------------------- the frames


def take(shot: Shot, first: int, folder: Path, samples: int, only: list[int] | None = None) -> None:
    """Render a shot's missing frames (a picture and its faces each) into a folder."""
    missing = [k for k in (only or range(shot.frames))
               if not (folder / f"{first + k:04d}.png").exists()]  # fmt: skip
    if not missing:
        return
    narrow = shot.camera
    width = WIDTH + shot.pan
    fov = np.degrees(2 * np.arctan(np.tan(np.radians(narrow.fov) / 2) * width / WIDTH))
    camera = Camera(narrow.origin, narrow.target, float(fov), width, HEIGHT)
    actors = [Actor(walk, camera) for walk in shot.people]
    stage = SETS[shot.scene]()
    stage.parts += shot.props()
    stage.figures = [actor.pose(missing[0]) for actor in actors]
    film = Film(stage, camera, samples)
    for frame in missing:
        began = time.monotonic()
        left = round(at(((0, 0), (shot.frames - 1, shot.pan)), frame))
        figures = [actor.pose(frame) for actor in actors]
        film.pose(figures)
        faces = truth(film, figures, left)
        path = folder / f"{first + frame:04d}.png"
        path.with_suffix(".json").write_text(json.dumps(faces), encoding="utf-8")
        tries = path.with_suffix(".tries")  # Mitsuba crashes on rare rays: next time others
        seed = int(tries.read_text()) if tries.exists() else 0
        tries.write_text(str(seed + 1))
        Image.fromarray(film.picture(figures, seed)[:, left : left + WIDTH]).save(path)
        tries.unlink()
        print(f"{path.name} {time.monotonic() - began:.1f} s", flush=True)


# ------------------------------------------------------------------------- sound and file


def melody(notes: tuple[int, ...], seconds: float) -> NDArray[np.float32]:
    """A soft melody with a little room noise: stereo samples (2, n)."""
    count = round(seconds * RATE)
    t = np.arange(count) / RATE
    sound = np.random.default_rng(sum(notes)).normal(0, 0.0015, (2, count))
    each = seconds / len(notes)
    for number, note in enumerate(notes):
        since = t - number * each
        loud = np.clip(since / 0.02, 0, 1) * np.exp(-since.clip(0) * 2.2)
        pitch = 220 * 2 ** (note / 12)
        tone = sum(np.sin(2 * np.pi * pitch * k * since) / k**2.2 for k in (1, 2, 3))
        side = 0.5 + 0.3 * np.sin(number)
        sound += 0.16 * np.stack([side, 1 - side])[:, None] * (loud * tone)
    sound *= np.clip(np.minimum(t, seconds - t) / 0.15, 0, 1)
    return sound.astype(np.float32)


def encode(path: Path, frames: list[Path], sound: NDArray[np.float32]) -> None:
    """Write pictures and sound as H.264 and AAC, without any metadata."""
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(path), "w", container_options=options) as out:
        video = out.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "slow"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.time_base = Fraction(1, FPS)
        audio = out.add_stream("aac", rate=RATE, layout="stereo")
        audio.bit_rate = 96_000
        for number, name in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.asarray(Image.open(name)), "rgb24")
            picture.pts = number
            out.mux(video.encode(picture))
        out.mux(video.encode())
        for start in range(0, sound.shape[1], 1024):
            piece = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[:, start : start + 1024]), "fltp", "stereo"
            )
            piece.sample_rate, piece.pts, piece.time_base = RATE, start, Fraction(1, RATE)
            out.mux(audio.encode(piece))
        out.mux(audio.encode())


def write_truth(clip: Clip, frames: list[Path]) -> None:
    """Put one clip's faces into the ground truth file."""
    path = ROOT / "ground_truth.json"
    known = json.loads(path.read_text(encoding="utf-8"))["clips"] if path.exists() else []
    faces: dict[str, list[Any]] = {}
    for number, name in enumerate(frames):
        for who, face in json.loads(name.with_suffix(".json").read_text()).items():
            faces.setdefault(who, []).append([number, *face])
    subjects = {r.subject for r in RECORDS}
    starts = np.cumsum([shot.frames for shot in clip.shots])[:-1]
    entry = {
        "file": f"{clip.name}.mp4", "width": WIDTH, "height": HEIGHT, "fps": FPS,
        "frames": len(frames), "cuts": [int(v) for v in starts], "story": clip.story,
        "people": {who: {"subject": who if who in subjects else None} for who in sorted(faces)},
        "faces": dict(sorted(faces.items())),
    }  # fmt: skip
    known = sorted([*(c for c in known if c["file"] != entry["file"]), entry],
                   key=lambda c: str(c["file"]))  # fmt: skip
    blocks = []
    for one in known:
        rows = [f"      {json.dumps(key)}: {json.dumps(one[key])}" for key in one if key != "faces"]
        lines = [f"        {json.dumps(who)}: {json.dumps(f, separators=(',', ':'))}"
                 for who, f in one["faces"].items()]  # fmt: skip
        rows.append('      "faces": {\n' + ",\n".join(lines) + "\n      }")
        blocks.append("    {\n" + ",\n".join(rows) + "\n    }")
    path.write_text('{\n  "clips": [\n' + ",\n".join(blocks) + "\n  ]\n}\n", encoding="utf-8")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", nargs="*", help="clip numbers")
    parser.add_argument("--frames", type=Path, help="keep the frames here",
                        default=Path(tempfile.gettempdir()) / "sample-school-clips")  # fmt: skip
    parser.add_argument("--only", type=int, nargs="*", help="render just these frames of a shot")
    args = parser.parse_args()
    for clip in CLIPS:
        if args.what and clip.name[:2] not in args.what:
            continue
        folder = args.frames / clip.name
        folder.mkdir(parents=True, exist_ok=True)
        first = 0
        for shot in clip.shots:
            only = [k for k in args.only if k < shot.frames] if args.only else None
            take(shot, first, folder, SAMPLES, only)
            first += shot.frames
        if args.only:
            continue
        frames = [folder / f"{k:04d}.png" for k in range(first)]
        ROOT.mkdir(exist_ok=True)
        encode(ROOT / f"{clip.name}.mp4", frames, melody(clip.notes, first / FPS))
        write_truth(clip, frames)
        print(clip.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
