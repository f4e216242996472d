"""The mapping: which column and which word of a parent app's export means what."""

import codecs
import tomllib
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mediaguard.core.consent import Signatory
from mediaguard.errors import ConfigError

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CsvForm(_Section):
    """How the file is written."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ";"
    encoding: str = "utf-8"
    dates: str = "%Y-%m-%d"

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "é".encode(codecs.lookup(value).name)
        except (LookupError, UnicodeError) as error:
            raise ValueError(f"{value!r} is not a text encoding such as utf-8") from error
        return value


class Columns(_Section):
    """Headings; only `subject` has to be there."""

    subject: str
    signatory: str | None = None
    signatory_id: str | None = None
    evidence: str | None = None
    wording: str | None = None
    valid_from: Annotated[str | None, Field(alias="from")] = None
    valid_until: Annotated[str | None, Field(alias="until")] = None


class Values(_Section):
    """The words for yes and no; an empty cell is a no."""

    yes: Words
    no: Words = ("no", "nee")


class Signatories(_Section):
    """The words for who answered; `default` where there is no such column."""

    guardian: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    default: Literal["guardian", "subject"] | None = None


class Reply(Enum):
    """What a cell says. Nothing is no consent either, but nobody refused."""

    YES = "yes"
    NO = "no"
    NOTHING = "nothing"


class Mapping(_Section):
    """A mapping file."""

    csv: CsvForm = CsvForm()
    columns: Columns
    channels: Annotated[dict[str, str], Field(min_length=1)]
    values: Values
    signatory: Signatories = Signatories()

    @model_validator(mode="after")
    def _unambiguous(self) -> "Mapping":
        headings = self.headings
        if len(headings) != len(set(headings)) or not all(h.strip() for h in headings):
            raise ValueError("every heading may be used once only, and none may be empty")
        if set(map(_fold, self.values.yes)) & set(map(_fold, self.values.no)):
            raise ValueError("values: the same word cannot mean yes and no")
        if not all(map(_fold, (*self.values.yes, *self.values.no))):
            raise ValueError("values: an empty cell always means no")
        if set(map(_fold, self.signatory.guardian)) & set(map(_fold, self.signatory.subject)):
            raise ValueError("signatory: the same word cannot mean guardian and subject")
        if self.columns.signatory is None and self.signatory.default is None:
            raise ValueError(
                "name the column with who answered (columns.signatory), or a signatory.default"
            )
        return self

    @property
    def headings(self) -> list[str]:
        """Every heading that the mapping names."""
        columns = [value for value in self.columns.model_dump().values() if value is not None]
        return [*columns, *self.channels.values()]

    def answer(self, cell: str) -> "Reply | None":
        """What the cell says, or None for a word that nobody explained."""
        word = _fold(cell)
        if not word:
            return Reply.NOTHING
        if word in map(_fold, self.values.no):
            return Reply.NO
        return Reply.YES if word in map(_fold, self.values.yes) else None

    def signatory_of(self, cell: str) -> Signatory | None:
        """Who answered, or None if the cell does not say."""
        word = _fold(cell)
        if not word and self.signatory.default is not None:
            return Signatory(self.signatory.default)
        if word and word in map(_fold, self.signatory.guardian):
            return Signatory.GUARDIAN
        if word and word in map(_fold, self.signatory.subject):
            return Signatory.SUBJECT
        return None


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong; names what.
    """
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        detail = error.strerror or "?"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        detail = str(error)
    except ValidationError as error:
        detail = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
    raise ConfigError("mapping-invalid", path=path.name, detail=detail)


def _fold(word: str) -> str:
    return word.strip().casefold()
