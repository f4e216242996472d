"""A Facebook page: every photo and every video is a post of its own.

Facebook takes no key by which it would know an upload again, so the text of the post holds a
short reference made from ours, and `lookup` searches for it.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urljoin

from mediaguard.channels.graph import Graph
from mediaguard.channels.web import Web, is_web_address
from mediaguard.core.publication import ELSEWHERE, Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError

_SITE = "https://www.facebook.com/"
_PHOTO_FIELDS = "id,name,images,link,page_story_id"
_VIDEO_FIELDS = "id,description,permalink_url,source,post_id"
_MOST_PAGES, _PAGE_LENGTH = 5, 100
"""How far `lookup` goes back; what it looks for was made minutes or days ago."""


class FacebookChannel:
    """Publishes on a Facebook page.

    Args:
        page: the page's id.
        token: a page token that may post, read and delete posts.
        api: where the Graph API is, with its version.
        web: for the calls.
    """

    abilities = Abilities(recall=True, replace=False)

    def __init__(self, page: str, token: str, *, api: str, web: Web | None = None) -> None:
        self._web = web or Web()
        self._graph = Graph(page, token, api=api, web=self._web)

    def publish(self, delivery: Delivery) -> Published:
        """Post the photo or the video."""
        is_video = delivery.media_type.startswith("video/")
        edge, text = ("videos", "description") if is_video else ("photos", "caption")
        reference = _reference(delivery.key)
        with delivery.open() as content:
            made = self._graph.post(
                edge,
                data={text: f"[{reference}]"},
                files={"source": (reference + delivery.suffix, content, delivery.media_type)},
            )
        fields = _VIDEO_FIELDS if is_video else _PHOTO_FIELDS
        node = self._graph.get(made["id"], fields=fields)
        if node is None:
            raise self._graph.odd("no object")
        node = {"post_id": made.get("post_id"), **node, "id": made["id"]}
        return self._published(node, delivery.key, delivery.item_id, delivery.sha256)

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:  # noqa: ARG002
        """Refused: the picture of a post cannot be exchanged."""
        raise ChannelError("channel-cannot-replace", later=False)

    def remove(self, published: Published) -> None:
        """Delete the post and the photo; a photo can outlive its post."""
        for object_id in reversed(self._objects(published)):
            self._graph.delete(object_id)

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The newest photo or video whose text has our reference."""
        mark = f"[{_reference(key)}]"
        for edge, fields, text in (
            ("photos", _PHOTO_FIELDS, "name"),
            ("videos", _VIDEO_FIELDS, "description"),
        ):
            for node in self._uploads(edge, fields):
                if mark in str(node.get(text)):
                    return self._published(node, key, item_id, sha256)
        return None

    def confirm_gone(self, published: Published, successor: str | None) -> list[Look]:
        """Ask the API for the objects, and look at the files as a visitor would.

        The first address is the post's page. Facebook shows strangers a login form there, whatever
        the page holds, so for it the API's word counts.
        """
        told = self._told(published)
        return [
            Look(url, gone=told == "no object", answer=told)
            if url.startswith(_SITE)
            else self._web.look(url, successor)
            for url in published.urls
        ]

    def _told(self, published: Published) -> str:
        objects = self._objects(published)
        if not objects:  # what the token of this page may not see can be there on another
            return ELSEWHERE
        if any(self._has(one) for one in objects):
            return "object"
        self._graph.check()
        return "no object"

    def _objects(self, published: Published) -> list[str]:
        """Its photo or video and its post; none if it was not published on this page."""
        page, _, objects = published.remote_id.rpartition(":")
        return objects.split() if page == self._graph.page else []

    def _has(self, object_id: str) -> bool:
        return self._graph.get(object_id, fields="id") is not None

    def _published(self, node: dict[str, Any], key: str, item_id: str, sha256: str) -> Published:
        objects, urls = _objects_in(node), _places_of(node)
        return Published(key, item_id, f"{self._graph.page}:{' '.join(objects)}", urls, sha256)

    def _uploads(self, edge: str, fields: str) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            found, after = self._graph.list(edge, fields=fields, limit=_PAGE_LENGTH, **cursor)
            yield from (one for one in found if isinstance(one.get("id"), str))
            if after is None:
                return
            cursor = {"after": after}


def _reference(key: str) -> str:
    return key[:12]


def _objects_in(node: dict[str, Any]) -> list[str]:
    """The ids of a photo or video and, if it has one, of its post."""
    post = node.get("page_story_id") or node.get("post_id")
    return [node["id"], post] if isinstance(post, str) and post else [node["id"]]


def _places_of(node: dict[str, Any]) -> tuple[str, ...]:
    """The page of a photo or video, and its files."""
    page = urljoin(_SITE, str(node.get("link") or node.get("permalink_url") or node["id"]))
    images = node.get("images")
    sources = [
        node.get("source"),
        *(one.get("source") for one in images or () if isinstance(one, dict)),
    ]
    files = [one for one in sources if isinstance(one, str) and is_web_address(one)]
    if not page.startswith(_SITE):
        page = f"{_SITE}{node['id']}"
    return tuple(dict.fromkeys([page, *files]))
