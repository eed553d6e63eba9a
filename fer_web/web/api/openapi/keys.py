"""Keys of programs, in the OpenAPI document."""

from fer_web.sharing.keys import MAX_KEY_NAME, REMEMBERED_S
from fer_web.web.api.openapi.parts import (
    EMPTY_BODY,
    NO_CONTENT,
    TEXT,
    TIME,
    Json,
    answer,
    body_of,
    described,
    in_path,
    list_of,
    operation,
    or_null,
    record,
    ref,
)

TAG: Json = {
    "name": "Keys",
    "description": "For the person at the server's machine, whose browser opened the address that the server "
    "printed at its start. Everywhere else: `python -m fer_web keys`.",
}

_KEY: Json = {
    "id": described(TEXT, "Opens nothing."),
    "name": TEXT,
    "created_at": TIME,
    "last_used_at": or_null(TIME, "To the minute; null while it was not used."),
    "revoked_at": or_null(TIME, "null while it opens."),
}

_NOT_HOST = {"403": "Somebody else than the host asks: `forbidden`."}

SCHEMAS: Json = {
    "Key": record("A key, without what opens.", **_KEY),
    "NewKey": record(
        "A key, this one time with what opens.",
        **_KEY,
        key={"type": "string", "pattern": "^fer_[A-Za-z0-9_-]{32}$", "description": "Cannot be had again."},
    ),
    "KeyList": record("All keys.", keys=list_of(ref("Key"))),
}

PATHS: Json = {
    "/keys": {
        "get": operation(
            TAG["name"],
            "listKeys",
            "List keys, the newest first",
            {"200": answer(f"Revoked ones stay for {REMEMBERED_S / 86400:.0f} days.", ref("KeyList"))},
            errors=_NOT_HOST,
        ),
        "post": operation(
            TAG["name"],
            "createKey",
            "Make a key",
            {"201": answer("Keep it: it is shown this once.", ref("NewKey"))},
            body=body_of({"name": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_NAME}}, ("name",)),
            errors={"400": "A name that is not allowed, or too many keys: `bad_value`.", **_NOT_HOST},
        ),
    },
    "/keys/{key}": {
        "parameters": [in_path("key", "The key's id.")],
        "delete": operation(
            TAG["name"],
            "revokeKey",
            "Revoke a key, at once",
            {"204": NO_CONTENT},
            body=EMPTY_BODY,
            errors={**_NOT_HOST, "404": "There is no such key: `not_found`."},
        ),
    },
}
