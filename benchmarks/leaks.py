"""Leak rate and over-redaction rate of the whole program at its defaults, on real portraits.

    python -m benchmarks.leaks ../shared/data/lfw

People with four or five photos are enrolled with three references each; half of them consent, half
refuse. Their other photos, and those of people in nobody's records, are checked. A *leak* is a
face in the middle of a photo (LFW is centred), 24 pixels or higher, that should have been redacted
and is not: kept under a wrong name, or not found at all. *Over-redaction* is a consenting person's
face of at least 60 pixels that is not kept.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from PIL import Image

from benchmarks.machine import describe
from mediaguard.app import App
from mediaguard.core.consent import MATCHING, Kind
from mediaguard.core.decision import Action, FaceDecision
from mediaguard.core.media import ItemReport

CHANNEL = "website-public"
REFERENCES = 3
LEAK_FROM, SHOWN_FROM = 24, 60


def enrol(app: App, folder: Path, scratch: Path) -> tuple[set[str], set[str]]:
    """Fill the gallery; returns who consents, with all references accepted, and who refuses."""
    several = [p for p in sorted(folder.iterdir()) if len(list(p.glob("*.jpg"))) > REFERENCES]
    consenting, refusing = set(), set()
    for number, person in enumerate(several):
        app.desk.add_subject(person.name, kind=Kind.STUDENT, groups=(), born=None)
        paper = {"signatory": "guardian", "evidence": "benchmark"}
        app.desk.grant(person.name, MATCHING, **paper)
        if number % 2:
            app.desk.refuse(person.name, CHANNEL, **paper)
        else:
            app.desk.grant(person.name, CHANNEL, **paper)
        photos = [cropped(path, scratch) for path in sorted(person.glob("*.jpg"))[:REFERENCES]]
        refused = [made for made in app.enrol(person.name, photos) if made.refused]
        if number % 2:
            refusing.add(person.name)
        elif not refused:
            consenting.add(person.name)
    return consenting, refusing


def cropped(path: Path, scratch: Path) -> Path:
    """The middle of a photo, without bystanders: a reference must show exactly one person."""
    picture = Image.open(path)
    width, height = picture.size
    target = scratch / path.name
    picture.crop((width // 6, height // 8, width * 5 // 6, height * 7 // 8)).save(
        target, quality=95
    )
    return target


def central(report: ItemReport) -> FaceDecision | None:
    """The ruling on the face in the middle of the photo, None if it was not found."""
    assert report.size is not None, report.reason
    x, y = report.size[0] / 2, report.size[1] / 2
    for face in report.faces:
        box = face.face.detection.box
        if box.x < x < box.right and box.y < y < box.bottom:
            return face
    return None


def main() -> None:
    """Check every photo that is no reference and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as home:
        app = App(Path(home))
        app.create()
        scratch = Path(home) / "cropped"
        scratch.mkdir()
        consenting, refusing = enrol(app, arguments.folder, scratch)
        pipeline = app.pipeline(CHANNEL)
        for person in sorted(arguments.folder.iterdir()):
            photos = sorted(person.glob("*.jpg"))
            for path in photos[REFERENCES if len(photos) > REFERENCES else 0 :]:
                face = central(pipeline.check(path))
                kept = face is not None and face.action is Action.KEEP
                height = face.face.detection.box.h if face else 0.0
                if person.name in consenting:
                    if height >= SHOWN_FROM or face is None:
                        counts["to keep"] += 1
                        counts["over-redacted"] += not kept
                elif len(photos) <= REFERENCES or person.name in refusing:
                    counts["to redact"] += 1
                    if face is None:
                        counts["leak: not found"] += 1
                    elif kept and height >= LEAK_FROM:
                        counts["leak: wrong name"] += 1
                        print("leak:", path.name, face.face.match)
    leaks = counts["leak: not found"] + counts["leak: wrong name"]
    print(describe())
    print("| | faces | count | rate |")
    print("|---|---|---|---|")
    print(
        f"| leaks (of these not found: {counts['leak: not found']}) | {counts['to redact']} |"
        f" {leaks} | {leaks / counts['to redact']:.2%} |"
    )
    print(
        f"| over-redacted (consenting, three references, 60 pixels) | {counts['to keep']} |"
        f" {counts['over-redacted']} | {counts['over-redacted'] / counts['to keep']:.1%} |"
    )


if __name__ == "__main__":
    main()
