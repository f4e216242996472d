"""How often a stranger is taken for somebody, and how often somebody is not recognised.

    python -m benchmarks.recognition ../shared/data/lfw [--crowd ../shared/data/wider]
        [--write benchmarks/RESULTS-vision.md]

Half of the people with four or five photos are enrolled with three; their other photos are
probes. Everybody else is a stranger. FPIR: share of strangers' faces that got a name. FNIR: share
of enrolled people's faces that did not get theirs. "wrong": enrolled people's faces that got
another's name. References and people are drawn anew in every repetition. The faces of the folder
`--crowd` that are large and clear enough to be searched are further strangers.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import describe
from benchmarks.results import section
from mediaguard.core.matching import GalleryIndex, MatchPolicy, identify
from mediaguard.vision.centerface import CenterFace
from mediaguard.vision.dlib_faces import DIMENSIONS, DlibEmbedder

REFERENCES = 3
GALLERIES = (5, 10, 20, 40, 70)
DEFAULT = MatchPolicy()
POLICIES = [
    MatchPolicy(0.40),
    DEFAULT,
    MatchPolicy(0.43),
    MatchPolicy(0.45),
    MatchPolicy(0.48),
    MatchPolicy(margin=0.0),
    MatchPolicy(margin=0.1),
    MatchPolicy(growth=0.0),
]
MIN_HEIGHT, MIN_SCORE = 40, 0.6  # of a face that is searched at all


def embeddings(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Person → one row per photo whose middle holds a face (LFW is centred)."""
    detector, embedder = CenterFace(), DlibEmbedder()
    people = {}
    for person in sorted(folder.iterdir()):
        rows = []
        for path in sorted(person.glob("*.jpg")):
            image = np.asarray(Image.open(path).convert("RGB"))
            middle = (image.shape[1] / 2, image.shape[0] / 2)
            faces = [
                face
                for face in detector.detect(image)
                if face.box.x < middle[0] < face.box.right
                and face.box.y < middle[1] < face.box.bottom
            ]
            if faces:
                rows.append(embedder.embed(image, faces[:1])[0])
        if rows:
            people[person.name] = np.array(rows)
    return people


Draw = tuple[GalleryIndex, list[tuple[str, NDArray[np.float32]]], NDArray[np.float32]]


def splits(people: dict[str, NDArray[np.float32]], repeats: int, enrolled: int) -> Iterator[Draw]:
    """Gallery, probes of the enrolled with their names, probes of strangers."""
    rng = np.random.default_rng(1)
    several = [name for name, rows in people.items() if len(rows) > REFERENCES]
    for _ in range(repeats):
        order = list(rng.permutation(several))
        known = order[:enrolled]
        pairs, probes = [], []
        for name in known:
            rows = rng.permutation(people[name])
            pairs += [(name, row) for row in rows[:REFERENCES]]
            probes += [(name, row) for row in rows[REFERENCES:]]
        strangers = [people[name] for name in people if name not in known]
        yield GalleryIndex.build(pairs), probes, np.concatenate(strangers)


def crowd_faces(folder: Path) -> NDArray[np.float32]:
    """The faces of other photos that would be searched."""
    detector, embedder = CenterFace(), DlibEmbedder()
    rows = []
    for path in sorted(folder.glob("*.jpg")):
        image = np.asarray(Image.open(path).convert("RGB"))
        faces = detector.detect(image)
        faces = [f for f in faces if f.box.h >= MIN_HEIGHT and f.score >= MIN_SCORE]
        rows.append(embedder.embed(image, faces))
    return np.concatenate(rows)


def names(probes: NDArray[np.float32], gallery: GalleryIndex, policy: MatchPolicy) -> list[str]:
    """Each probe's answer as in a picture of its own; empty for nobody."""
    return [identify(row[None], gallery, policy)[0].subject_id or "" for row in probes]


def row(drawn: list[Draw], crowd: NDArray[np.float32], policy: MatchPolicy) -> str:
    """A line of the table."""
    missed = wrong = probes = named = strangers = crowd_named = 0
    for gallery, known, unknown in drawn:
        answers = names(np.array([vector for _, vector in known]), gallery, policy)
        for (name, _), answer in zip(known, answers, strict=True):
            missed += answer != name
            wrong += answer not in (name, "")
        probes += len(known)
        strangers += len(unknown)
        named += sum(map(bool, names(unknown, gallery, policy)))
        crowd_named += sum(map(bool, names(crowd, gallery, policy)))
    enrolled = len(drawn[0][0].subjects)
    mark = " (default)" if policy == DEFAULT else ""
    return (
        f"| {enrolled} | {policy.threshold:.2f}{mark} | {policy.margin:.2f} | {policy.growth:.2f} |"
        f" {policy.threshold_for(enrolled):.3f} | {missed / probes:.1%} | {wrong} of {probes} |"
        f" {named} of {strangers} | {crowd_named} of {len(crowd) * len(drawn)} |"
    )


def main() -> None:
    """Print the tables; write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crowd", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--write", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    start = time.process_time()
    people = embeddings(arguments.folder)
    faces = sum(map(len, people.values()))
    each = 1000 * (time.process_time() - start) / faces
    crowd = np.empty((0, DIMENSIONS), np.float32)
    if arguments.crowd:
        crowd = crowd_faces(arguments.crowd)
    lines = [
        describe(),
        f"{len(people)} people, {faces} faces, {REFERENCES} references each,"
        f" {arguments.repeats} random draws, {len(crowd)} faces in crowds,"
        f" {each:.0f} CPU ms to find and embed a face.",
        "",
        "| enrolled | threshold | margin | growth | in force | FNIR | wrong | strangers named |"
        " crowd named |",
        "|---" * 9 + "|",
    ]
    for enrolled in GALLERIES:
        drawn = list(splits(people, arguments.repeats, enrolled))
        policies = POLICIES if enrolled == 40 else [DEFAULT]
        lines += [row(drawn, crowd, policy) for policy in policies]
    section(arguments.write, "Recognition", lines)


if __name__ == "__main__":
    main()
