"""The sample school's console, served by the real command and looked at with a real browser."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RUN = "from mediaguard.cli.main import main; main()"


@pytest.fixture
def served(home: Path) -> Iterator[str]:
    """The address of the sample school's console."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--port", "0"],
        env={**os.environ, "MEDIAGUARD_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    yield next(word for word in line.split() if word.startswith("http"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()
