"""Which faces are still to be seen in what comes out of a clip, beside `deface`.

    python -m benchmarks.video_coverage CLIP... [--contact-sheet FILE.png] [--keep FOLDER]
    python -m benchmarks.video_coverage --sample

The reference is dense: every frame is searched at its own size and at twice that, and what is found
(score 0.3, 24 pixels high) is linked into tracks; between two sightings of a track, a quarter of a
second apart at most, the face counts as being there too. A *face-frame* is one face in one frame.
It shares its network with both programs: what that never sees, at any scale, in any frame near, is
not in it. With `--contact-sheet` every face-frame that mediaguard leaves is shown, to be looked at.

With `--sample` the clips are those of the sample school, where it is known who is where.

A face-frame counts as covered if less than half of its structure (eyes, nose, mouth: what lies
between a 32nd and an 8th of its height in size) is still there. The rule is the same whether a face
was filled or blurred. Few faces lie between .3 and .8, and these are covered in part. What is left
of the whole head (`verification.kept_detail`) would count hair outside deface's ellipse.
"""

import argparse
import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.machine import describe
from benchmarks.throughput import CHANNEL
from benchmarks.video_speed import RUNNERS, HeldError
from mediaguard.app import App
from mediaguard.cli.demo import sample_school
from mediaguard.core.faces import Box, Detection
from mediaguard.core.tracking import Tracker
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.cuts import CutDetector
from mediaguard.media.frames import pixels_of
from mediaguard.media.sniffing import clip_format
from mediaguard.resources import resource
from mediaguard.vision.centerface import CenterFace

LEVELS = ((24, 0.3, 0.3), (24, 0.3, 0.5), (24, 0.5, 0.5), (16, 0.3, 0.3))
"""From which height in pixels, which score in the frame and which best score in the track on faces
are counted: a row each."""
SCORE = 0.3
HEIGHT, SHARE, TURNED = 24, 0.5, ("front", "half")
"""A face whose place is known counts if it is so high, so much of it in sight, and turned so."""
COVERED = 0.5  # of the structure is left at most
BLACK = 0.5  # of 255: a face with less structure is not to be seen in the first place
INSIDE = 0.8  # of the semi-axes of the ellipse in the box: where structure is compared
TILE, COLUMNS = 160, 4  # of the contact sheet

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face-frame.

    Attributes:
        frame: index.
        box: where the face is.
        who: whose face it is, or the number of the track.
        best: the highest score in the track.
        score: of the detector; between two sightings the lower of theirs.
        seen: whether it was found in this frame, or only before and after it.
    """

    frame: int
    box: Box
    who: str
    best: float = 1.0
    score: float = 1.0
    seen: bool = True


def opened(path: Path) -> Clip:
    """A source, as mediaguard reads it: upright."""
    with path.open("rb") as file:
        container = clip_format(file.read(4096))
    assert container, path
    return Clip(lambda: path.open("rb"), container, limits=ClipLimits())


# -- the reference ------------------------------------------------------------------------------


def dense(path: Path) -> list[Sighting]:
    """Every face in every frame that the detector finds at 1x or 2x, and the gaps filled."""
    clip = opened(path)
    detector = CenterFace(enlarge=False)
    tracker, cuts = Tracker(clip.info.fps), CutDetector()
    for index, frame in enumerate(clip.frames()):
        if cuts.is_cut(frame.luma_sample()):
            tracker.cut()
        # Of the enlarged picture the detector also searches the half: the picture as it is.
        large = np.asarray(cv2.resize(frame.rgb(), None, fx=2, fy=2), np.uint8)
        found = [_halved(face) for face in detector.detect(large) if face.score >= SCORE]
        tracker.see(index, found)
    sightings = []
    for number, track in enumerate(tracker.tracks()):
        whose = str(number), max(detection.score for detection in track.detections)
        at = dict(zip(track.frames, track.detections, strict=True))
        for place in range(track.first, track.last + 1):
            if place in at:
                sightings.append(Sighting(place, at[place].box, *whose, at[place].score))
                continue
            before = max(seen for seen in at if seen < place)
            after = min(seen for seen in at if seen > place)
            score = min(at[before].score, at[after].score)
            sightings.append(Sighting(place, track.box_at(place), *whose, score, seen=False))
    lowest = min(height for height, _, _ in LEVELS)
    return [sighting for sighting in sightings if sighting.box.h >= lowest]


def _halved(face: Detection) -> Detection:
    box = face.box
    return Detection(Box(box.x / 2, box.y / 2, box.w / 2, box.h / 2), face.score)


def remembered(path: Path, folder: Path) -> list[Sighting]:
    """`dense`, kept in a folder: it takes longer than everything else together."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    kept = folder / f"{digest}-reference.json"
    if not kept.exists():
        rows = [
            [s.frame, s.box.x, s.box.y, s.box.w, s.box.h, s.who, s.best, s.score, s.seen]
            for s in dense(path)
        ]
        kept.write_text(json.dumps(rows))
    return [
        Sighting(frame, Box(*box), who, best, score, seen)
        for frame, *box, who, best, score, seen in json.loads(kept.read_text())
    ]


