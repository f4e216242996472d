"""What is written in WordPress posts about one attachment, said about another instead."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_AROUND = frozenset(" \t\r\n\"'<>()[]{},;&=|`")
"""What ends an address in HTML, in a block's JSON, in a shortcode and in a style."""

_OF_MEDIA = frozenset(("image", "cover", "video", "audio", "file", "gallery", "media-text"))
"""WordPress' own blocks whose numbers are those of attachments."""

_BLOCK = re.compile(r"<!--\s+wp:(?P<name>[a-z0-9/-]+)\s+\{.*?\}\s*/?-->", re.DOTALL)
_PICTURE = re.compile(r"<img\b[^>]*>")
_SHORTCODE = re.compile(r"\[(?:gallery|playlist)\b[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Swap:
    """Attachments that give way, and the one that comes in their place.

    Attributes:
        keys: what the earlier files' names have in them, and nothing else on the site has.
        ids: the earlier attachments.
        key, id: of the new one.
        names: the earlier files' names, each with the address of the new one in the same size.
        url: the new one's address in full size.
        link: the page of the new one.
    """

    keys: Collection[str]
    ids: Collection[int]
    key: str
    id: int
    names: Mapping[str, str]
    url: str
    link: str


def swapped(content: str, swap: Swap) -> str:
    """The text of a post with the new attachment wherever it had an earlier one."""
    return _swap_addresses(_swap_ids(content, swap), swap)


def _swap_ids(content: str, swap: Swap) -> str:
    if not swap.ids:
        return content
    ids = "|".join(map(str, swap.ids))
    number = re.compile(rf"(?<![\d.-])(?:{ids})(?![\d.])")
    new = str(swap.id)

    def in_list(found: re.Match[str]) -> str:
        return number.sub(new, found[0])

    def in_block(found: re.Match[str]) -> str:
        # What a number means in other blocks nobody knows, unless the picture is named beside it.
        if found["name"] not in _OF_MEDIA and not any(key in found[0] for key in swap.keys):
            return found[0]
        one = re.sub(rf'("(?:id|mediaId)":\s*)(?:{ids})(?!\d)', rf"\g<1>{new}", found[0])
        return re.sub(r'"ids":\s*\[[^\]]*\]', in_list, one)

    def in_picture(found: re.Match[str]) -> str:
        return re.sub(
            rf'(\bdata-(?:attachment-)?id=["\']?)(?:{ids})(?!\d)', rf"\g<1>{new}", found[0]
        )

    def in_shortcode(found: re.Match[str]) -> str:
        return re.sub(r"\b(?:ids|include|exclude)=[\"']?[\d,\s]+", in_list, found[0])

    content = _BLOCK.sub(in_block, content)
    content = _PICTURE.sub(in_picture, content)
    content = _SHORTCODE.sub(in_shortcode, content)
    classes = r"\b(wp-image-|wp-att-|attachment_|attachment_id=)"
    return re.sub(rf"{classes}(?:{ids})(?!\d)", rf"\g<1>{new}", content)


def _swap_addresses(content: str, swap: Swap) -> str:
    """Addresses are known by the key in their file name, whatever host or size they have."""
    keys = "|".join(map(re.escape, swap.keys))
    parts: list[str] = []
    done = 0
    for found in re.finditer(rf"((?:{keys})[\w-]*((?:\.\w+)+)?)((?:\\?/)?)", content):
        start, end = found.start(), found.end(1)
        while start > done and content[start - 1] not in _AROUND:
            start -= 1
        before = content[start : found.start()]
        if found[2]:
            new = swap.names.get(found[1], swap.url)
        elif "/" in before:
            # The slash at the end of a page's address is in the new one's, if it has any.
            new, end = swap.link, found.end()
        else:
            new = swap.key
        if "/" not in before:
            new = new.rsplit("/", 1)[-1]
        elif "\\/" in before:
            new = new.replace("/", "\\/")
        parts += content[done:start], new
        done = end
    return "".join(parts) + content[done:]
