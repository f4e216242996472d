"""Photos per second and peak memory, beside `deface` on the same files in the same run.

    python -m benchmarks.throughput [--repeat 3]

Photos of 1, 5, 12 and 48 megapixels with 1, 10 and 30 rendered faces are composed from the
sample school. Each program handles each photo in a process of its own, a warm-up photo first, so
that loading models is not counted; memory is the peak of that process. mediaguard finds, decides
(three subjects in the gallery), redacts, encodes, reopens and verifies, and also publishes into
a folder channel; deface finds, blurs and encodes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.machine import describe
from mediaguard.core.consent import MATCHING, Kind
from mediaguard.resources import resource as packaged

SIZES = {1: (1155, 866), 5: (2582, 1936), 12: (4000, 3000), 48: (8000, 6000)}
FACES = (1, 10, 30)
SUBJECTS = 3
CHANNEL = "website-public"


def compose(path: Path, size: tuple[int, int], faces: int) -> None:
    """A picture of `size` with `faces` portraits of the sample school on a textured ground."""
    rng = np.random.default_rng(faces)
    noise = rng.integers(90, 150, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    portraits = sorted(packaged("sample_media", "references").glob("*/*.jpg"))
    columns = 1 if faces == 1 else 6 if faces == 30 else 5
    rows = -(-faces // columns)
    cell = min(size[0] // columns, size[1] // rows)
    side = max(min(int(cell * 0.9), size[1] // 3), 48)
    for number in range(faces):
        portrait = Image.open(portraits[number * 7 % len(portraits)]).convert("RGB")
        portrait = portrait.resize((side, side))
        x = (number % columns) * (size[0] // columns) + (size[0] // columns - side) // 2
        y = (number // columns) * (size[1] // rows) + (size[1] // rows - side) // 2
        picture.paste(portrait, (x, y))
    picture.save(path, quality=92)


def mediaguard_runner(folder: Path) -> Callable[[Path], object]:
    """Process a photo completely with mediaguard at its defaults."""
    from mediaguard.app import App

    app = App(folder / "home")
    app.create()
    references = packaged("sample_media", "references")
    for subject in sorted(path.name for path in references.iterdir() if path.is_dir())[:SUBJECTS]:
        app.desk.add_subject(subject, kind=Kind.STUDENT, groups=(), born=None)
        for consent in (MATCHING, CHANNEL):
            app.desk.grant(subject, consent, signatory="guardian", evidence="benchmark")
        app.enrol(subject, sorted((references / subject).glob("*.jpg")))
    pipeline = app.pipeline(CHANNEL)
    channel = app.channel(CHANNEL)

    def run(path: Path) -> object:
        report = pipeline.process(path, vault=app.vault, channel=channel)
        assert report.verified, report.reason
        return report

    return run


def deface_runner(folder: Path) -> Callable[[Path], object]:
    """Anonymise a photo with deface at its defaults, through its own function."""
    from deface.centerface import CenterFace
    from deface.deface import image_detect

    detector = CenterFace(in_shape=None, backend="auto")

    def run(path: Path) -> object:
        return image_detect(
            ipath=str(path),
            opath=str(folder / f"out-{path.name}"),
            centerface=detector,
            threshold=0.2,
            replacewith="blur",
            mask_scale=1.3,
            ellipse=True,
            draw_scores=False,
            enable_preview=False,
            keep_metadata=False,
            replaceimg=None,
            mosaicsize=20,
        )

    return run


RUNNERS = {"mediaguard": mediaguard_runner, "deface": deface_runner}


def worker(program: str, photo: Path, warm_up: Path, repeat: int) -> None:
    """Handle `photo` and print seconds per photo and the peak memory as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        run = RUNNERS[program](Path(folder))
        run(warm_up)
        seconds = []
        for _ in range(repeat):
            start = time.perf_counter()
            run(photo)
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(seconds), "peak_mib": peak}))


def measure(program: str, photo: Path, warm_up: Path, repeat: int) -> dict[str, float]:
    """Run `worker` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.throughput", "--worker", program]
    command += [str(photo), str(warm_up), "--repeat", str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise RuntimeError(f"{program} failed on {photo.name}:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Compose the photos, measure both programs on each, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--worker", nargs=3, metavar=("PROGRAM", "PHOTO", "WARM_UP"))
    arguments = parser.parse_args()
    if arguments.worker:
        program, photo, warm_up = arguments.worker
        worker(program, Path(photo), Path(warm_up), arguments.repeat)
        return
    print(describe())
    print("| photo | faces | mediaguard photos/s | deface photos/s | time ratio |", end="")
    print(" mediaguard MiB | deface MiB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        warm_up = Path(folder) / "warm-up.jpg"
        compose(warm_up, SIZES[1], 1)
        for megapixels, size in SIZES.items():
            for faces in FACES:
                photo = Path(folder) / f"{megapixels}mp-{faces}.jpg"
                compose(photo, size, faces)
                ours, theirs = (
                    measure(program, photo, warm_up, arguments.repeat) for program in RUNNERS
                )
                print(
                    f"| {megapixels} MP | {faces} | {1 / ours['seconds']:.2f} |"
                    f" {1 / theirs['seconds']:.2f} | {ours['seconds'] / theirs['seconds']:.1f} |"
                    f" {ours['peak_mib']:.0f} | {theirs['peak_mib']:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
