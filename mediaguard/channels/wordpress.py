"""A channel that is the media library of a WordPress site, used through its REST API.

WordPress makes an upload public at once, in several sizes; so nothing gets here that is not
verified, and the address of every file that it makes is recorded. All of them carry the
publication's key in their names: by that they are found again, and also what an editor cropped
out of them since.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from mediaguard.channels.web import Web, json_of, odd_answer
from mediaguard.channels.wordpress_api import GONE, Api, Attachment
from mediaguard.channels.wordpress_posts import Swap, swapped
from mediaguard.core.publication import Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError

_MEDIA = "/wp/v2/media"
_ABOUT_MEDIA = {"context": "edit", "_fields": Attachment.FIELDS}
_ABOUT_POSTS = {"context": "edit", "_fields": "id,featured_media,content.raw"}

_ATTEMPTS = 4
"""So often WordPress is asked to finish a picture; each time it goes on where it died."""


class WordPressChannel:
    """Publishes by uploading to the media library and removes by deleting from it.

    Args:
        url: the site's address, as visitors know it.
        user: who may upload, delete, and edit everybody's posts, whatever HTML is in them: an
            editor, or in a network of sites its administrator.
        password: an application password of theirs.
        web: what to call it with instead.
    """

    abilities = Abilities()

    def __init__(self, url: str, user: str, password: str, *, web: Web | None = None) -> None:
        # WordPress shows the password in groups, and takes it without the spaces as well.
        self._web = web or Web(auth=(user, "".join(password.split())))
        self._api = Api(url, self._web)

    def publish(self, delivery: Delivery) -> Published:
        """Upload the rendition, unless it is there already."""
        found = self._ensure(delivery)
        return _published(delivery.key, delivery.item_id, delivery.sha256, found)

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The rendition, if it was uploaded; what repeated attempts left behind is deleted."""
        found = self._uploaded(key)
        return _published(key, item_id, sha256, found) if found else None

    def remove(self, published: Published) -> None:
        """Delete it, all its sizes and what was cropped out of it; posts stay as they are."""
        for one in self._find(published.key, published.remote_id):
            # WordPress deletes the files that it remembers, and a size it remembers once that is
            # finished: if it died over one, only finishing it makes it known. What is known goes
            # in any case.
            if not published.remote_id:
                with contextlib.suppress(ChannelError):
                    self._complete(one)
            self._delete(one)

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Upload the rendition, show it wherever an earlier one was, and delete those."""
        found = self._ensure(delivery)
        earlier = [one for one in earlier if one.key != delivery.key]
        old = [that for one in earlier for that in self._find(one.key, one.remote_id)]
        if earlier:
            self._swap_in_posts(_swap(earlier, old, delivery.key, found[0]))
        for published in earlier:
            self.remove(published)
        return _published(delivery.key, delivery.item_id, delivery.sha256, found)

    def confirm_gone(self, published: Published, successor: str | None) -> list[Look]:
        """What a visitor finds at each of its addresses."""
        return [self._web.look(url, successor) for url in published.urls]

    # The media library

    def _ensure(self, delivery: Delivery) -> list[Attachment]:
        return self._uploaded(delivery.key) or [self._upload(delivery)]

    def _uploaded(self, key: str) -> list[Attachment]:
        """What was uploaded with this key, whole, and then what editors made of it; or nothing."""
        found = self._find(key)
        uploads = [one for one in found if one.is_upload(key)]
        if not uploads:
            return []
        first = self._complete(uploads[0])
        for again in uploads[1:]:
            # Plugins for several languages list a file once for each.
            if again.source_url != first.source_url:
                self._delete(again)
        return [first, *(one for one in found if one not in uploads)]

    def _upload(self, delivery: Delivery) -> Attachment:
        # As a form, because WordPress keeps a form's file on disk and any other body in memory.
        # Title and slug are given: else it takes them from the file, whose name gets a number if
        # a dead attempt left one like it.
        with delivery.open() as content:
            response = self._api.call(
                "POST",
                _MEDIA,
                params=_ABOUT_MEDIA,
                data={"title": delivery.key, "slug": delivery.key},
                files={"file": (f"{delivery.key}{delivery.suffix}", content, delivery.media_type)},
                accept=(500,),
            )
        if response.status_code != 500:
            return self._api.attachment(json_of(response))
        self._raise_refusal(response)
        # It has the file, but died over its sizes.
        number = response.headers.get("X-WP-Upload-Attachment-ID", "")
        made = self._attachment(number)
        if made is not None:
            made = self._complete(made)
            if not made.is_incomplete:
                return made
            self._delete(made)
        raise self._web.refusal(response)

    def _raise_refusal(self, response: httpx.Response) -> None:
        """Files that the site does not want are told as a failure of the server."""
        try:
            told = json_of(response)
        except ChannelError:
            return
        if isinstance(told, dict) and str(told.get("code")).startswith("rest_upload_"):
            meant = httpx.Response(400, content=response.content, request=response.request)
            raise self._web.refusal(meant)

    def _find(self, key: str, remote_id: str = "") -> list[Attachment]:
        """Every attachment that belongs to the key, oldest first."""
        # An empty key would be part of every name there is.
        if not re.fullmatch(r"[0-9a-f]{32}", key):
            raise ValueError(key)
        found: dict[int, Attachment] = {}
        # By slug, which an editor can change, and by title and file name: what is in the trash is
        # as public as before. To who is not logged in the second question is a bad request, and
        # to the first one the answer is plain.
        everything = {"search": key, "status": "inherit,private,trash"}
        for wanted in ({"slug": key}, everything):
            for told in self._api.list(_MEDIA, {**_ABOUT_MEDIA, **wanted}):
                one = self._api.attachment(told)
                found[one.id] = one
        known = self._attachment(remote_id)
        if known is not None:
            found[known.id] = known
        # The number alone proves nothing: a site that was restored may have given it again.
        return [one for _, one in sorted(found.items()) if one.belongs_to(key)]

    def _attachment(self, remote_id: str) -> Attachment | None:
        if not remote_id.isdecimal():
            return None
        path = f"{_MEDIA}/{remote_id}"
        response = self._api.call("GET", path, params=_ABOUT_MEDIA, accept=GONE)
        return None if response.status_code in GONE else self._api.attachment(json_of(response))

    def _complete(self, one: Attachment) -> Attachment:
        """Have the missing sizes made; it is what it was if WordPress cannot."""
        for _ in range(_ATTEMPTS):
            if not one.is_incomplete:
                break
            self._api.call(
                "POST",
                f"{_MEDIA}/{one.id}/post-process",
                params={"_fields": "id"},
                json={"action": "create-image-subsizes"},
                accept=(500,),
            )
            one = self._attachment(str(one.id)) or one
        return one

    def _delete(self, one: Attachment) -> None:
        path = f"{_MEDIA}/{one.id}"
        self._api.call("DELETE", path, params={"force": "true"}, accept=GONE)

    # Posts, pages and everything else that can show a picture

    def _swap_in_posts(self, swap: Swap) -> None:
        for path, is_own in self._collections():
            asked = {**_ABOUT_POSTS, "status": "any", "orderby": "id", "order": "asc"}
            # What plugins add need not understand these questions.
            skip = (403,) if is_own else (400, 403, 404)
            for told in self._api.list(path, asked, accept=skip, per_page=50):
                if _changes(told, swap):
                    self._swap_in_post(f"{path}/{told.get('id')}", swap)

    def _swap_in_post(self, path: str, swap: Swap) -> None:
        # A post that this user may not edit gets a hole: better than a picture that has to go.
        skip = (403, *GONE)
        # Somebody may be writing at it: what is changed is what is there now.
        response = self._api.call("GET", path, params=_ABOUT_POSTS, accept=skip)
        changes = {} if response.status_code in skip else _changes(json_of(response), swap)
        if changes:
            self._api.call("POST", path, params={"_fields": "id"}, json=changes, accept=skip)

    def _collections(self) -> Iterator[tuple[str, bool]]:
        """The paths of all kinds of posts, and whether they are WordPress' posts or pages."""
        response = self._api.call("GET", "/wp/v2/types", params={"context": "edit"})
        types = json_of(response)
        if not isinstance(types, dict) or "post" not in types:
            raise odd_answer(response, "types")
        for name, told in types.items():
            base = told.get("rest_base") if isinstance(told, dict) else None
            # Some paths are patterns: they hang below another kind.
            if name != "attachment" and isinstance(base, str) and "(" not in base:
                yield f"/{told.get('rest_namespace') or 'wp/v2'}/{base}", name in ("post", "page")


