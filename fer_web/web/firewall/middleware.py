"""The middleware before pages and Socket.IO: its checks in order, and the headers of every answer."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fer_web.sharing.handshakes import HandshakeLimit
from fer_web.sharing.loopback import is_loopback
from fer_web.web.answers import NO_STORE
from fer_web.web.firewall.forwarded import ForwardedHeaders, WsgiApp
from fer_web.web.firewall.hosts import refused_host
from fer_web.web.firewall.origins import refused_origin
from fer_web.web.firewall.refusals import Environ, Refusal, is_socket, path_of

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
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
"""No Strict-Transport-Security: browsers would insist on HTTPS, for all ports, after sharing has ended."""

_PLAIN_HTTP_PATHS = re.compile(r"/(static/.*|trust([/.].*)?|livez|readyz)")
_SECRET_PATHS = re.compile(r"/(l|api/v1/share|api/v1/keys)(/.*)?")


@dataclass(frozen=True)
class BodyBound:
    """Requests that may have another body than the rest: this method, this path and all below it."""

    method: str
    path: str
    max_bytes: int

    def is_for(self, method: str, path: str) -> bool:
        """Tell whether a request is one of them."""
        return method == self.method and (path == self.path or path.startswith(f"{self.path}/"))


@dataclass(frozen=True)
class SecurityRules:
    """These rules say what the middleware lets through.

    Attributes:
        max_body_bytes: of a request; a body of unknown or excessive length would be read into memory.
        body_bounds: requests that take longer ones; the first that fits counts.
        hosts: names that other machines may call the server by; None: any, because they are let in by cookies
            alone, which browsers give to no other name.
        public_url: another address of the server; empty for none.
        proxies: in front of the server.
        is_from_host: whether a request proves to be the host's at this machine; asked where there are proxies
            and it came without them.
        plain_http_page: HTML that other machines see without HTTPS; None serves them as it is.
    """

    max_body_bytes: int
    body_bounds: tuple[BodyBound, ...] = ()
    hosts: Callable[[], Collection[str]] | None = None
    public_url: str = ""
    proxies: int = 0
    is_from_host: Callable[[Environ], bool] = lambda _environ: False
    plain_http_page: Callable[[Environ], str] | None = None

    def max_body_bytes_for(self, method: str, path: str) -> int:
        """Return how long the body of such a request may be."""
        fitting = (bound.max_bytes for bound in self.body_bounds if bound.is_for(method, path))
        return next(fitting, self.max_body_bytes)


class SecurityMiddleware:
    """Precedes pages and Socket.IO: refuses what no page sends, adds HEADERS to every answer."""

    def __init__(self, wsgi_app: WsgiApp, rules: SecurityRules) -> None:
        self._wsgi_app = wsgi_app
        self._rules = rules
        self._forwarded = ForwardedHeaders(rules.proxies, rules.is_from_host)
        self._handshakes = HandshakeLimit()
        self._behind_proxies = self._forwarded.around(self._checked)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._forwarded.refusal(environ)
        if refusal is not None:
            return _refuse(refusal, environ, start_response)
        return self._behind_proxies(environ, start_response)

    def _checked(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = (
            refused_host(environ, self._rules.hosts)
            or refused_origin(environ, self._rules.public_url)
            or self._plain_http(environ)
            or self._long_body(environ)
            or self._hasty(environ)
        )
        if refusal is not None:
            return _refuse(refusal, environ, start_response)
        return self._wsgi_app(environ, _with_headers(environ, start_response))

    def _plain_http(self, environ: Environ) -> Refusal | None:
        page = self._rules.plain_http_page
        if (
            page is None
            or environ.get("wsgi.url_scheme") == "https"
            or is_loopback(environ.get("REMOTE_ADDR"))
        ):
            return None
        if _PLAIN_HTTP_PATHS.fullmatch(path_of(environ)):
            return None
        text = "Browsers give no camera to a page over plain HTTP. Open the https link that the host shares."
        return Refusal("421 Misdirected Request", "plain_http", text, page(environ))

    def _hasty(self, environ: Environ) -> Refusal | None:
        address = environ.get("REMOTE_ADDR")
        if is_loopback(address) or not _begins_connection(environ) or self._handshakes.take(address):
            return None
        text = "Too many connections were begun from this address. Wait some seconds, then try again."
        return Refusal("429 Too Many Requests", "too_many_messages", text, retryable=True)

    def _long_body(self, environ: Environ) -> Refusal | None:
        if environ.get("HTTP_TRANSFER_ENCODING"):
            text = "This body comes in chunks of unknown length. Send it with its length: set Content-Length."
            return Refusal("411 Length Required", "length_required", text)
        length = environ.get("CONTENT_LENGTH") or "0"
        allowed = self._rules.max_body_bytes_for(environ.get("REQUEST_METHOD", ""), path_of(environ))
        if re.fullmatch("[0-9]{1,12}", length) and int(length) <= allowed:
            return None
        text = f"This request may have {allowed} bytes. Send less."
        return Refusal("413 Content Too Large", "too_large", text)


def _begins_connection(environ: Environ) -> bool:
    return is_socket(environ) and "sid" not in parse_qs(environ.get("QUERY_STRING", ""))


def _refuse(refusal: Refusal, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    kind, body = refusal.answer_to(environ)
    headers = [("Content-Type", kind), NO_STORE, ("Connection", "close")]
    _with_headers(environ, start_response)(refusal.status, headers)
    return [body]


def _with_headers(environ: Environ, start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start_with_headers(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        present = {name.lower(): value for name, value in headers}
        if _is_for_one(environ, present.get("content-type", "")):
            headers = [item for item in headers if item[0].lower() != "cache-control"]
            headers.append(NO_STORE)
        added = [item for item in HEADERS.items() if item[0].lower() not in present]
        return start_response(status, [*headers, *added], *rest)

    return start_with_headers


def _is_for_one(environ: Environ, media_type: str) -> bool:
    """Tell whether nobody may keep an answer: it opens something, or shows what a link opens."""
    is_visitor = not is_loopback(environ.get("REMOTE_ADDR"))
    is_secret = _SECRET_PATHS.fullmatch(path_of(environ)) is not None
    return is_secret or (is_visitor and media_type.startswith("text/html"))