# -- what came out ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A face-frame that is still to be seen.

    Attributes:
        clip: its name.
        sighting: which.
        before, after: the picture around it, in the source and in the output.
    """

    clip: str
    sighting: Sighting
    before: Pixels
    after: Pixels


def outputs(clip: Path, home: Path, folder: Path) -> list[Path]:
    """What each program makes of a clip; kept in a folder."""
    made = []
    for program, prepare in RUNNERS.items():
        target = folder / f"{clip.stem}-{program}.mp4"
        if not target.exists():
            with redirect_stderr(io.StringIO()):  # deface shows how far it is
                prepare(home)(clip, target)
        made.append(target)
    return made


def uncovered(source: Path, output: Path, sightings: Sequence[Sighting]) -> list[Shown]:
    """Those of `sightings` that are still to be seen in the output."""
    by_frame: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        by_frame.setdefault(sighting.frame, []).append(sighting)
    return [
        Shown(source.stem, sighting, _around(before, sighting.box), _around(after, sighting.box))
        for index, (before, after) in enumerate(pairs(source, output))
        for sighting in by_frame.get(index, ())
        if structure_left(before, after, sighting.box) >= COVERED
    ]


def pairs(source: Path, output: Path) -> Iterator[tuple[Pixels, Pixels]]:
    """Each frame of the source and what is shown of it in the output, at the source's size.

    An output with other times was resampled: of the frames nearest in time the one is taken that
    looks most like the source's.
    """
    clip = opened(source)
    with clip.open() as container:
        start = (container.start_time or 0) / av.time_base
    reach = 1.5 / clip.info.fps
    shown = _shown(output)
    window = [next(shown)]
    for frame in clip.frames():
        time = clip.info.seconds(frame.pts) - start
        while window[-1][0] < time + reach and (more := next(shown, None)):
            window.append(more)
        window = [at for at in window if at[0] > time - reach] or window[-1:]
        picture = frame.rgb()
        after = _nearest(window, time, picture)
        if after.shape != picture.shape:
            size = picture.shape[1], picture.shape[0]
            after = np.asarray(cv2.resize(after, size, interpolation=cv2.INTER_AREA), np.uint8)
        yield picture, after


def _shown(path: Path) -> Iterator[tuple[float, Pixels]]:
    """When each frame is shown, from the start of the file, and its picture."""
    with av.open(str(path)) as container:
        start = (container.start_time or 0) / av.time_base
        for frame in container.decode(video=0):
            yield float(frame.time or 0) - start, pixels_of(frame)


def _nearest(window: Sequence[tuple[float, Pixels]], time: float, picture: Pixels) -> Pixels:
    at, nearest = min(window, key=lambda shown: abs(shown[0] - time))
    if abs(at - time) < 0.001:
        return nearest
    small = _small(picture)
    return min((shown for _, shown in window), key=lambda s: np.abs(_small(s) - small).mean())


def _small(picture: Pixels) -> NDArray[np.int16]:
    return cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA).astype(np.int16)


def structure_left(before: Pixels, after: Pixels, box: Box) -> float:
    """How much of a face's structure is still there: 0 nothing, 1 all of it."""
    left, top, right, bottom = _window(before, box, 0.25)
    if right - left < 4 or bottom - top < 4:
        return 0.0
    across = (np.arange(left, right) + 0.5 - box.center[0]) / (box.w / 2)
    down = (np.arange(top, bottom) + 0.5 - box.center[1]) / (box.h / 2)
    inside = across[None] ** 2 + down[:, None] ** 2 <= INSIDE**2
    if not inside.any():
        return 0.0
    one, other = (
        _structure(picture[top:bottom, left:right], box.h)[inside] for picture in (before, after)
    )
    one, other = one - one.mean(), other - other.mean()
    return float(np.dot(one, other) / max(np.dot(one, one), BLACK**2 * one.size))


