"""Errors over HTTP: a plain page for people, the one JSON shape for programs, never a traceback."""

import logging

from flask import Flask, Response, current_app, jsonify, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response as BaseResponse

from fer_web.errors import (
    DatabaseError,
    FerWebError,
    InternalError,
    KeyRefusedError,
    ShareError,
    TooManyGuessesError,
)
from fer_web.web.answers import keep_private
from fer_web.web.request_values import site_path

_log = logging.getLogger(__name__)

SHARE_HEADINGS = {
    "link_needed": "You need a link",
    "link_unknown": "No link has this address",
    "link_expired": "The time of this link is over",
    "link_revoked": "This link was withdrawn",
    "sharing_stopped": "Sharing has ended",
    "visitor_removed": "The host has removed you",
    "too_many_guesses": "Too many wrong links",
    "session_gone": "This session is no longer there",
}
"""The page ask.html says these above the error's own text, by its code."""


def register_error_handlers(app: Flask) -> None:
    """Attach the handlers."""
    app.register_error_handler(FerWebError, _on_known)
    app.register_error_handler(ShareError, _on_share)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_unknown)


def _on_known(error: FerWebError) -> Response:
    if isinstance(error, DatabaseError):
        _log.warning("A request failed: %s", error)
    answer = _respond(error.http_status, error.to_wire())
    if isinstance(error, KeyRefusedError):
        answer.headers["WWW-Authenticate"] = "Bearer"
        keep_private(answer)
    return answer


def _on_share(error: ShareError) -> Response:
    if _wants_page():
        heading = SHARE_HEADINGS.get(error.code, "Your link does not open this")
        page = render_template("ask.html", heading=heading, message=str(error), code=error.code)
        answer = make_response(page, error.http_status)
    else:
        answer = make_response(jsonify(error=error.to_wire()), error.http_status)
    keep_private(answer)  # what a link opens changes with the host's next decision
    if isinstance(error, TooManyGuessesError):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _on_http(error: HTTPException) -> BaseResponse:
    meant = _address_without_slash() if isinstance(error, NotFound) else None
    if meant is not None:
        return redirect(site_path(meant), 308)
    status = error.code or 500
    name = error.name.lower().replace(" ", "_")
    answer = _respond(status, {"code": name, "message": error.description or error.name, "retryable": False})
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _address_without_slash() -> str | None:
    """What a page's address with a slash at its end means; None where there is no such page.

    One slash stands at its start: with two the rest would name another host.
    """
    path = "/" + request.path.strip("/")
    adapter = current_app.create_url_adapter(request)
    is_page = request.path.endswith("/") and not path.startswith(("/api/", "/static/"))
    if adapter is None or not is_page or not adapter.test(path, method="GET"):
        return None
    query = request.query_string.decode(errors="replace")
    return f"{path}?{query}" if query else path


def _on_unknown(error: Exception) -> Response:
    _log.error("A request failed", exc_info=error)
    return _on_known(InternalError("The server failed on this request. Its log says why."))


def _respond(status: int, body: dict[str, object]) -> Response:
    if _wants_page():
        return make_response(render_template("error.html", status=status, message=body["message"]), status)
    return make_response(jsonify(error=body), status)


def _wants_page() -> bool:
    wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return wanted == "text/html" and not request.path.startswith("/api/")
