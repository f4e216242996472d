"""The texts that people agreed to, kept as they were then."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.errors import InputError
from mediaguard.store.tables import WordingTextRow


def digest(text: str) -> str:
    """The SHA-256 of a text in hexadecimal; what stands in the audit log."""
    return hashlib.sha256(text.encode()).hexdigest()


class KeptWordings:
    """Reads and keeps texts within the caller's transaction; none is ever changed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, versions: Collection[str]) -> dict[str, dict[str, WordingTextRow]]:
        """The texts of these versions that were agreed to: by version, then by language."""
        found: dict[str, dict[str, WordingTextRow]] = {version: {} for version in versions}
        query = select(WordingTextRow).where(WordingTextRow.version.in_(sorted(found)))
        for row in self._session.scalars(query):
            found[row.version][row.language] = row
        return found

    def versions(self) -> list[str]:
        """Every version that was agreed to and whose text was known."""
        return [*self._session.scalars(select(WordingTextRow.version).distinct())]

    def keep(self, version: str, texts: Mapping[str, str], *, at: datetime) -> dict[str, str]:
        """Keep the texts of a version that somebody agrees to; returns their digests.

        Args:
            version: of the wording.
            texts: by language, as they were shown.
            at: now.

        Raises:
            InputError: others agreed to another text under this version.
        """
        kept = self.of([version])[version]
        for language, text in texts.items():
            if language not in kept:
                row = WordingTextRow(
                    version=version, language=language, text=text, sha256=digest(text), kept_at=at
                )
                self._session.add(row)
            elif kept[language].text != text:
                raise InputError("wording-changed", version=version)
        self._session.flush()
        return {language: digest(text) for language, text in texts.items()}
