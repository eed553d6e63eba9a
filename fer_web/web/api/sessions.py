"""The history over HTTP: validate, call, reply. docs/api.md lists the addresses."""

import contextlib
import threading
from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, request

from fer_web.errors import DatabaseFullError, ForbiddenError, ProtocolError, ServerFullError
from fer_web.history.export import export_format, file_name
from fer_web.history.json_reader import MAX_IMPORT_BYTES
from fer_web.history.quota import check_quota
from fer_web.history.repository import UNDO_S
from fer_web.history.types import SessionFilter
from fer_web.web.answers import attachment, keep_private
from fer_web.web.api.received_files import received_body
from fer_web.web.api.session_parts import PartsWanted
from fer_web.web.api.sessions_access import HistoryAccess
from fer_web.web.api.sessions_json import details_to_wire, marker_to_wire, session_to_wire
from fer_web.web.request_values import (
    SESSIONS_PATH,
    check_write,
    day_argument,
    face_of,
    flag_argument,
    is_write,
    json_body,
    number_argument,
    seconds_of,
    whole_argument,
)

MAX_SMOOTHING_S = 60.0
MOST_POINTS = 20_000
"""Of one face in a thinned answer: more than any screen has columns."""
_AT_S = 1e9
MAX_IMPORTS = 4
"""Imports at the same time: each may fill MAX_IMPORT_BYTES of the disk, and more of the memory."""


def history_api_blueprint(history: HistoryAccess) -> Blueprint:
    """Routes under SESSIONS_PATH."""
    api = Blueprint("history_api", __name__, url_prefix=SESSIONS_PATH)
    api.before_request(_check)
    api.after_request(keep_private)
    _add_list_routes(api, history)
    _add_session_routes(api, history)
    _add_marker_routes(api, history)
    _add_face_routes(api, history)
    _add_data_routes(api, history)
    _add_file_routes(api, history)
    return api


def _check() -> None:
    if is_write():
        check_write()


def _add_list_routes(api: Blueprint, history: HistoryAccess) -> None:
    @api.get("")
    def list_sessions() -> Response:
        requester = history.owners.requester()
        page = history.call(history.repository.list_sessions, _wanted(), requester.scope)
        return jsonify(
            sessions=[session_to_wire(session, requester.owner) for session in page.sessions],
            next=page.next,
            total=page.total,
            tags=history.call(history.repository.list_tags, requester.scope),
            retention_days=history.retention_days,
        )

    @api.delete("")
    def delete_all() -> Response:
        json_body()
        requester = history.owners.requester()
        is_for_everyone = flag_argument("everyone")
        if is_for_everyone and not requester.is_host:
            raise ForbiddenError("Only the person at this machine may delete what others recorded.")
        owner = None if is_for_everyone else requester.owner
        return jsonify(deleted=history.call(history.repository.delete_all, owner))


def _wanted() -> SessionFilter:
    return SessionFilter(
        search=request.args.get("search", ""),
        tag=request.args.get("tag", ""),
        since=day_argument("from"),
        until=day_argument("to", days_later=1),
        cursor=request.args.get("cursor") or None,
        limit=whole_argument("limit", low=1, high=200) or 50,
    )


def _add_session_routes(api: Blueprint, history: HistoryAccess) -> None:
    @api.get("/<session_id>")
    def details(session_id: str) -> Response:
        scope = history.reading_scope(session_id)
        session = history.call(history.repository.get_session, session_id, scope)
        faces = history.call(history.repository.list_faces, session_id, scope)
        return jsonify(details_to_wire(session, faces, history.owners.requester().owner))

    @api.patch("/<session_id>")
    def update(session_id: str) -> Response:
        requester = history.owners.requester()
        changes = json_body("name", "notes", "tags")
        session = history.call(history.repository.update_session, session_id, requester.scope, **changes)
        return jsonify(session_to_wire(session, requester.owner))

    @api.delete("/<session_id>")
    def delete(session_id: str) -> Response:
        json_body()
        history.call(history.repository.delete_session, session_id, history.owners.requester().scope)
        return jsonify(undo_s=UNDO_S)

    @api.post("/<session_id>/restore")
    def restore(session_id: str) -> Response:
        json_body()
        requester = history.owners.requester()
        session = history.call(history.repository.restore_session, session_id, requester.scope)
        return jsonify(session_to_wire(session, requester.owner))


