"""Progress on long runs: on standard error, and only where somebody watches."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def each(files: Sequence[Path]) -> Iterator[Path]:
    """Yield `files` one by one under a progress bar with the time that is left."""
    console = Console(stderr=True)
    if not console.is_terminal or len(files) < 2:
        yield from files
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(files))
        for file in files:
            yield file
            progress.advance(task)
