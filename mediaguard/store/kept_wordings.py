"""The texts that people agreed to, kept as they were then."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.core.consent import Answer
from mediaguard.errors import InputError
from mediaguard.store.database import insert_new
from mediaguard.store.tables import ConsentEventRow, WordingTextRow


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
        known = self.of([version])[version]
        for language in texts.keys() - known.keys():
            text = texts[language]
            row = {"version": version, "language": language, "text": text, "sha256": digest(text)}
            insert_new(self._session, WordingTextRow, **row, kept_at=at)
        kept = self.of([version])[version]  # somebody may have been faster
        if any(kept[language].text != text for language, text in texts.items()):
            raise InputError("wording-changed", version=version)
        return {language: digest(text) for language, text in texts.items()}

    def keep_written(
        self,
        versions: Collection[str],
        written: Callable[[str], Mapping[str, str]],
        *,
        at: datetime,
    ) -> dict[str, dict[str, str]]:
        """Keep what is written of versions that are agreed to on paper; returns the digests.

        What was kept before stands, whatever is written now.

        Args:
            versions: of the wordings; without a text nothing is kept.
            written: the texts of a version as they are now, by language.
            at: now.
        """
        kept = self.of(versions)
        return {
            version: self.keep(
                version,
                {
                    **written(version),
                    **{language: row.text for language, row in kept[version].items()},
                },
                at=at,
            )
            for version in sorted(versions)
        }

    def is_named(self, version: str) -> bool:
        """Whether a yes on record names this version, be its text kept or not."""
        query = select(ConsentEventRow.event_id).where(
            ConsentEventRow.wording == version, ConsentEventRow.answer == Answer.GRANTED.value
        )
        return self._session.scalar(query.limit(1)) is not None
