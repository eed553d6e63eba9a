"""Errors over HTTP: a plain page for people, the one JSON shape for programs, never a traceback."""

import logging

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from fer_web.errors import DatabaseError, FerWebError, InternalError

_log = logging.getLogger(__name__)


def register_error_handlers(app: Flask) -> None:
    """Attach the handlers."""
    app.register_error_handler(FerWebError, _on_known)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_unknown)


def _on_known(error: FerWebError) -> Response:
    if isinstance(error, DatabaseError):
        _log.warning("A request failed: %s", error)
    return _respond(error.http_status, error.to_wire())


def _on_http(error: HTTPException) -> Response:
    status = error.code or 500
    name = error.name.lower().replace(" ", "_")
    return _respond(status, {"code": name, "message": error.description or error.name, "retryable": False})


def _on_unknown(error: Exception) -> Response:
    _log.error("A request failed", exc_info=error)
    return _on_known(InternalError("The server failed on this request. Its log says why."))


def _respond(status: int, body: dict[str, object]) -> Response:
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith("/api/"):
        return make_response(render_template("error.html", status=status, message=body["message"]), status)
    return make_response(jsonify(error=body), status)
