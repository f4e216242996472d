"""What the stand-in plays: a public site, a CMS that keeps our contract, Facebook, Cloudflare.

They follow the documented behaviour; `visible` is what the public can get.
"""

import hashlib
import json
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from itertools import count
from urllib.parse import urlsplit

from mediaguard.channels.signing import SignatureError, verify
from tests.channels.standin import Answer, Request


def as_json(found: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(found).encode(), {"Content-Type": "application/json"})


def small(content: bytes) -> bytes:
    """A derived size."""
    return b"small " + content


@dataclass
class PublicSite:
    """Files by path, behind a cache if `lifetime` says so."""

    files: dict[str, bytes] = field(default_factory=dict)
    lifetime: int = 0
    age: int = 0
    cache: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, request: Request) -> Answer | None:
        path = request.path
        if request.method != "GET":
            return None
        past_the_cache = request.headers.get("cache-control") == "no-cache"
        headers = {}
        if self.lifetime:
            headers = {"Cache-Control": f"public, max-age={self.lifetime}", "Age": str(self.age)}
            if path in self.cache and not past_the_cache:
                return Answer(200, self.cache[path], headers)
        if path not in self.files:
            return None
        if self.lifetime and not past_the_cache:
            self.cache[path] = self.files[path]
        return Answer(200, self.files[path], headers)


@dataclass
class Cms:
    """A website's own system."""

    site: PublicSite
    secrets: tuple[str, ...]
    base: str = ""
    in_place: bool = False
    contents: dict[str, bytes] = field(default_factory=dict)
    public: dict[str, dict] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    _numbers: count = field(default_factory=count)

    def visible(self) -> list[bytes]:
        return [
            self.site.files[urlsplit(one["urls"][0]).path]
            for one in self.public.values()
            if urlsplit(one["urls"][0]).path in self.site.files
        ]

    def __call__(self, request: Request) -> Answer | None:
        if not request.path.startswith("/cms/"):
            return None
        try:
            self.seen.append(verify(self.secrets, request.headers, request.body, time.time()))
        except SignatureError as error:
            return as_json({"message": error.reason}, 401)
        if request.method == "PUT":
            sha256 = request.path.rpartition("/")[2]
            if hashlib.sha256(request.body).hexdigest() != sha256:
                return as_json({"message": "other content"}, 422)
            self.contents[sha256] = request.body
            return Answer(204)
        event = json.loads(request.body)
        return getattr(self, "_" + event["type"].partition(".")[2])(event["data"])

    def _publish(self, data: dict) -> Answer:
        if data["key"] not in self.public:
            if data["sha256"] not in self.contents:
                return as_json({"message": "no content"}, 409)
            self._put(data, f"/media/{next(self._numbers)}.jpg")
        return as_json(self.public[data["key"]])

    def _replace(self, data: dict) -> Answer:
        if data["key"] in self.public:
            return as_json(self.public[data["key"]])
        path = f"/media/{next(self._numbers)}.jpg"
        for key in [key for key, one in self.public.items() if one["id"] in data["replaces"]]:
            if self.in_place:
                path = urlsplit(self.public[key]["urls"][0]).path
            self._take(key)
        self._put(data, path)
        return as_json(self.public[data["key"]])

    def _remove(self, data: dict) -> Answer:
        if data["key"] not in self.public:
            return Answer(410)
        self._take(data["key"])
        return Answer(204)

    def _lookup(self, data: dict) -> Answer:
        found = self.public.get(data["key"])
        return Answer(404) if found is None else as_json(found)

    def _put(self, data: dict, path: str) -> None:
        number = next(self._numbers)
        content = self.contents[data["sha256"]]
        self.site.files[path] = content
        self.site.files[f"/media/small-{number}.jpg"] = small(content)
        urls = [self.base + path, f"{self.base}/media/small-{number}.jpg"]
        self.public[data["key"]] = {"id": str(number), "urls": urls}

    def _take(self, key: str) -> None:
        for url in self.public.pop(key)["urls"]:
            self.site.files.pop(urlsplit(url).path, None)


