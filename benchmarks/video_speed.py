"""CPU time and memory for clips, beside `deface` on the same clips in the same run.

    python -m benchmarks.video_speed CLIP...
    python -m benchmarks.video_speed --memory CLIP

Each program handles each clip in a process of its own; loading it is not counted. mediaguard finds,
follows, decides (three subjects in the gallery), redacts, encodes, decodes again and verifies, as
`process --out` does; deface finds, blurs and encodes, at the defaults of its command, with
`--keep-audio`. deface decodes and encodes in ffmpeg processes of its own: they are counted.

With `--memory`: how mediaguard's memory grows with a clip's length. CLIP is repeated, packet for
packet, to several lengths, as it is and enlarged to 3840 x 2160.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.machine import describe
from benchmarks.throughput import CHANNEL, mediaguard_runner
from mediaguard.app import App

LENGTHS = (10, 60, 600)  # seconds
LARGE, LARGE_SECONDS, LARGE_LENGTHS = (3840, 2160), 4, (4, 20)
"""The enlarged clip is made of the first seconds of the other."""
POLL_SECONDS = 0.2
MOMENTS = 8  # at which memory is printed

Run = Callable[[Path, Path], None]
"""From a clip to a file that does not exist yet."""


class HeldError(Exception):
    """Mediaguard did not let the clip go out."""


def mediaguard(home: Path) -> Run:
    """Write a clip's rendition with mediaguard at the defaults of a home."""
    pipeline = App(home).pipeline(CHANNEL)

    def run(clip: Path, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            report = pipeline.export(clip, Path(folder))
            if report.rendition is None:
                raise HeldError(report.reason, report.params)
            Path(report.rendition).replace(target)

    return run


def deface(_: Path) -> Run:
    """Anonymise a clip with deface at the defaults of its command, through its own function."""
    from deface.centerface import CenterFace
    from deface.deface import video_detect

    detector = CenterFace(in_shape=None, backend="auto")

    def run(clip: Path, target: Path) -> None:
        video_detect(
            ipath=str(clip),
            opath=str(target),
            centerface=detector,
            threshold=0.2,
            enable_preview=False,
            cam=False,
            nested=False,
            replacewith="blur",
            mask_scale=1.3,
            ellipse=True,
            draw_scores=False,
            ffmpeg_config={"codec": "libx264"},
            keep_audio=True,
        )

    return run


RUNNERS: dict[str, Callable[[Path], Run]] = {"mediaguard": mediaguard, "deface": deface}


def worker(program: str, home: Path, clip: Path, target: Path) -> None:
    """Handle `clip` and print what it took as JSON."""
    run = RUNNERS[program](home)
    before, start = os.times(), time.perf_counter()
    run(clip, target)
    wall, after = time.perf_counter() - start, os.times()
    own = after.user + after.system - before.user - before.system
    children = sum(after[2:4]) - sum(before[2:4])
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"cpu": own + children, "wall": wall, "peak": peak}))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a program took for a clip.

    Attributes:
        cpu: seconds of processor time, with that of its child processes.
        wall: seconds.
        peak: MiB of memory of the process itself.
        children: MiB, at most, of its child processes together.
        memory: seconds since the start and MiB of the process, every so often.
    """

    cpu: float
    wall: float
    peak: float
    children: float
    memory: list[tuple[float, float]]


def measure(program: str, home: Path, clip: Path, target: Path) -> Taken:
    """Run `worker` in a process of its own and watch its memory."""
    command = [sys.executable, "-m", "benchmarks.video_speed", "--worker", program]
    command += [str(path) for path in (home, clip, target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output: list[str] = []
    reader = threading.Thread(target=lambda: output.extend(process.communicate()))
    reader.start()
    start, children, before, memory = time.perf_counter(), 0.0, 0.0, []
    while reader.is_alive():
        resident = _resident(process.pid)
        memory.append((time.perf_counter() - start, resident.pop(process.pid, 0.0)))
        # A child that is just starting still shares its parent's memory: it counts the second time.
        children = max(children, min(before, sum(resident.values())))
        before = sum(resident.values())
        reader.join(POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{program} failed on {clip.name}:\n{output[1]}")
    taken = json.loads(output[0].splitlines()[-1])
    return Taken(**taken, children=children, memory=[(t, mib) for t, mib in memory if mib])


def _resident(root: int) -> dict[int, float]:
    """MiB of a process and all of its descendants, by process id."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            parents[int(folder.name)], pages[int(folder.name)] = int(fields[1]), int(fields[21])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    size = os.sysconf("SC_PAGE_SIZE") / 2**20
    return {pid: pages[pid] * size for pid in family if pid in pages}


