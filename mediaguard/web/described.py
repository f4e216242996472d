"""What the documentation of the API says beyond its routes and models."""

from typing import Any

from fastapi import FastAPI

from mediaguard.web.models import Consent, Consents, MediaByUrl, ProblemBody, Withdrawn
from mediaguard.web.problems import MEDIA_TYPE
from mediaguard.web.senders import HEADER

_SIGNED = (
    "Every request is signed as [Standard Webhooks](https://www.standardwebhooks.com) has it, also "
    "a GET (its body is empty): `v1,` and the base64 of the HMAC-SHA256 over "
    "`{webhook-id}.{webhook-timestamp}.{body}`; the key is what follows `whsec_`, from base64. A "
    "request with the same `webhook-id` and body is done once, and answered as the first time."
)


_SCHEMES = {
    "sender": (HEADER, "Your name in the configuration."),
    "id": ("webhook-id", "New for each request; the same when it is sent again."),
    "timestamp": ("webhook-timestamp", "Now, in Unix seconds; five minutes are forgiven."),
    "signature": ("webhook-signature", _SIGNED),
}

PROBLEMS = {
    400: "The body is not what it says it is.",
    401: "Nobody that is known signed this just now.",
    403: "Not this sender's.",
    404: "There is no such thing, as far as this sender is concerned.",
    408: "The body came too slowly.",
    409: "Not now, or not here.",
    413: "Too large.",
    415: "Neither a form nor JSON.",
    422: "Something in the request is not right.",
    429: "Too many requests; see `Retry-After`.",
    502: "The host named did not give the file just now.",
    503: "Not now; nothing was done. See `Retry-After`.",
    507: "The disk is full; nothing was done.",
}

_ALWAYS = (400, 401, 408, 413, 422, 429, 503)

UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "channel"],
                "additionalProperties": False,
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "channel": {"type": "string", "example": "website-public"},
                    "groups": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": 10,
                        "description": "Look only for subjects of these groups.",
                    },
                    "caption": {"type": "string"},
                    "alt_text": {"type": "string"},
                    "title": {"type": "string"},
                    "file_name": {
                        "type": "string",
                        "description": "Under which it will be shown; else that of the file.",
                    },
                },
            }
        },
        "application/json": {
            "schema": {"$ref": "#/components/schemas/MediaByUrl"},
            "example": {
                "url": "https://www.school.example/uploads/sports-day.jpg",
                "channel": "website-public",
                "caption": "Sports day",
            },
        },
    },
}

CONSENTS = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    {"$ref": "#/components/schemas/Consent"},
                    {"$ref": "#/components/schemas/Withdrawn"},
                    {"$ref": "#/components/schemas/Consents"},
                ]
            },
            "examples": {
                "withdrawal": {
                    "value": {
                        "subject": "S-1001",
                        "channel": "website-public",
                        "answer": "withdraw",
                    }
                },
                "several": {
                    "value": {
                        "consents": [
                            {
                                "subject": "S-1001",
                                "channel": "website-public",
                                "answer": "grant",
                                "signatory": "guardian",
                                "evidence": "parents-app:4711",
                            }
                        ]
                    }
                },
            },
        }
    },
}


def problems(*statuses: int, always: bool = True) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with; `always` adds those of every signed one."""
    every = sorted({*statuses, *(_ALWAYS if always else ())})
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in every
    }


def describe(api: FastAPI) -> None:
    """Complete the documentation of an API when it is first asked for."""
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            _complete(plain())
        return plain()

    api.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = ProblemBody.model_json_schema()
    for model in (MediaByUrl, Consent, Withdrawn, Consents):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    components["securitySchemes"] = {
        name: {"type": "apiKey", "in": "header", "name": header, "description": text}
        for name, (header, text) in _SCHEMES.items()
    }
    everything: dict[str, list[str]] = {name: [] for name in _SCHEMES}
    for path, methods in document["paths"].items():
        if path.startswith("/v1/"):
            for operation in methods.values():
                operation["security"] = [everything]
