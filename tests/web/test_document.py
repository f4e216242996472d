"""The documentation of the API is what the API does: schemathesis calls it as documented."""

import os
import tempfile
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from mediaguard.web.api import Running, make_api
from tests.pipeline.world import CHANNEL
from tests.web.school import Caller, make_school, signed

CHECKED = [
    check
    for check in CHECKS.get_all()
    if check.__name__
    in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
    )
]


class Signer(requests.auth.AuthBase):
    """Signs what is about to be sent, byte for byte."""

    def __call__(self, request):
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode()
        request.headers.update(signed(body, sender="parents"))
        return request


class _Here:
    """The API as somebody on this machine reaches it."""

    def __init__(self, api) -> None:
        self.api = api

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            headers = [*others, (b"host", b"127.0.0.1")]
            scope = {**scope, "client": ("127.0.0.1", 50000), "headers": headers}
        await self.api(scope, receive, send)


_folder = tempfile.TemporaryDirectory()
_world = make_school(Path(_folder.name))
_running = Running()
_running.stopping.set()  # nobody waits for decisions
_schema = schemathesis.openapi.from_asgi("/openapi.json", _Here(make_api(_world, running=_running)))


@_schema.parametrize()
@settings(
    max_examples=int(os.environ.get("MEDIAGUARD_API_EXAMPLES", "12")),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
    derandomize="MEDIAGUARD_API_EXAMPLES" not in os.environ,
    database=None,
)
def test_the_api_does_what_its_documentation_says(case):
    session = requests.Session()
    session.auth = Signer()
    response = case.call(session=session)
    case.validate_response(response, checks=CHECKED)


@pytest.fixture(scope="module")
def document():
    return _schema.raw_schema


def test_everything_is_described(document):
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert {f"{method.upper()} {path}" for path, method, _ in operations} == {
        "POST /v1/media",
        "GET /v1/media/{item_id}",
        "GET /v1/media/{item_id}/rendition",
        "POST /v1/consents",
        "GET /v1/publications",
        "GET /v1/takedowns",
        "POST /v1/takedowns",
        "GET /health",
    }
    for path, _, operation in operations:
        assert operation["description"]
        if path.startswith("/v1/"):
            (scheme,) = operation["security"]
            assert set(scheme) == {"sender", "id", "timestamp", "signature"}
            assert "application/problem+json" in operation["responses"]["401"]["content"]
    assert set(document["components"]["securitySchemes"]) == set(scheme)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document):
    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    known = document["components"]["schemas"]
    for reference in walk(document):
        assert reference.removeprefix("#/components/schemas/") in known


def test_what_comes_out_is_as_documented(photo):
    """Of the answers that schemathesis cannot get by chance."""
    caller = Caller(_world, "parents")
    taken = caller.upload(photo("S-1", "X"))
    assert taken.status_code == 202
    caller.work()
    item = taken.json()["id"]
    _world.desk.withdraw("S-1", CHANNEL)
    for path in ("/v1/media/{item_id}", "/v1/publications", "/v1/takedowns"):
        answer = caller.get(path.format(item_id=item))
        assert answer.status_code == 200
        _schema[path]["GET"].validate_response(answer)
