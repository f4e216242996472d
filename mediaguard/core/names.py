"""Names in texts: whose name stands in a caption, a title, an alternative text or a file name?

Names are only ever compared, never kept: what is recorded is the pseudonym. Which words count as
a name is decided in docs/decisions/0011-names-in-texts.md.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields

_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*")
_HUMP = re.compile(r"(?<=[a-z\xdf-\xf6\xf8-\xff])(?=[A-Z\xc0-\xd6\xd8-\xde])")
"""Where a new word begins in `JanDeVries`."""
_SHORTEST_LAST = 3  # shorter last names ("Oe", "de") say nobody's name when they stand alone
_PLAIN = str.maketrans(
    {"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
    | {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
"""Letters that Unicode does not take apart."""
_INFIXES = frozenset(
    re.findall(
        r"\S+",
        "van de der den het ter te ten op in 't t aan bij uit voor "
        "la le du da dos di el al von bin ben",
    )
)
"""Words that a last name may begin with, and that are left out at will."""


@dataclass(frozen=True, slots=True)
class Name:
    """A subject's name, from the school's own list."""

    subject_id: str
    first: str
    last: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """What goes with a picture and can name somebody; never stored."""

    caption: str = ""
    alt_text: str = ""
    title: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A name that was found.

    Attributes:
        subject_id: whose name it is; several may have the same.
        field: of `Text`, in which it stands.
        word: as it is written there.
    """

    subject_id: str
    field: str
    word: str


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a text: without accents and capitals, and as it is written there."""

    folded: str
    start: int
    end: int
    capital: bool


Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameIndex:
    """All names, by their first word.

    Attributes:
        spellings: first word → (all words, whether it is a last name alone, whose).
    """

    spellings: dict[str, list[tuple[Words, bool, str]]] = field(default_factory=dict)

    @classmethod
    def build(cls, names: Iterable[Name]) -> "NameIndex":
        """Index names; one without letters is left out."""
        spellings: dict[str, list[tuple[Words, bool, str]]] = defaultdict(list)
        for name in names:
            for words, alone in _spellings(name):
                entry = (words, alone, name.subject_id)
                if entry not in spellings[words[0]]:
                    spellings[words[0]].append(entry)
        return cls(dict(spellings))

    def find(self, text: Text) -> list[Named]:
        """Every name in a text; each subject once for each word and field."""
        found: dict[Named, None] = {}
        for part in fields(text):
            content = unicodedata.normalize("NFC", getattr(text, part.name))
            is_file = part.name == "file_name"
            for start, end, subject_id in self._in(_tokens(content, split=is_file), is_file):
                found[Named(subject_id, part.name, content[start:end])] = None
        return list(found)

    def _in(self, tokens: list[_Token], is_file: bool) -> Iterator[tuple[int, int, str]]:
        for at, token in enumerate(tokens):
            for spoken in _spoken(token.folded):
                for words, alone, subject_id in self.spellings.get(spoken, ()):
                    part = tokens[at : at + len(words)]
                    if len(part) < len(words) or not _same(part, words):
                        continue
                    # "de bakker" is a baker; "Bakker", and bakker.jpg, may be somebody's name.
                    if alone and not (is_file or token.capital):
                        continue
                    yield part[0].start, part[-1].end, subject_id


def _spellings(name: Name) -> Iterator[tuple[Words, bool]]:
    """The ways in which people write a name; with whether it is a last name alone."""
    first, last = _words(name.first), _words(name.last)
    bare = last
    while len(bare) > 1 and bare[0] in _INFIXES:
        bare = bare[1:]
    if first:
        yield first, False
        for rest in {(), last, bare}:  # as in jandevries.jpg
            yield ("".join((*first, *rest)),), False
    if len("".join(bare)) >= _SHORTEST_LAST:
        yield bare, True
        yield ("".join(last),), True


def _words(name: str) -> Words:
    return tuple(token.folded for token in _tokens(unicodedata.normalize("NFC", name)))


def _same(tokens: list[_Token], words: Words) -> bool:
    """Whether these are the words; the last one may have a genitive's s."""
    *begin, end = tokens
    return all(t.folded == w for t, w in zip(begin, words, strict=False)) and words[-1] in _spoken(
        end.folded
    )


def _spoken(folded: str) -> tuple[str, ...]:
    """A word, and what is left of it without the genitive: "Lisa's", "Jans"."""
    for ending in ("'s", "s", "'"):
        if folded.endswith(ending) and len(folded) > len(ending) + 1:
            return folded, folded.removesuffix(ending)
    return (folded,)


def _tokens(text: str, *, split: bool = False) -> list[_Token]:
    """The words of a text. With `split` also where a file name glues them together."""
    tokens = []
    for match in _WORD.finditer(text):
        start = match.start()
        for piece in _HUMP.split(match.group()) if split else [match.group()]:
            folded = _fold(piece)
            if folded:
                tokens.append(_Token(folded, start, start + len(piece), piece[:1].isupper()))
            start += len(piece)
    return tokens


def _fold(word: str) -> str:
    """Without capitals and accents: "Zoë" and "ZOE" are one name."""
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_PLAIN))
    return "".join(c for c in apart if not unicodedata.combining(c))
