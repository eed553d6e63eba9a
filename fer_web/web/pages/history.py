"""Pages of the history."""

from flask import Blueprint, Response, make_response, render_template, request

from fer_web import __version__
from fer_web.errors import InvalidValueError, NotFoundError, SharedSessionGoneError
from fer_web.history.types import Session
from fer_web.web.answers import keep_private
from fer_web.web.api.sessions_access import HistoryAccess
from fer_web.web.api.sessions_json import session_to_wire
from fer_web.web.pages.live import PageOptions

MAX_COMPARED = 4


def history_pages_blueprint(options: PageOptions, history: HistoryAccess) -> Blueprint:
    """/history, /history/ID and /compare."""
    pages = Blueprint("history_pages", __name__)

    def render(template: str, *sessions: Session) -> Response:
        requester = history.owners.requester()
        wire = {
            **options.to_wire(),
            "retention_days": history.retention_days,
            "is_host": requester.is_host,
            "read_only": any(map(history.is_read_only, sessions)),
            "sessions": [session_to_wire(session, requester.owner) for session in sessions],
        }
        return keep_private(make_response(render_template(template, options=wire, version=__version__)))

    def find(session_id: str) -> Session:
        return history.call(history.repository.get_session, session_id, history.owners.requester().scope)

    def find_shared(session_id: str) -> Session:
        try:
            return history.call(history.repository.get_session, session_id, history.reading_scope(session_id))
        except NotFoundError as exc:
            if not history.admission().may_read(session_id):
                raise
            raise SharedSessionGoneError(
                "The host has deleted the session that your link showed. Ask the host if that was a mistake."
            ) from exc

    @pages.get("/history")
    def session_list() -> Response:
        return render("history.html")

    @pages.get("/history/<session_id>")
    def session(session_id: str) -> Response:
        return render("history_session.html", find_shared(session_id))

    @pages.get("/compare")
    def compare() -> Response:
        return render("compare.html", *map(find, _compared_ids()))

    return pages


def _compared_ids() -> list[str]:
    ids = list(dict.fromkeys(filter(None, request.args.get("ids", "").split(","))))
    if not 2 <= len(ids) <= MAX_COMPARED:
        raise InvalidValueError(
            f"2 to {MAX_COMPARED} different sessions can be compared; {len(ids)} came. "
            "Choose them on the history page."
        )
    return ids
