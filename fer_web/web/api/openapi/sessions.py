"""The history in the OpenAPI document."""

from fer_web.history.export import FORMATS
from fer_web.history.session_texts import (
    MAX_MARKER_TEXT,
    MAX_NAME,
    MAX_NOTES,
    MAX_PERSON_NAME,
    MAX_SEARCH,
    MAX_TAG,
    MAX_TAGS,
)
from fer_web.web.api.openapi.parts import (
    COUNT,
    EMPTY_BODY,
    FLAG,
    SECONDS,
    TEXT,
    Json,
    answer,
    body_of,
    described,
    file_answer,
    in_path,
    list_of,
    operation,
    query,
    record,
    ref,
)
from fer_web.web.api.openapi.session_schemas import SCHEMAS

__all__ = ["PATHS", "SCHEMAS", "TAG"]

TAG: Json = {
    "name": "Sessions",
    "description": "What was recorded over time. A key sees what was made with it, the host sees all.",
}

_NAME = {"type": "string", "maxLength": MAX_NAME}
_TAG = {"type": "string", "minLength": 1, "maxLength": MAX_TAG}
_MARKER = {"at_s": SECONDS, "text": {"type": "string", "maxLength": MAX_MARKER_TEXT}}
_DAY = {"type": "string", "format": "date"}
_BAD_VALUE = {"400": "A value that is not allowed: `bad_value`, `bad_message`."}
_UNKNOWN = {"404": "There is no such session, or it is somebody else's: `not_found`."}
_BOTH = {**_BAD_VALUE, **_UNKNOWN}
_ID = in_path("session", "The session's id.")
_MARKER_ID = in_path("marker", "The marker's id.")
_FACE_NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_FACE = query("face", _FACE_NUMBER, "Only the person of this face.")
_FACE_ID = in_path("face", "The face's number.", _FACE_NUMBER)
_MOMENT = {"type": "number", "minimum": 0, "maximum": 1e9}
_SMOOTHING = query(
    "smoothing_s",
    {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
    "Time constant of a smoothing of the scores, in seconds.",
)


def _op(name: str, summary: str, answers: Json, **options: object) -> Json:
    return operation(TAG["name"], name, summary, answers, **options)  # type: ignore[arg-type]


_DELETED = record("What was deleted.", deleted=COUNT)

_LIST_PARAMETERS = (
    query("search", {"type": "string", "maxLength": MAX_SEARCH}, "Words that name, notes or tags all have."),
    query("tag", {"type": "string", "maxLength": MAX_TAG}, "Sessions with this tag."),
    query("from", _DAY, "Not before this day (UTC)."),
    query("to", _DAY, "Not after this day (UTC)."),
    query("cursor", TEXT, "`next` of the page before."),
    query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Sessions on a page."),
)

PATHS: Json = {
    "/sessions": {
        "get": _op(
            "listSessions",
            "List sessions, the newest first",
            {"200": answer("A page of them.", ref("SessionList"))},
            parameters=_LIST_PARAMETERS,
            errors=_BAD_VALUE,
        ),
        "delete": _op(
            "deleteAllSessions",
            "Delete all of one's own sessions, for good",
            {"200": answer("How many there were.", _DELETED)},
            parameters=(query("everyone", FLAG, "1 deletes those of all; only the host may."),),
            body=EMPTY_BODY,
            errors={**_BAD_VALUE, "403": "Somebody else than the host asks for everyone's: `forbidden`."},
        ),
    },
    "/sessions/import": {
        "post": _op(
            "importSession",
            "Store a session that was exported as JSON or CSV",
            {"201": answer("It is stored.", ref("Session"))},
            body={
                "required": True,
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "text/csv": {"schema": {"type": "string"}},
                },
                "description": "A JSON or CSV export, up to 400 MB and 1.5 million samples.",
            },
            errors={
                "400": "The file is no such export: `bad_import`.",
                "409": "A visitor, or a key, has as much here as one may: `history_full`.",
                "503": "Too many at once: `server_full`.",
            },
        )
    },
    "/sessions/{session}": {
        "parameters": [_ID],
        "get": _op(
            "getSession",
            "Read a session",
            {"200": answer("All but its samples.", ref("SessionDetails"))},
            errors=_UNKNOWN,
        ),
        "patch": _op(
            "updateSession",
            "Change a session's name, notes or tags",
            {"200": answer("As it is now.", ref("Session"))},
            body=body_of(
                {
                    "name": _NAME,
                    "notes": {"type": "string", "maxLength": MAX_NOTES},
                    "tags": list_of(_TAG, maxItems=MAX_TAGS),
                }
            ),
            errors=_BOTH,
        ),
        "delete": _op(
            "deleteSession",
            "Delete a session; it can be restored for a while",
            {"200": answer("It is deleted.", record("For how long it can be restored.", undo_s=COUNT))},
            body=EMPTY_BODY,
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/restore": {
        "parameters": [_ID],
        "post": _op(
            "restoreSession",
            "Take back a deletion",
            {"200": answer("It is there again.", ref("Session"))},
            body=EMPTY_BODY,
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/samples": {
        "parameters": [_ID],
        "get": _op(
            "getSamples",
            "Read a session's samples",
            {"200": answer("In columns.", ref("Samples"))},
            parameters=(
                _FACE,
                _SMOOTHING,
                query("boxes", FLAG, "1 adds where the faces were."),
                query(
                    "points",
                    {"type": "integer", "minimum": 1, "maximum": 20_000},
                    "Thins long sessions: of each face about so many means, enough to draw.",
                ),
                query("from_s", _MOMENT, "The first second of a window."),
                query("to_s", _MOMENT, "The last second of a window."),
            ),
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/summary": {
        "parameters": [_ID],
        "get": _op(
            "getSummary",
            "Read a session as a whole",
            {"200": answer("Shares, transitions, peaks.", ref("Summary"))},
            parameters=(_FACE, _SMOOTHING),
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/export": {
        "parameters": [_ID],
        "get": _op(
            "exportSession",
            "Download a session as a file",
            {"200": file_answer("The file.", *sorted({item.media_type for item in FORMATS.values()}))},
            parameters=(
                query("format", {"type": "string", "enum": list(FORMATS), "default": "csv"}, "Kind of file."),
            ),
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/faces/{face}": {
        "parameters": [_ID, _FACE_ID],
        "patch": _op(
            "updatePerson",
            "Name the person of a face, or say which face shows the same person",
            {"200": answer("All faces as they are now.", ref("FaceList"))},
            body=body_of(
                {
                    "name": {"type": "string", "maxLength": MAX_PERSON_NAME},
                    "same_as": described(_FACE_NUMBER, "Its own number takes the face apart again."),
                }
            ),
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/markers": {
        "parameters": [_ID],
        "post": _op(
            "addMarker",
            "Name a moment of a session",
            {"201": answer("It is stored.", ref("Marker"))},
            body=body_of(_MARKER, ("at_s", "text")),
            errors=_BOTH,
        ),
    },
    "/sessions/{session}/markers/{marker}": {
        "parameters": [_ID, _MARKER_ID],
        "patch": _op(
            "updateMarker",
            "Move or rename a marker",
            {"200": answer("As it is now.", ref("Marker"))},
            body=body_of(_MARKER),
            errors=_BOTH,
        ),
        "delete": _op(
            "deleteMarker",
            "Remove a marker",
            {"200": answer("It is gone.", described(_DELETED, "How many were removed."))},
            body=EMPTY_BODY,
            errors=_BOTH,
        ),
    },
}