def _published(key: str, item_id: str, sha256: str, found: Sequence[Attachment]) -> Published:
    urls = dict.fromkeys(url for one in found for url in one.urls)
    return Published(key, item_id, str(found[0].id), tuple(urls), sha256)


def _swap(
    earlier: Sequence[Published], old: Sequence[Attachment], key: str, new: Attachment
) -> Swap:
    names: dict[str, str] = {}
    for one in old:
        addresses = {name: (url, new.sizes.get(name)) for name, url in one.sizes.items()}
        addresses[""] = (one.original_url or one.source_url, new.original_url)
        for url, successor in addresses.values():
            names[url.rsplit("/", 1)[-1]] = successor or new.source_url
    return Swap(
        keys={one.key for one in earlier},
        ids={one.id for one in old},
        key=key,
        id=new.id,
        names=names,
        url=new.source_url,
        link=new.link,
    )


def _changes(told: Any, swap: Swap) -> dict[str, Any]:
    """What has to change in a post."""
    changes: dict[str, Any] = {}
    if not isinstance(told, dict):
        return changes
    content = told.get("content")
    raw = content.get("raw") if isinstance(content, dict) else None
    if isinstance(raw, str) and (new := swapped(raw, swap)) != raw:
        changes["content"] = new
    if told.get("featured_media") in swap.ids:
        changes["featured_media"] = swap.id
    return changes
