"""Reading lists that others made: CSV files, with every mistake named by line and column."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol

from mediaguard.errors import InputError

MAX_BYTES = 20_000_000
MAX_CELL = 200


class Source(Protocol):
    """A file to be read: a `Path`, or one that is not on the disk."""

    @property
    def name(self) -> str:
        """What it is called; only ever shown."""

    @property
    def suffix(self) -> str:
        """How its name ends, with the dot."""

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Its content, from the beginning."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a file.

    Attributes:
        line: where its row begins, from 1; 0 for the whole file.
        column: heading of the column; empty for the whole row.
        code: of the sentence in `mediaguard.texts`.
        params: values for its placeholders.
    """

    line: int
    column: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


class ImportRefused(InputError):  # noqa: N818  (it is one of the InputErrors, and says so)
    """Nothing was imported; `problems` holds every mistake that was found."""

    def __init__(self, path: Source, problems: Sequence[Problem]) -> None:
        code = "import-failed-one" if len(problems) == 1 else "import-failed"
        super().__init__(code, path=path.name, count=len(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Line:
    """A row: cells by heading, without the spaces around them."""

    number: int
    cells: Mapping[str, str]


def read_bytes(path: Source) -> bytes:
    """The file's content.

    Raises:
        InputError: it cannot be read, or is far too large for a list of pupils.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            "import-unreadable", path=path.name, detail=error.strerror or "?"
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError("import-too-large", path=path.name, limit=MAX_BYTES // 1_000_000)
    return data


def read_csv(
    path: Source, *, delimiter: str, encoding: str, required: Sequence[str]
) -> tuple[list[Line], list[Problem]]:
    """The rows of a CSV file and the mistakes in them; rows with mistakes are left out.

    Args:
        path: the file.
        delimiter: one character.
        encoding: of the text; a byte order mark is taken off.
        required: headings that there must be.

    Raises:
        InputError: the file cannot be read at all (`ImportRefused` when it is no such CSV).
    """
    text = _decode(path, encoding)
    rows = _rows(path, text, delimiter)
    try:
        first, heading = next(rows)
    except StopIteration:
        raise ImportRefused(path, [Problem(0, "", "problem-empty")]) from None
    problems = [
        Problem(first, name, "problem-header-twice")
        for name in dict.fromkeys(heading)
        if name and heading.count(name) > 1
    ]
    problems += [
        Problem(first, name, "problem-header-missing") for name in required if name not in heading
    ]
    if problems:
        raise ImportRefused(path, problems)

    lines: list[Line] = []
    for number, cells in rows:
        if len(cells) != len(heading):
            params = {"found": len(cells), "expected": len(heading)}
            problems.append(Problem(number, "", "problem-fields", params))
            continue
        unusable = [
            Problem(number, name, "problem-text", {"limit": MAX_CELL})
            for name, cell in zip(heading, cells, strict=True)
            if name in required and cell and (len(cell) > MAX_CELL or not cell.isprintable())
        ]
        problems += unusable
        if not unusable:
            lines.append(Line(number, dict(zip(heading, cells, strict=True))))
    return lines, problems


def _decode(path: Source, encoding: str) -> str:
    name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    try:
        text = read_bytes(path).decode(name)
    except UnicodeError:
        problem = Problem(0, "", "problem-encoding", {"encoding": encoding})
        raise ImportRefused(path, [problem]) from None
    if "\0" in text:
        raise ImportRefused(path, [Problem(0, "", "problem-nul")])
    return text


def _rows(path: Source, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            problem = Problem(number, "", "problem-csv", {"detail": str(error)})
            raise ImportRefused(path, [problem]) from None
        if any(cells):
            yield number, cells
