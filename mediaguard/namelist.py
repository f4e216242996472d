"""The school's own list of names: read when it is needed, compared, shown, and never stored."""

from pathlib import Path

from mediaguard.core.names import Name
from mediaguard.errors import ConfigError, InputError
from mediaguard.store.tabular import read_bytes, read_csv

COLUMNS = ("subject_id", "first_name", "last_name")


def read_names(path: Path) -> list[Name]:
    """The names in a CSV file (UTF-8; commas, or semicolons as Excel has it) with `COLUMNS`.

    Raises:
        ConfigError: it is not such a file, or not there. Then nobody can say whose name stands
            in a text, and nothing that has one may go on.
    """
    try:
        heading = read_bytes(path).partition(b"\n")[0]
        delimiter = ";" if b";" in heading else ","
        lines, problems = read_csv(path, delimiter=delimiter, encoding="utf-8", required=COLUMNS)
    except InputError as error:
        raise ConfigError("names-unusable", path=path, problem=error) from error
    if problems:
        raise ConfigError("names-unusable", path=path, problem=problems[0])
    return [Name(*(line.cells[column] for column in COLUMNS)) for line in lines]
