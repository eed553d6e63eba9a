"""The OpenAPI document as a page shows it: areas, operations, and a command that tries each."""

import json
import shlex
from dataclasses import dataclass
from typing import Final

from fer_web.web.api.openapi.parts import Json

_METHODS: Final = ("get", "post", "patch", "put", "delete")
_JSON: Final = "application/json"
_FORM: Final = "multipart/form-data"
_BINARY: Final = "application/octet-stream"
_CONTINUED: Final = " \\\n  "
_SAMPLES: Final = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "object": {}}


@dataclass(frozen=True)
class Answer:
    """This comes back. `schema`: of JSON, None for files and nothing; `media_types`: of files."""

    status: str
    description: str
    schema: Json | None
    media_types: tuple[str, ...]

    @property
    def is_error(self) -> bool:
        """Tell whether it says what is wrong."""
        return not self.status.startswith("2")


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    Attributes:
        parameters: as in the document, those of the address first.
        bodies: media types of what it takes, with their schemas.
        example: a command for a shell.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    parameters: tuple[Json, ...]
    body_text: str
    bodies: tuple[tuple[str, Json], ...]
    answers: tuple[Answer, ...]
    example: str


@dataclass(frozen=True)
class Area:
    """Operations of the same tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]

    @property
    def anchor(self) -> str:
        """Return its place on the page."""
        return self.name.lower().replace(" ", "-")


def areas_of(document: Json, url: str) -> list[Area]:
    """The document's operations, in the order of its tags. `url`: of the server, with no slash at its end."""
    operations = [
        (item[method]["tags"][0], _operation(method, path, item, url))
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    return [
        Area(tag["name"], tag["description"], tuple(each for name, each in operations if name == tag["name"]))
        for tag in document["tags"]
    ]


def _operation(method: str, path: str, item: Json, url: str) -> Operation:
    made = item[method]
    body = made.get("requestBody", {})
    return Operation(
        method=method.upper(),
        path=path,
        name=made["operationId"],
        summary=made["summary"],
        description=made.get("description", ""),
        parameters=(*item.get("parameters", ()), *made.get("parameters", ())),
        body_text=body.get("description", ""),
        bodies=tuple((kind, content["schema"]) for kind, content in body.get("content", {}).items()),
        answers=tuple(
            _answer(status, each) for status, each in made["responses"].items() if status != "default"
        ),
        example=_command(method.upper(), path, made, url),
    )


def _answer(status: str, answer: Json) -> Answer:
    content = answer.get("content", {})
    schema = content.get(_JSON, {}).get("schema")
    return Answer(status, answer["description"], schema, tuple(kind for kind in content if kind != _JSON))


def _command(method: str, path: str, made: Json, url: str) -> str:
    """A command as for bash, with a key; what is to be filled in stands in capitals."""
    saves = any(_JSON not in answer.get("content", {_JSON: 0}) for answer in _successes(made))
    words = ["curl", *(() if method == "GET" else (f"-X {method}",)), *(("-OJ",) if saves else ())]
    address = shlex.quote(_filled(f"{url}{path}") + _required_query(made))
    lines = [f"{' '.join(words)} {address}", '-H "Authorization: Bearer $KEY"']
    return _CONTINUED.join(lines + _body_words(made.get("requestBody", {}).get("content", {})))


def _filled(address: str) -> str:
    """An address with `{session}` as SESSION."""
    parts = address.split("/")
    return "/".join(part[1:-1].upper() if part.startswith("{") else part for part in parts)


def _required_query(made: Json) -> str:
    names = [
        each["name"] for each in made.get("parameters", ()) if each["in"] == "query" and each["required"]
    ]
    return "?" + "&".join(f"{name}={name.upper()}" for name in names) if names else ""


def _successes(made: Json) -> list[Json]:
    return [answer for status, answer in made["responses"].items() if status in ("200", "201")]


def _body_words(content: Json) -> list[str]:
    if _BINARY in content:
        return [f"-H 'Content-Type: {_BINARY}'", "--data-binary @FILE"]
    if _JSON not in content:
        return []
    sample = json.dumps(_sample(content[_JSON]["schema"]))
    return [f"-H 'Content-Type: {_JSON}'", f"-d {shlex.quote(sample)}"]


def _sample(schema: Json) -> object:
    """A value that fits."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_sample(schema["items"])]
    if "properties" in schema:
        return {name: _sample(each) for name, each in schema["properties"].items()}
    return schema.get("default", _SAMPLES[schema["type"]])
