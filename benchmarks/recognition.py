"""How often a stranger is taken for somebody, and how often somebody is not recognised.

    python -m benchmarks.recognition ../shared/data/lfw

Half of the people with four or five photos are enrolled with three; their other photos are
probes. Everybody else is a stranger. FPIR: share of strangers' faces that got a name. FNIR: share
of enrolled people's faces that did not get theirs. "wrong": enrolled people's faces that got
another's name. Repeated over random halves.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import describe
from mediaguard.core.matching import GalleryIndex, MatchPolicy, identify
from mediaguard.vision.centerface import CenterFace
from mediaguard.vision.dlib_faces import DlibEmbedder

REFERENCES = 3
POLICIES = [
    MatchPolicy(threshold, margin, growth)
    for growth in (0.0, 0.02)
    for margin in (0.0, 0.05, 0.08)
    for threshold in (0.40, 0.43, 0.45, 0.48, 0.50)
]


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


def splits(
    people: dict[str, NDArray[np.float32]], repeats: int, enrolled: int
) -> Iterator[tuple[GalleryIndex, list[tuple[str, NDArray[np.float32]]], NDArray[np.float32]]]:
    """Gallery, probes of the enrolled with their names, probes of strangers."""
    rng = np.random.default_rng(1)
    several = [name for name, rows in people.items() if len(rows) > REFERENCES]
    for _ in range(repeats):
        order = list(rng.permutation(several))
        known = order[:enrolled]
        pairs = [(name, row) for name in known for row in people[name][:REFERENCES]]
        probes = [(name, row) for name in known for row in people[name][REFERENCES:]]
        strangers = [people[name] for name in people if name not in known]
        yield GalleryIndex.build(pairs), probes, np.concatenate(strangers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    people = embeddings(arguments.folder)
    print(describe())
    faces = sum(map(len, people.values()))
    print(f"{len(people)} people, {faces} faces, {arguments.repeats} random halves\n")
    print("| enrolled | threshold | margin | growth | FNIR | wrong | FPIR | strangers named |")
    print("|---|---|---|---|---|---|---|---|")
    for enrolled in (10, 40):
        drawn = list(splits(people, arguments.repeats, enrolled))
        for policy in POLICIES:
            missed = wrong = named = probes = strangers = 0
            for gallery, known, unknown in drawn:
                for name, row in known:
                    answer = identify(row[None], gallery, policy)[0].subject_id
                    probes += 1
                    missed += answer != name
                    wrong += answer not in (name, None)
                strangers += len(unknown)
                named += sum(
                    identify(row[None], gallery, policy)[0].subject_id is not None
                    for row in unknown
                )
            print(
                f"| {enrolled} | {policy.threshold:.2f} | {policy.margin:.2f} | {policy.growth} |"
                f" {missed / probes:.1%} | {wrong / probes:.2%} | {named / strangers:.2%} |"
                f" {named} of {strangers} |"
            )


if __name__ == "__main__":
    main()
