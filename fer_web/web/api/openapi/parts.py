"""Defines what the parts of the OpenAPI document are made of."""

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
BOOLEAN: Json = {"type": "boolean"}
COUNT: Json = {"type": "integer", "minimum": 0}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
SIGNED: Json = {"type": "number", "minimum": -1, "maximum": 1}
SECONDS: Json = {"type": "number", "minimum": 0}
TIME: Json = {"type": "string", "format": "date-time"}


def ref(name: str) -> Json:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def described(schema: Json, description: str) -> Json:
    """A schema with what it means."""
    return {**schema, "description": description}


def or_null(schema: Json, description: str) -> Json:
    """A schema, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}], "description": description}
    return {**schema, "type": [schema["type"], "null"], "description": description}


def list_of(schema: Json, **limits: Any) -> Json:
    """A list."""
    return {"type": "array", "items": schema, **limits}


def record(description: str, optional: Json | None = None, /, **properties: Json) -> Json:
    """An object with these properties, all there, and no others; `optional` ones may be there too."""
    return {
        "type": "object",
        "description": description,
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def body_of(properties: Json, required: tuple[str, ...] = ()) -> Json:
    """A JSON body with some of these properties, at least the required ones, and no others."""
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def file_body(field: str, kinds: str, media_type: str) -> Json:
    """One file: its bytes alone, or in a form's field. Args: kinds: that are read, in words."""
    file: Json = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "properties": {field: file},
        "required": [field],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "description": f"{kinds}: its bytes alone, with any media type but JSON's or a plain form's, or a "
        f"form with one file in the field `{field}`.",
        "content": {
            "application/octet-stream": {"schema": file},
            media_type: {"schema": file},
            "multipart/form-data": {"schema": form},
        },
    }


EMPTY_BODY: Json = body_of({})
"""Writes that take nothing have this: they must be announced as JSON all the same."""


def query(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    """A parameter after the question mark; an empty one counts as absent, but for choices."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "schema": schema,
        "description": description,
        "allowEmptyValue": "enum" not in schema,
    }


FLAG: Json = {"type": "string", "enum": ["0", "1"], "default": "0"}


def in_path(name: str, description: str, schema: Json | None = None) -> Json:
    """A part of the address; an id where no schema is given."""
    schema = schema or {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9_-]+$"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def answer(description: str, schema: Json) -> Json:
    """An answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_CONTENTS: Json = {"application/json": {"type": "object"}}


def file_answer(description: str, *media_types: str) -> Json:
    """An answer that is a file."""
    return {
        "description": description,
        "headers": {
            "Content-Disposition": {"schema": TEXT, "description": "A name that the file may be given."}
        },
        "content": {kind: {"schema": _CONTENTS.get(kind, TEXT)} for kind in media_types},
    }


NO_CONTENT: Json = {"description": "Done; there is nothing to say."}


def error(description: str) -> Json:
    """An answer that says what is wrong."""
    return answer(description, ref("Error"))


def error_or_null(description: str) -> Json:
    """An error of a part of the answer."""
    return or_null(record("", code=TEXT, message=TEXT, retryable=BOOLEAN), description)


def operation(
    tag: str,
    name: str,
    summary: str,
    answers: dict[str, Json],
    /,
    *,
    description: str = "",
    parameters: tuple[Json, ...] = (),
    body: Json | None = None,
    errors: dict[str, str] | None = None,
) -> Json:
    """Describe what one method of an address does.

    Args:
        name: for programs that make clients from the document.
        answers: by status, of success.
        errors: by status, what is wrong then; every other error has the same shape.
    """
    made: Json = {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "responses": {
            **answers,
            **{status: error(text) for status, text in (errors or {}).items()},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if description:
        made["description"] = description
    if parameters:
        made["parameters"] = list(parameters)
    if body is not None:
        made["requestBody"] = body
    return made
