"""The OpenAPI document of the HTTP API: each area of addresses has a module with TAG, PATHS and SCHEMAS."""

from collections.abc import Sequence
from types import ModuleType

from fer_web import __version__
from fer_web.web.api.openapi import events, folder_tests, keys, predict, service, sessions, videos
from fer_web.web.api.openapi.parts import Json, answer, ref

AREAS: Sequence[ModuleType] = (predict, videos, folder_tests, sessions, events, keys, service)
"""The page about the API shows them in this order."""

PREFIX = "/api/v1"

_DESCRIPTION = """\
The same analysis that the pages use. Programs on the server's own machine need no key. Programs elsewhere,
and those whose results should stand in a history of their own, send `Authorization: Bearer fer_...` with a
key that the person at the server's machine made.

Every error has the same shape: a `code` that stays as it is, a `message` for people, and `retryable`: whether
the same request may succeed later. Bodies need a `Content-Length`.
"""

_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key that the person at the server's machine made: `python -m fer_web keys create NAME`",
}


def build_document() -> Json:
    """OpenAPI 3.1, as plain JSON types."""
    schemas: Json = {"Error": _error_schema()}
    paths: Json = {}
    for area in AREAS:
        schemas.update(area.SCHEMAS)
        paths.update({f"{PREFIX}{path}": item for path, item in area.PATHS.items()})
    return {
        "openapi": "3.1.0",
        "info": {"title": "fer-web", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{}, {"key": []}],
        "tags": [area.TAG for area in AREAS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"Error": answer("Something is wrong; the body says what.", ref("Error"))},
            "securitySchemes": {"key": _SECURITY},
        },
    }


def _error_schema() -> Json:
    error = {
        "type": "object",
        "properties": {
            "code": {
                "type": "string",
                "pattern": "^[a-z_]+$",
                "description": "Stays as it is: for programs.",
            },
            "message": {
                "type": "string",
                "minLength": 1,
                "description": "What is wrong, what is allowed, and what to do: for people.",
            },
            "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
        },
        "required": ["code", "message", "retryable"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": "The one shape of all errors.",
        "properties": {"error": error},
        "required": ["error"],
        "additionalProperties": False,
    }
