"""Clips for the world of coloured squares: who is where is told by a function of time."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.pipeline.world import COLOURS

SIZE = WIDTH, HEIGHT = 320, 192
FPS = 25
SIDE = 48
Place = tuple[int, int] | None
"""Left and top of a square; None where it is not in the picture."""
Script = Mapping[str, Callable[[int], Place]]


def standing(x: int, y: int = 60) -> Callable[[int], Place]:
    return lambda _: (x, y)


def walking(start: int, step: int, y: int = 60) -> Callable[[int], Place]:
    return lambda frame: (start + step * frame, y)


def during(first: int, last: int, where: Callable[[int], Place]) -> Callable[[int], Place]:
    return lambda frame: where(frame) if first <= frame <= last else None


def square(person: str) -> NDArray[np.uint8]:
    """A face: striped, or it would count as blurred; plain in the middle, where the colour is."""
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:] = COLOURS[person]
    for row in (*range(2, 16, 8), *range(34, 48, 8)):
        pixels[row : row + 4] = pixels[row : row + 4] * 0.72
    return pixels


def ground() -> NDArray[np.uint8]:
    rng = np.random.default_rng(5)
    return np.full((HEIGHT, WIDTH, 3), 128, np.uint8) + rng.integers(
        0, 4, (HEIGHT, WIDTH, 3), dtype=np.uint8
    )


def film(
    path: Path,
    script: Script,
    *,
    frames: int = 40,
    sound: bool = True,
    cut: int | None = None,
    seed: int = 0,
) -> Path:
    """Write a clip; later people in `script` stand in front. At `cut` it is another room."""
    base = ground() + seed
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rooms = [(base + 50 * (part // 40 % 2)[..., None]).astype(np.uint8) for part in (x, y)]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "8", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        tone = container.add_stream("aac", rate=44_100) if sound else None
        for index in range(frames):
            pixels = base.copy() if cut is None else rooms[int(index >= cut)].copy()
            for person, where in script.items():
                draw(pixels, person, where(index))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            samples = np.arange(44_100 * frames // FPS)
            wave = (8000 * np.sin(samples * (2 * np.pi * 440 / 44_100))).astype(np.int16)
            audio = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            audio.sample_rate, audio.pts, audio.time_base = 44_100, 0, Fraction(1, 44_100)
            container.mux(tone.encode(audio))
            container.mux(tone.encode(None))
    return path


def draw(pixels: NDArray[np.uint8], person: str, place: Place) -> None:
    if place is None:
        return
    x, y = place
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + SIDE, WIDTH), min(y + SIDE, HEIGHT)
    if left < right and top < bottom:
        pixels[top:bottom, left:right] = square(person)[top - y : bottom - y, left - x : right - x]


def shown(path: Path | str, script: Script) -> dict[str, list[int]]:
    """In which frames of a finished clip the middle of each person's square can be seen."""
    seen: dict[str, list[int]] = {person: [] for person in script}
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            pixels = frame.to_ndarray(format="rgb24").astype(int)
            for person, where in script.items():
                place = where(index)
                if place is None:
                    continue
                x, y = place[0] + SIDE // 2, place[1] + SIDE // 2
                if 0 <= x < WIDTH and 0 <= y < HEIGHT:
                    patch = pixels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].reshape(-1, 3)
                    if np.abs(patch.mean(axis=0) - COLOURS[person]).max() < 40:
                        seen[person].append(index)
    return seen


def times(path: Path | str, kind: str = "video") -> list[Fraction]:
    """When each packet of a stream is shown or heard, in seconds."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return sorted(p.pts * p.time_base for p in container.demux(stream) if p.pts is not None)
