"""`mediaguard serve` in a process of its own, in the world of coloured squares."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import importlib, os, signal, sys, time
from pathlib import Path
import mediaguard.cli.main as main
from tests.pipeline.world import SquareDetector, World

main.App = World
gate = Path(sys.argv.pop(1))

def look(_):
    while gate.exists():  # for as long as the test wants nothing to be decided
        time.sleep(0.05)

World.detector.on_look = look

place = os.environ.get("MEDIAGUARD_TEST_DIE")
if place:  # dies when that is done
    module, name, method = place.split()
    owner = getattr(importlib.import_module(module), name)
    whole = getattr(owner, method)

    def last(*args, **kwargs):
        whole(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, method, last)
main.main()
"""


class Live:
    """Started by `with`; killed at its end if it still runs."""

    def __init__(self, home: Path, *, dies: str = "") -> None:
        self.home = home
        self.dies = dies
        self.gate = home.parent / "nobody-decides"
        self.url = ""

    def __enter__(self) -> "Live":
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(self.gate), "serve", "--port", "0"],
            env={
                **os.environ,
                "MEDIAGUARD_HOME": str(self.home),
                "MEDIAGUARD_TEST_DIE": self.dies,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http"))
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def open_files(self, name: str) -> list[str]:
        """What it has open with `name` in its place, also what has no name any more."""
        places = []
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed just now
                places.append(str(entry.readlink()))
        return [place for place in places if name in place]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)
