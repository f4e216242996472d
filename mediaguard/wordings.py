"""The texts by which consent is asked: files of the school, `wordings/VERSION.LANGUAGE.txt`.

A text may be mended until the first yes to it. From then on it stays as it was agreed to,
whatever becomes of its file: whoever needs another text makes another version.
"""

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mediaguard.store.database import Database
from mediaguard.store.kept_wordings import KeptWordings, digest

log = logging.getLogger(__name__)

LANGUAGES = ("en", "nl")
MAX_BYTES = 100_000

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""Of a wording that can have a text: a plain file name."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of a text.

    Attributes:
        version: its name.
        texts: by language; empty if nobody wrote it down.
        kept_at: when somebody first agreed to it, so that it does not change any more.
        changed: the files say something else than what was agreed to.
    """

    version: str
    texts: Mapping[str, str] = field(default_factory=dict)
    kept_at: datetime | None = None
    changed: bool = False

    def language(self, wanted: str) -> str:
        """The language in which it can be read: the wanted one, or the one there is."""
        return wanted if wanted in self.texts else next(iter(self.texts), wanted)

    def paragraphs(self, language: str) -> list[str]:
        """The text in this language, in pieces."""
        return [piece for piece in re.split(r"\n\s*\n", self.texts[language]) if piece.strip()]

    def digest(self, language: str) -> str:
        """The SHA-256 of the text in this language."""
        return digest(self.texts[language])


class Wordings:
    """All that are known.

    Args:
        folder: where the files lie.
        database: where those are kept that were agreed to.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database

    def get(self, version: str) -> Wording:
        """One; without texts if there are none."""
        return self.of([version])[version]

    def of(self, versions: Collection[str]) -> dict[str, Wording]:
        """These, by version."""
        with self._database.read() as session:
            kept = KeptWordings(session).of(versions)
        found = {}
        for version in versions:
            texts = self.written(version)
            agreed = {language: row.text for language, row in kept[version].items()}
            changed = any(texts.get(language, text) != text for language, text in agreed.items())
            since = min((row.kept_at for row in kept[version].values()), default=None)
            found[version] = Wording(version, {**texts, **agreed}, since, changed)
        return found

    def all(self, also: Collection[str] = ()) -> list[Wording]:
        """Every one that has a text, and `also`; by version."""
        versions = {*also}
        for path in self._folder.glob("*.txt"):
            version, _, language = path.stem.rpartition(".")
            if language in LANGUAGES and _VERSION.fullmatch(version):
                versions.add(version)
        with self._database.read() as session:
            versions |= {*KeptWordings(session).versions()}
        return [*self.of(sorted(versions)).values()]

    def written(self, version: str) -> dict[str, str]:
        """What the files say, by language.

        One that cannot be used counts as none: a no has to be possible.
        """
        if not _VERSION.fullmatch(version):
            return {}
        texts = {}
        for language in LANGUAGES:
            path = self._folder / f"{version}.{language}.txt"
            try:
                with path.open("rb") as file:
                    content = file.read(MAX_BYTES + 1)
                text = content.decode("utf-8-sig").replace("\r\n", "\n").strip()
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError):
                log.warning("the wording %s cannot be read", path.name)
                continue
            if text and len(content) <= MAX_BYTES:
                texts[language] = text
        return texts
