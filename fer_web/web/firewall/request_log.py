"""Gives each request an id that its answer and the log name, counts answers, and logs them where asked to."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from fer_web.serving.logs import request_id, without_secrets
from fer_web.sharing.loopback import is_loopback
from fer_web.web.firewall.forwarded import WsgiApp
from fer_web.web.firewall.refusals import Environ, path_of

_log = logging.getLogger("fer_web.requests")

_ID = re.compile(r"/[A-Za-z0-9_-]{16,}(?=/|$)")
"""A part of a path that may be a token or an id: names of ours are shorter."""

_QUIET_PATHS = ("/static/", "/vendor/", "/socket.io", "/livez", "/readyz", "/metrics", "/healthz")


class RequestLog:
    """The outermost WSGI application."""

    def __init__(self, wsgi_app: WsgiApp, *, count: Callable[[int], None], is_logging: bool) -> None:
        """Args: count: takes the status of each answer. is_logging: whether each request is logged."""
        self._wsgi_app = wsgi_app
        self._count = count
        self._is_logging = is_logging

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        began_s, own_id = time.perf_counter(), secrets.token_hex(6)
        token = request_id.set(own_id)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            number = int(status[:3])
            self._count(number)
            if self._is_logging and not path_of(environ).startswith(_QUIET_PATHS):
                self._tell(environ, number, time.perf_counter() - began_s)
            return start_response(status, [*headers, ("X-Request-Id", own_id)], *rest)

        try:
            return self._wsgi_app(environ, start)
        finally:
            request_id.reset(token)

    def _tell(self, environ: Environ, status: int, took_s: float) -> None:
        facts = {
            "method": re.sub("[^A-Z]", "?", str(environ.get("REQUEST_METHOD", "")))[:10],
            "path": _path(path_of(environ)),
            "status": status,
            "took_ms": round(took_s * 1000, 1),
            "from": "this machine" if is_loopback(environ.get("REMOTE_ADDR")) else "network",
        }
        _log.info(
            "%(method)s %(path)s %(status)d in %(took_ms).1f ms, from %(from)s", facts, extra={"facts": facts}
        )


def _path(path: str) -> str:
    """A path without ids, tokens and control characters."""
    printable = "".join(character if character.isprintable() else "?" for character in path[:200])
    return _ID.sub("/*", without_secrets(printable))
