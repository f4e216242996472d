"""Facebook's Graph API: its calls, and what its errors mean."""

from collections.abc import Mapping
from typing import Any

import httpx

from mediaguard.channels.waiting import retry_after
from mediaguard.channels.web import Web, json_of, odd_answer
from mediaguard.errors import ChannelError

_GONE = (100, 33)
"""Code and subcode: no such object, or not for this token; `Graph.check` tells the two apart."""

_CREDENTIALS = {10, 102, 190, *range(200, 300)}
_TOO_MANY_CALLS = {4, 17, 32, 613, 80001}
_TROUBLE = {1, 2}


class Graph:
    """Calls the Graph API for one page.

    Args:
        page: the page's id.
        token: a page token; it goes into a header, never into an address.
        api: where the API is, with its version.
        web: for the calls.
    """

    def __init__(self, page: str, token: str, *, api: str, web: Web) -> None:
        self.page = page
        self._api = api.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._web = web

    def get(self, path: str, **params: object) -> dict[str, Any] | None:
        """The answer to a question; None if there is no such object."""
        return self._call("GET", path, params=params)

    def post(
        self, edge: str, *, data: Mapping[str, str], files: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Upload something to an edge of the page; the answer, which has its id."""
        answer = self._call("POST", f"{self.page}/{edge}", data=data, files=files)
        if answer is None:
            raise self._blind()
        if not isinstance(answer.get("id"), str) or not answer["id"]:
            raise self.odd("id")
        return answer

    def list(self, edge: str, **params: object) -> tuple[list[dict[str, Any]], str | None]:
        """A part of what was uploaded to an edge of the page, newest first, and the next cursor.

        The ready-made address of the next part is not used: it holds the token.
        """
        answer = self.get(f"{self.page}/{edge}", type="uploaded", **params)
        if answer is None:
            raise self._blind()
        if not isinstance(answer.get("data"), list):
            raise self.odd("data")
        paging = answer.get("paging")
        paging = paging if isinstance(paging, dict) else {}
        cursors = paging.get("cursors")
        after = cursors.get("after") if isinstance(cursors, dict) else None
        more = "next" in paging and isinstance(after, str)
        return [one for one in answer["data"] if isinstance(one, dict)], after if more else None

    def delete(self, object_id: str) -> None:
        """Delete an object; nothing happens if there is none."""
        answer = self._call("DELETE", object_id)
        if answer is not None and answer.get("success") is not True:
            raise self.odd("success")

    def check(self) -> None:
        """Make sure that the token may still see what the page shows.

        Facebook says of what a token may not see that it does not exist.
        """
        self.list("photos", fields="id", limit=1)

    def odd(self, detail: str) -> ChannelError:
        """The error for an answer that is not as documented."""
        return ChannelError("channel-answer", host=self._host, detail=detail)

    def _blind(self) -> ChannelError:
        return ChannelError("channel-credentials", host=self._host, status=400)

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        response = self._web.call(
            method,
            f"{self._api}/{path}",
            accept=range(400, 500),
            headers=self._headers,
            **more,
        )
        if response.is_success:
            answer = json_of(response)
            if not isinstance(answer, dict):
                raise odd_answer(response, "no JSON object")
            return answer
        if _means_gone(response):
            return None
        raise self._error(response)

    def _error(self, response: httpx.Response) -> ChannelError:
        error = _error_in(response)
        host, status = self._host, response.status_code
        code = error["code"] if isinstance(error.get("code"), int) else None
        if code in _CREDENTIALS:
            return ChannelError("channel-credentials", host=host, status=status)
        if code in _TOO_MANY_CALLS:
            return ChannelError("channel-busy", retry_after=retry_after(response), host=host)
        if code in _TROUBLE or error.get("is_transient") is True:
            return ChannelError("channel-failed", host=host, status=status)
        return self._web.refusal(response)

    @property
    def _host(self) -> str:
        return httpx.URL(self._api).host


def _means_gone(response: httpx.Response) -> bool:
    error = _error_in(response)
    return response.status_code == 404 or (error.get("code"), error.get("error_subcode")) == _GONE


def _error_in(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}