@dataclass
class Facebook:
    """Of the Graph API what concerns a page's photos, videos and posts."""

    site: PublicSite
    page: str
    token: str
    base: str = ""
    objects: dict[str, dict] = field(default_factory=dict)
    posts: dict[str, str] = field(default_factory=dict)
    part_length: int = 2
    _numbers: count = field(default_factory=lambda: count(1000))

    def visible(self) -> list[bytes]:
        return [content for path, content in self.site.files.items() if not path.endswith("_s.jpg")]

    def __call__(self, request: Request) -> Answer | None:
        begin, _, path = request.path.partition("/graph/v25.0/")
        if begin or not path:
            return None
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.error(190, message=f"Bad token {request.headers.get('authorization')}")
        if path in (f"{self.page}/photos", f"{self.page}/videos"):
            edge = path.partition("/")[2]
            if request.method == "POST":
                return self._upload(edge, request)
            return self._list(edge, request)
        if request.method == "DELETE":
            return self._delete(path)
        known = {**self.objects, **{post: {"id": post} for post in self.posts}}
        return as_json(known[path]) if path in known else self.error(100, 33)

    def error(self, code: int, subcode: int | None = None, **more: object) -> Answer:
        error = {"message": "…", "type": "OAuthException", "code": code, **more}
        if subcode is not None:
            error["error_subcode"] = subcode
        return as_json({"error": error}, 400)

    def _upload(self, edge: str, request: Request) -> Answer:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in message_from_bytes(head + request.body).get_payload()
        }
        number = str(next(self._numbers))
        post = f"{self.page}_{next(self._numbers)}"
        self.posts[post] = number
        if edge == "videos":
            path = f"/fbcdn/{number}.mp4"
            self.site.files[path] = parts["source"]
            self.objects[number] = {
                "id": number,
                "edge": edge,
                "description": parts["description"].decode(),
                "permalink_url": f"/{self.page}/videos/{number}/",
                "source": f"{self.base}{path}?oh=1",
                "post_id": post,
            }
            return as_json({"id": number})
        paths = [f"/fbcdn/{number}_o.jpg", f"/fbcdn/{number}_s.jpg"]
        self.site.files |= dict(zip(paths, [parts["source"], small(parts["source"])], strict=True))
        self.objects[number] = {
            "id": number,
            "edge": edge,
            "name": parts["caption"].decode(),
            "images": [{"source": f"{self.base}{path}?oh=1", "width": 9} for path in paths],
            "link": f"https://www.facebook.com/photo.php?fbid={number}",
            "page_story_id": post,
        }
        return as_json({"id": number, "post_id": post})

    def _list(self, edge: str, request: Request) -> Answer:
        found = [one for one in reversed(self.objects.values()) if one["edge"] == edge]
        start = int(request.query.get("after", "0"))
        part = found[start : start + self.part_length]
        answer: dict = {"data": part}
        if part:
            end = start + len(part)
            answer["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
            if end < len(found):
                answer["paging"]["next"] = f"https://graph.example/?access_token={self.token}"
        return as_json(answer)

    def _delete(self, path: str) -> Answer:
        number = self.posts.pop(path, path)
        if self.objects.pop(number, None) is None:
            return self.error(100, 33)
        self.posts = {post: one for post, one in self.posts.items() if one != number}
        for known in [one for one in self.site.files if number in one]:
            del self.site.files[known]
        return as_json({"success": True})


@dataclass
class CloudflareZone:
    """Of Cloudflare's API the purge."""

    site: PublicSite
    zone: str
    token: str
    purged: list[list[str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer | None:
        if request.line != f"POST /cloudflare/zones/{self.zone}/purge_cache":
            return None
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return as_json({"success": False, "errors": [{"code": 10000, "message": "auth"}]}, 403)
        files = json.loads(request.body)["files"]
        if len(files) > 30:
            return as_json({"success": False, "errors": [{"code": 1, "message": "many"}]}, 400)
        self.purged.append(files)
        for url in files:
            self.site.cache.pop(urlsplit(url).path, None)
        return as_json({"success": True, "errors": [], "result": {"id": self.zone}})
