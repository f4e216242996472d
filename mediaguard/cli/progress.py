"""Progress on long runs: on standard error, and only where somebody watches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mediaguard.pipeline.ports import Progress as Tell
from mediaguard.pipeline.ports import silent
from mediaguard.texts import say

T = TypeVar("T")


def each(things: Sequence[T]) -> Iterator[T]:
    """Yield `things` one by one under a progress bar with the time that is left."""
    with _shown(Console(stderr=True), least=2, count=len(things)) as progress:
        task = progress.add_task("", total=len(things))
        for thing in things:
            yield thing
            progress.advance(task)


def each_item(files: Sequence[Path], language: str) -> Iterator[tuple[Path, Tell]]:
    """The same for photos and videos: a video has a bar of its own, which its steps move."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from ((file, silent) for file in files)
        return
    with _shown(console, least=1, count=len(files)) as progress:
        whole = progress.add_task("", total=len(files), visible=len(files) > 1)
        for file in files:
            one = progress.add_task("", visible=False)

            def tell(step: str, done: int, total: int, one: int = one) -> None:
                text = say(f"progress-{step}", language=language)
                if progress.tasks[one].description != text:
                    progress.reset(one, description=text, visible=True)  # type: ignore[arg-type]
                progress.update(one, completed=done, total=total)  # type: ignore[arg-type]

            yield file, tell
            progress.remove_task(one)
            progress.advance(whole)


@contextmanager
def _shown(console: Console, *, least: int, count: int) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal or count < least
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield progress
