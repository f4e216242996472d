"""A world in which faces are coloured squares, so that the steps around vision can be tested.

Everything but looking is real: database, vault, keys, decoding, redaction, encoding,
verification, folders. A square's colour is the person; gray is background.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from mediaguard.app import App
from mediaguard.config import FILE_NAME
from mediaguard.core.consent import MATCHING
from mediaguard.core.faces import Box, Detection, Image, Quality
from mediaguard.published import Published
from mediaguard.resources import resource
from mediaguard.store.keys import Keyring
from mediaguard.store.ledger import Ledger

COLOURS = {"S-1": (220, 30, 30), "S-2": (30, 200, 30), "S-3": (40, 40, 220), "X": (220, 200, 20)}
CHANNEL = "website-public"


class SquareDetector:
    """Finds coloured squares; `on_look` is called at each look, to let something happen then."""

    name = "squares"

    def __init__(self) -> None:
        self.looks = 0
        self.on_look: Callable[[int], None] = lambda _: None
        self.extra: Sequence[Detection] = ()

    def detect(self, image: Image) -> list[Detection]:
        self.looks += 1
        self.on_look(self.looks)
        colourful = (image.max(axis=2).astype(int) - image.min(axis=2) > 100).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(colourful)
        found = [
            Detection(Box(float(x), float(y), float(w), float(h)), 0.95, _points(x, y, w, h))
            for x, y, w, h, area in stats[1:]
            if area > 400
        ]
        return [*found, *self.extra]


def _points(x: float, y: float, w: float, h: float) -> tuple[tuple[float, float], ...]:
    """Eyes, nose and mouth corners of somebody who looks at the camera."""
    places = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    return tuple((x + w * across, y + h * down) for across, down in places)


class ColourEmbedder:
    """The middle pixel's colour is the person."""

    name = "colours"

    def embed(self, image: Image, detections: Sequence[Detection]) -> NDArray[np.float32]:
        rows = []
        for detection in detections:
            x, y = detection.box.center
            rows.append(image[int(y), int(x)] / np.float32(255))
        return np.array(rows, np.float32).reshape(len(detections), 3)


class World(App):
    """A home whose eyes are the two classes above."""

    detector = verifier = clip_detector = clip_verifier = SquareDetector()
    embedder = ColourEmbedder()

    def publications(self, **which) -> list[dict]:
        return [publication.as_json() for publication in Published(self).publications(**which)]


def make_world(folder: Path, database: str | None = None) -> World:
    """A home with three subjects, who are enrolled and agreed to the public website."""
    world = World(folder / "home")
    world.detector, world.embedder = SquareDetector(), ColourEmbedder()
    world.verifier = world.clip_detector = world.clip_verifier = world.detector
    if database is not None:
        template = resource("config", FILE_NAME).read_text()
        world.home.mkdir(parents=True)
        (world.home / FILE_NAME).write_text(f'database = "{database}"\n{template}')
        Keyring.create(world.home / "keys" / "master.key")
    world.create()
    for subject in ("S-1", "S-2", "S-3"):
        with world.database.write() as session:
            Ledger(session).add_subject(subject, at=world.now())
        grant(world, subject, MATCHING)
        grant(world, subject, CHANNEL)
        colour = np.array(COLOURS[subject], np.float32) / 255
        with world.database.write() as session:
            world.gallery(session).enrol(
                subject,
                model="colours",
                embedding=colour,
                quality=Quality(100, 100, 1),
                source_digest=subject,
                at=world.now(),
            )
    return world


def grant(world: App, subject: str, channel: str) -> None:
    world.desk.grant(subject, channel, signatory="guardian", evidence="FORM-1")


def picture(path: Path, *people: str, seed: int = 0) -> Path:
    """A photo with a square per person."""
    rng = np.random.default_rng(seed)
    pixels = np.full((400, 300 * max(len(people), 1), 3), 128, np.uint8)
    pixels += rng.integers(0, 4, pixels.shape, dtype=np.uint8)
    for number, person in enumerate(people):
        square = pixels[160:260, 300 * number + 110 : 300 * number + 190]
        square[:] = COLOURS[person]
        # Stripes, or the face would count as blurred; none in the middle, where people are told
        # apart.
        for row in (*range(4, 40, 8), *range(64, 96, 8)):
            square[row : row + 4] = square[row : row + 4] * 0.72
    Pil.fromarray(pixels).save(path, quality=95)
    return path


def people_in(path: Path) -> set[str]:
    """Who can be seen in a finished picture."""
    image = np.asarray(Pil.open(path).convert("RGB"))
    seen = set()
    for detection in SquareDetector().detect(image):
        colour = ColourEmbedder().embed(image, [detection])[0] * 255
        seen.add(min(COLOURS, key=lambda name: float(np.abs(colour - COLOURS[name]).sum())))
    return seen


def run(world: World, path: Path, channel: str = CHANNEL):
    return world.pipeline(channel).process(path, vault=world.vault, channel=world.channel(channel))