def _structure(picture: Pixels, height: float) -> NDArray[np.float32]:
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(gray, (0, 0), max(height / 32, 0.5))
    return np.asarray(fine - cv2.GaussianBlur(gray, (0, 0), height / 8), np.float32)


def _window(picture: Pixels, box: Box, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box with a margin (as a share of it), in the picture."""
    height, width = picture.shape[:2]
    return (
        max(int(box.x - margin * box.w), 0),
        max(int(box.y - margin * box.h), 0),
        min(int(box.right + margin * box.w) + 1, width),
        min(int(box.bottom + margin * box.h) + 1, height),
    )


def _around(picture: Pixels, box: Box) -> Pixels:
    """The surroundings of a face, with the face framed."""
    picture = picture.copy()
    x, y = int(box.x), int(box.y)
    cv2.rectangle(picture, (x, y), (int(box.right), int(box.bottom)), (255, 220, 0), 1)
    left, top, right, bottom = _window(picture, box, 1.0)
    return picture[top:bottom, left:right]


def contact_sheet(path: Path, shown: Sequence[Shown]) -> None:
    """All face-frames that are still to be seen: the source beside the output."""
    rows = -(-len(shown) // COLUMNS)
    cell = 2 * TILE + 8, TILE + 20
    sheet = Image.new("RGB", (COLUMNS * cell[0], max(rows, 1) * cell[1]), "white")
    draw = ImageDraw.Draw(sheet)
    for number, face in enumerate(shown):
        x, y = number % COLUMNS * cell[0], number // COLUMNS * cell[1]
        for side, crop in enumerate((face.before, face.after)):
            tile = Image.fromarray(crop)
            scale = TILE / max(tile.size)
            tile = tile.resize((round(tile.width * scale), round(tile.height * scale)))
            sheet.paste(tile, (x + side * TILE, y))
        sighting = face.sighting
        text = f"{face.clip} {sighting.frame}: {sighting.who}, {sighting.box.h:.0f} px"
        text += f", {sighting.score:.2f}" if sighting.seen else f", ({sighting.score:.2f})"
        draw.text((x + 2, y + TILE + 3), text, fill="black")
    sheet.save(path)


# -- clips of the world ---------------------------------------------------------------------------


def print_found(clips: Sequence[Path], home: Path, folder: Path) -> list[Shown]:
    """The table for clips of which only is known what a detector finds; what mediaguard leaves."""
    programs = " | ".join(f"{program} leaves" for program in RUNNERS)
    print(
        "| clip | height | score | best of track | face-frames | of these between sightings |",
        end="",
    )
    print(f" {programs} |")
    print("|---" * (6 + len(RUNNERS)) + "|")
    leaks = []
    for clip in clips:
        sightings = remembered(clip, folder)
        left = [uncovered(clip, output, sightings) for output in outputs(clip, home, folder)]
        for height, score, best in LEVELS:
            counted = [
                s for s in sightings if s.box.h >= height and s.score >= score and s.best >= best
            ]
            cells = [str(len(counted)), str(sum(not s.seen for s in counted))]
            for shown in left:
                tracks = [f.sighting.who for f in shown if f.sighting in counted]
                cells.append(f"{len(tracks)} (in {len(set(tracks))} tracks)")
            print(
                f"| {clip.name} | {height} | {score} | {best} | {' | '.join(cells)} |", flush=True
            )
        leaks += left[0]
    return leaks


# -- clips of the sample school -------------------------------------------------------------------


def print_known(home: Path, folder: Path) -> list[Shown]:
    """The tables for clips of which it is known who is where; hidden faces that are to be seen."""
    app = sample_school(home)
    clips = resource("sample_media", "clips")
    truth = json.loads((clips / "ground_truth.json").read_text())["clips"]
    subjects = {
        who: person["subject"] or "" for clip in truth for who, person in clip["people"].items()
    }
    rulings = app.book(CHANNEL).rulings(set(subjects.values()) - {""})
    consenting = {who for who, s in subjects.items() if s in rulings and rulings[s].allowed}
    recognisable = app.gallery_index().subjects
    to_hide = [
        "| clip | to be hidden | face-frames | "
        + " | ".join(f"{program} leaves" for program in RUNNERS)
        + " |",
        "|---" * 5 + "|",
    ]
    to_show = ["| clip | may be seen | face-frames | covered | of these near a hidden face |"]
    to_show.append("|---" * 5 + "|")
    leaks = []
    for clip in truth:
        source = clips / clip["file"]
        everything, clear = _known(clip, share=0.0), _known(clip, share=SHARE)
        hidden = [s for s in everything if s.who not in consenting]
        try:
            made = outputs(source, home, folder)
        except HeldError as error:
            to_hide.append(f"| {clip['file']} | held: {error} | | | |")
            continue
        left = [uncovered(source, output, clear) for output in made]
        for who in sorted({s.who for s in clear}):
            counted = [s for s in clear if s.who == who]
            seen = [{f.sighting for f in shown if f.sighting.who == who} for shown in left]
            if who not in consenting:
                numbers = " | ".join(str(len(faces)) for faces in seen)
                to_hide.append(f"| {clip['file']} | {who} | {len(counted)} | {numbers} |")
                leaks += [f for f in left[0] if f.sighting.who == who]
                continue
            covered = [s for s in counted if s not in seen[0]]
            near = sum(any(_near(s, other) for other in hidden) for s in covered)
            name = who if subjects[who] in recognisable else f"{who} (not recognised: no opt-in)"
            to_show.append(
                f"| {clip['file']} | {name} | {len(counted)} | {len(covered)} | {near} |"
            )
    print("\n".join([*to_hide, "", *to_show]))
    return leaks


def _known(clip: Mapping[str, Any], *, share: float) -> list[Sighting]:
    """The face-frames of a clip of which so much is in sight; with any share, turned away too."""
    return [
        Sighting(frame, Box(*box), who)
        for who, rows in clip["faces"].items()
        for frame, *box, visible, in_sight in rows
        if in_sight >= share and (not share or (visible in TURNED and box[3] >= HEIGHT))
    ]


def _near(one: Sighting, other: Sighting) -> bool:
    """Whether two boxes are less than a face height apart."""
    if one.frame != other.frame:
        return False
    a, b = one.box, other.box
    across = max(a.x, b.x) - min(a.right, b.right)
    down = max(a.y, b.y) - min(a.bottom, b.bottom)
    return max(across, down) < max(a.h, b.h)


def main() -> None:
    """Handle the clips with both programs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*", metavar="CLIP")
    parser.add_argument("--sample", action="store_true", help="the clips of the sample school")
    parser.add_argument("--contact-sheet", type=Path, metavar="FILE")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of outputs and references")
    arguments = parser.parse_args()
    print(describe())
    leaks = []
    with ExitStack() as cleanup:
        scratch = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        folder = arguments.keep or scratch
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.clips:
            App(scratch / "home").create()
            leaks += print_found(arguments.clips, scratch / "home", folder)
        if arguments.sample:
            leaks += print_known(scratch / "school", folder)
    if arguments.contact_sheet:
        contact_sheet(arguments.contact_sheet, leaks)


if __name__ == "__main__":
    main()
