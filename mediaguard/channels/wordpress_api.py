"""The REST API of a WordPress site: where it is, its lists, and what it says about attachments."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from mediaguard.channels.web import Web, json_of, odd_answer
from mediaguard.errors import ChannelError

GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the media library.

    Attributes:
        id: its number.
        slug: its name in addresses; editors can change it.
        guid: the address that it was uploaded to; nobody can change it.
        link: its page.
        source_url: its address; of a big picture, that of a smaller copy.
        original_url: the address of what was uploaded, if `source_url` is that of a copy.
        sizes: the addresses of its sizes by their names, the full one among them.
        is_incomplete: WordPress has yet to make some of the sizes.
    """

    id: int
    slug: str
    guid: str
    link: str
    source_url: str
    original_url: str | None
    sizes: Mapping[str, str]
    is_incomplete: bool

    FIELDS = "id,slug,guid,link,source_url,media_details,missing_image_sizes"

    @classmethod
    def of(cls, told: Any) -> "Attachment":
        """What WordPress tells an editor about it.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: it tells something else.
        """
        source_url = _address(told["source_url"])
        # PHP has one kind of array: what is empty comes as a list.
        details = told["media_details"] or {}
        original = details.get("original_image")
        sizes = details.get("sizes") or {}
        return cls(
            id=int(told["id"]),
            slug=str(told["slug"]),
            guid=str(told["guid"]["raw"]),
            link=_address(told["link"]),
            source_url=source_url,
            original_url=urljoin(source_url, original) if original else None,
            sizes={
                name: _address(size["source_url"])
                for name, size in sizes.items()
                if "source_url" in size
            },
            is_incomplete=bool(told["missing_image_sizes"]),
        )

    @property
    def urls(self) -> tuple[str, ...]:
        """Every place where it can be fetched; the first is the one that people are shown."""
        files = (self.source_url, *self.sizes.values(), self.original_url, *self._left_over())
        return tuple(dict.fromkeys(url for url in (*files, self.link) if url))

    def belongs_to(self, key: str) -> bool:
        """Whether it was uploaded with this key, or made from what was."""
        return any(key in said for said in (self.guid, self.slug, self.source_url))

    def is_upload(self, key: str) -> bool:
        """Whether it was uploaded with this key, perhaps again, and not made by an editor."""
        name = rf"{key}(-\d+)?"
        file = self.guid.rsplit("/", 1)[-1]
        return bool(re.fullmatch(rf"{name}\.\w+", file) or re.fullmatch(name, self.slug))

    def _left_over(self) -> Iterator[str]:
        """Where a dead attempt may have left the file: its name was taken, so there is a number.

        WordPress does not know that file and cannot delete it; looking at it is all there is.
        """
        numbered = re.fullmatch(r"(.*/[0-9a-f]{32})-(\d{1,2})(\.\w+)", self.guid)
        if numbered:
            stem, number, suffix = numbered.groups()
            yield f"{stem}{suffix}"
            yield from (f"{stem}-{earlier}{suffix}" for earlier in range(1, int(number)))


class Api:
    """Calls the API of a site.

    Args:
        url: the site's address, as visitors know it.
        web: what to call it with.
    """

    def __init__(self, url: str, web: Web) -> None:
        self._url = url
        self._web = web
        self._is_pretty: bool | None = None

    def call(
        self, method: str, path: str, *, params: Mapping[str, str], **rest: Any
    ) -> httpx.Response:
        """As `Web.call`; `path` as in ``/wp/v2/posts``."""
        if self._is_pretty is None:
            self._is_pretty = self._look_for_pretty_addresses()
        if self._is_pretty:
            return self._web.call(method, f"{self._url}/wp-json{path}", params=params, **rest)
        asked = {"rest_route": path, **params}
        return self._web.call(method, f"{self._url}/", params=asked, **rest)

    def list(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        accept: Collection[int] = (),
        per_page: int = 100,
    ) -> Iterator[Any]:
        """Everything in a list; nothing if the answer's status is in `accept`."""
        page, pages = 1, 1
        while page <= pages:
            asked = {**params, "per_page": str(per_page), "page": str(page)}
            response = self.call("GET", path, params=asked, accept=accept)
            if response.status_code in accept:
                return
            items = json_of(response)
            told = response.headers.get("X-WP-TotalPages", "1")
            if not isinstance(items, list) or not told.isdecimal():
                raise odd_answer(response, "list")
            yield from items
            page, pages = page + 1, int(told)

    def attachment(self, told: Any) -> Attachment:
        """What WordPress tells about an attachment.

        Raises:
            ChannelError: it tells something else.
        """
        try:
            return Attachment.of(told)
        except (LookupError, TypeError, ValueError, AttributeError):
            host = urlsplit(self._url).hostname or "?"
            raise ChannelError("channel-answer", host=host, detail="attachment") from None

    def _look_for_pretty_addresses(self) -> bool:
        """Whether the API is where it usually is: with plain permalinks it is not."""
        params = {"_fields": "namespaces"}
        response = self._web.call("GET", f"{self._url}/wp-json/", params=params, accept=GONE)
        try:
            index = json_of(response)
        except ChannelError:
            return False
        return isinstance(index, dict) and "wp/v2" in (index.get("namespaces") or ())


def _address(told: Any) -> str:
    if not isinstance(told, str) or not told:
        raise TypeError(told)
    return told