def frames_in(clip: Path) -> int:
    """How many frames a clip has."""
    with av.open(str(clip)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def looped(source: Path, target: Path, seconds: float) -> None:
    """Repeat a clip until it is so long; packets are copied, only their times are shifted."""
    with av.open(str(target), "w", format="mp4") as output:
        streams: dict[int, Any] = {}
        last: dict[int, int] = {}
        length = offset = Fraction(0)
        while offset < seconds:
            with av.open(str(source)) as container:
                chosen = [*container.streams.video[:1], *container.streams.audio[:1]]
                video = chosen[0]
                for stream in chosen:
                    if stream.index not in streams:
                        streams[stream.index] = output.add_stream_from_template(stream, opaque=True)
                for packet in container.demux(chosen):
                    if packet.dts is None:
                        continue
                    shift = round(offset / packet.time_base)
                    packet.pts, packet.dts = (packet.pts or 0) + shift, packet.dts + shift
                    index = packet.stream.index
                    if index == video.index:
                        end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
                        length = max(length, end - offset)
                    if packet.dts <= last.get(index, packet.dts - 1):
                        continue  # sound that is longer than the picture
                    last[index] = packet.dts
                    packet.stream = streams[index]
                    output.mux(packet)
            offset += length


def enlarged(source: Path, target: Path, size: tuple[int, int], seconds: float) -> None:
    """The first seconds of a clip at another size, without sound."""
    with av.open(str(source)) as container, av.open(str(target), "w", format="mp4") as output:
        stream = container.streams.video[0]
        options = {"preset": "ultrafast", "crf": "28"}
        made = output.add_stream("libx264", rate=stream.average_rate, options=options)
        made.width, made.height = size
        made.pix_fmt = "yuv420p"
        made.codec_context.time_base = stream.time_base
        first: float | None = None
        for frame in container.decode(stream):
            first = frame.time if first is None else first
            if frame.time - first >= seconds:
                break
            large = frame.reformat(*size, format="yuv420p")
            large.pts, large.time_base = frame.pts, frame.time_base
            output.mux(made.encode(large))
        output.mux(made.encode(None))


def compare(clips: list[Path], home: Path, scratch: Path) -> None:
    """Print the table of both programs."""
    print("| clip | frames | program | CPU ms per frame | wall s | MiB | MiB of its children |")
    print("|---|---|---|---|---|---|---|")
    for clip in clips:
        frames = frames_in(clip)
        cpu = []
        for program in RUNNERS:
            taken = measure(program, home, clip, scratch / f"{program}-{clip.stem}.mp4")
            cpu.append(taken.cpu)
            print(
                f"| {clip.name} | {frames} | {program} | {1000 * taken.cpu / frames:.0f} |"
                f" {taken.wall:.0f} | {taken.peak:.0f} | {taken.children:.0f} |",
                flush=True,
            )
        print(f"| {clip.name} | | ratio | {cpu[0] / cpu[1]:.2f} | | | |", flush=True)


def grow(clip: Path, home: Path, scratch: Path) -> None:
    """Print how much memory mediaguard takes for longer and longer clips."""
    large = scratch / "large.mp4"
    enlarged(clip, large, LARGE, LARGE_SECONDS)
    print("| clip | seconds | frames | CPU ms per frame | peak MiB | MiB at each eighth |")
    print("|---|---|---|---|---|---|")
    for name, source, lengths in (
        ("as it is", clip, LENGTHS),
        ("{} x {}".format(*LARGE), large, LARGE_LENGTHS),
    ):
        for length in lengths:
            longer = scratch / "longer.mp4"
            looped(source, longer, length)
            frames = frames_in(longer)
            taken = measure("mediaguard", home, longer, scratch / "rendition.mp4")
            end = taken.memory[-1][0]
            moments = [
                f"{min(taken.memory, key=lambda at: abs(at[0] - end * part / MOMENTS))[1]:.0f}"
                for part in range(1, MOMENTS + 1)
            ]
            print(
                f"| {name} | {length} | {frames} | {1000 * taken.cpu / frames:.0f} |"
                f" {taken.peak:.0f} | {', '.join(moments)} |",
                flush=True,
            )


def main() -> None:
    """Enrol the three subjects, then print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*", metavar="CLIP")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--worker", nargs=4, metavar=("PROGRAM", "HOME", "CLIP", "TARGET"))
    arguments = parser.parse_args()
    if arguments.worker:
        program, *paths = arguments.worker
        worker(program, *(Path(path) for path in paths))
        return
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        mediaguard_runner(Path(folder))  # makes the home, with three subjects enrolled
        home = Path(folder) / "home"
        if arguments.memory:
            grow(arguments.clips[0], home, Path(folder))
        else:
            compare(arguments.clips, home, Path(folder))


if __name__ == "__main__":
    main()
