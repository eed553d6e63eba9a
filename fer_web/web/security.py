"""Headers that fence the page in, and the hosts that it answers to."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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


class RequestFence:
    """Stands before pages and Socket.IO: refuses what no browser sends us, adds HEADERS to every answer.

    A host name that an attacker's DNS points at 127.0.0.1 would make their page one of our own origin ("DNS
    rebinding"). A body of unknown or excessive length would be read into memory by Engine.IO.
    """

    def __init__(
        self,
        wsgi_app: Callable[..., Iterable[bytes]],
        *,
        hosts: Sequence[str],
        max_body_bytes: int,
        max_body_bytes_of: Mapping[str, int] | None = None,
    ) -> None:
        """Args:
        hosts: lower-case names that the server answers to; empty for any.
        max_body_bytes_of: paths that take longer bodies than `max_body_bytes`.
        """
        self._wsgi_app = wsgi_app
        self._hosts = tuple(hosts)
        self._max_body_bytes = max_body_bytes
        self._max_body_bytes_of = dict(max_body_bytes_of or {})

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start_fenced(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            present = {name.lower() for name, _ in headers}
            added = [item for item in HEADERS.items() if item[0].lower() not in present]
            return start_response(status, [*headers, *added], *rest)

        refusal = self._refusal(environ)
        if refusal is None:
            return self._wsgi_app(environ, start_fenced)
        status, code, text = refusal
        is_api = environ.get("PATH_INFO", "").startswith("/api/")
        body = json.dumps({"error": {"code": code, "message": text, "retryable": False}}) if is_api else text
        kind = "application/json" if is_api else "text/plain; charset=utf-8"
        start_fenced(status, [("Content-Type", kind), ("Connection", "close")])
        return [f"{body}\n".encode()]

    def _refusal(self, environ: dict[str, Any]) -> tuple[str, str, str] | None:
        if self._hosts and _host_name(environ) not in self._hosts:
            names = ", ".join(self._hosts)
            text = f"This server answers to {names} only. Open it by one of these names."
            return "400 Bad Request", "bad_host", text
        length = environ.get("CONTENT_LENGTH") or "0"
        allowed = self._max_body_bytes_of.get(environ.get("PATH_INFO", ""), self._max_body_bytes)
        if not re.fullmatch("[0-9]{1,12}", length) or int(length) > allowed:
            return "413 Content Too Large", "too_large", f"This request may have {allowed} bytes. Send less."
        return None


def _host_name(environ: dict[str, Any]) -> str | None:
    # Werkzeug's own check takes no IPv6 address into its list.
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:[0-9]+)?", environ.get("HTTP_HOST", ""))
    return match[1].lower() if match else None