def _add_marker_routes(api: Blueprint, history: HistoryAccess) -> None:
    @api.post("/<session_id>/markers")
    def add_marker(session_id: str) -> tuple[Response, int]:
        body = json_body("at_s", "text")
        if body.keys() != {"at_s", "text"}:
            raise ProtocolError("A marker needs at_s and text.")
        marker = history.call(
            history.repository.add_marker,
            session_id,
            history.owners.requester().scope,
            seconds_of(body["at_s"]),
            body["text"],
        )
        return jsonify(marker_to_wire(marker)), 201

    @api.patch("/<session_id>/markers/<marker_id>")
    def update_marker(session_id: str, marker_id: str) -> Response:
        changes = json_body("at_s", "text")
        if "at_s" in changes:
            changes["at_s"] = seconds_of(changes["at_s"])
        scope = history.owners.requester().scope
        marker = history.call(history.repository.update_marker, session_id, scope, marker_id, **changes)
        return jsonify(marker_to_wire(marker))

    @api.delete("/<session_id>/markers/<marker_id>")
    def delete_marker(session_id: str, marker_id: str) -> Response:
        json_body()
        scope = history.owners.requester().scope
        history.call(history.repository.delete_marker, session_id, scope, marker_id)
        return jsonify(deleted=1)


def _add_face_routes(api: Blueprint, history: HistoryAccess) -> None:
    @api.patch("/<session_id>/faces/<int:face>")
    def update_person(session_id: str, face: int) -> Response:
        changes = json_body("name", "same_as")
        if "same_as" in changes:
            changes["same_as"] = face_of(changes["same_as"])
        scope = history.owners.requester().scope
        faces = history.call(history.repository.update_person, session_id, scope, face, **changes)
        return jsonify(face_list=[vars(each) for each in faces], faces=len({each.person for each in faces}))


def _add_data_routes(api: Blueprint, history: HistoryAccess) -> None:
    @api.get("/<session_id>/samples")
    def samples(session_id: str) -> Response:
        wanted = PartsWanted(
            "samples",
            session_id,
            history.reading_scope(session_id),
            face=_face(),
            smoothing_s=_smoothing_s(),
            with_boxes=flag_argument("boxes"),
            points=whole_argument("points", low=1, high=MOST_POINTS),
            from_s=_moment("from_s"),
            to_s=_moment("to_s"),
        )
        return Response(history.parts_of(wanted), mimetype="application/json")

    @api.get("/<session_id>/summary")
    def summary(session_id: str) -> Response:
        scope = history.reading_scope(session_id)
        wanted = PartsWanted("summary", session_id, scope, face=_face(), smoothing_s=_smoothing_s())
        return Response(history.parts_of(wanted), mimetype="application/json")


def _face() -> int | None:
    return whole_argument("face", low=0, high=2**31 - 1)


def _moment(name: str) -> float | None:
    """Seconds since the start, from the address; None where it is absent."""
    return number_argument(name, 0.0, low=0.0, high=_AT_S) if request.args.get(name) else None


def _smoothing_s() -> float:
    return number_argument("smoothing_s", 0.0, low=0.0, high=MAX_SMOOTHING_S)


def _add_file_routes(api: Blueprint, history: HistoryAccess) -> None:
    slots = threading.Semaphore(MAX_IMPORTS)

    @api.get("/<session_id>/export")
    def export(session_id: str) -> Response:
        wanted = export_format(request.args.get("format", "csv"))
        scope = history.reading_scope(session_id)
        session = history.call(history.repository.get_session, session_id, scope)
        parts = history.parts_of(PartsWanted("export", session_id, scope, format=wanted.name))
        return attachment(parts, wanted.media_type, file_name(session, wanted))

    @api.post("/import")
    def import_session() -> tuple[Response, int]:
        requester = history.owners.requester()
        if not history.admission().is_local:
            check_quota(history.call(history.repository.use_of, requester.owner), new_sessions=1)
        with _one_of(slots), received_body(MAX_IMPORT_BYTES, DatabaseFullError) as file:
            stored = history.import_file(file, requester.owner)
        return jsonify(session_to_wire(stored, requester.owner)), 201


@contextlib.contextmanager
def _one_of(slots: threading.Semaphore) -> Iterator[None]:
    """Holds a slot for an import. Raises ServerFullError: there is none."""
    if not slots.acquire(blocking=False):
        raise ServerFullError(f"{MAX_IMPORTS} imports are under way, more are not allowed. Try again later.")
    try:
        yield
    finally:
        slots.release()
