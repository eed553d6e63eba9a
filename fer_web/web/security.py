"""Headers that fence the page in, and the hosts that it answers to."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Flask, Response

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_security_headers(app: Flask) -> None:
    """Send HEADERS with every response."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class TrustedHosts:
    """Refuses requests for other hosts, on pages and on Socket.IO alike.

    A name that an attacker's DNS points at 127.0.0.1 would otherwise make their page one of our own origin
    ("DNS rebinding").
    """

    def __init__(self, wsgi_app: Callable[..., Iterable[bytes]], hosts: Sequence[str]) -> None:
        self._wsgi_app = wsgi_app
        self._hosts = tuple(hosts)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Werkzeug's own check takes no IPv6 address into its list.
        host = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:[0-9]+)?", environ.get("HTTP_HOST", ""))
        if host is None or host[1].lower() not in self._hosts:
            text = f"This server answers to {', '.join(self._hosts)} only. Open it by one of these names.\n"
            start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
            return [text.encode()]
        return self._wsgi_app(environ, start_response)
