"""A file that came over the network and lies in memory only."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import BinaryIO, Literal


@dataclass(frozen=True, slots=True)
class Sent:
    """Such a file; it can be read where a `Path` can, and is never written to the disk.

    Attributes:
        name: as the sender calls it; only ever shown.
        data: its content.
    """

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        """How its name ends, with the dot."""
        return PurePath(self.name).suffix

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002 - as a `Path` has it
        """Its content, from the beginning."""
        return BytesIO(self.data)
