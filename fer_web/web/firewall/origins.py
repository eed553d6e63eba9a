"""Checks from which page a request comes: another site's must not act with a browser's cookies."""

import re
from urllib.parse import parse_qs, urlsplit

from fer_web.web.firewall.hosts import host_name
from fer_web.web.firewall.refusals import Environ, Refusal, is_for_program, is_socket, path_of

_READS = ("GET", "HEAD", "OPTIONS")
_OUR_COOKIE = re.compile(r"(?:^|[;,\s])(?:__Host-|__Secure-)?fer_(?:owner|host|guest)_")
_REFUSED = "A page of another site asked for this. Do it on this server's own page."


def refused_origin(environ: Environ, public_url: str = "") -> Refusal | None:
    """Refuse what a page of another site may have made a browser send.

    Browsers name the asking page by Origin (always for WebSockets and writes) and, on HTTPS and on loopback,
    by Sec-Fetch-Site; no page can change either. A program sends neither and has no cookie of ours, unless it
    was given one: then it must name our origin, as a browser would.

    Args: public_url: address of the server beside the one in the Host header; empty for none.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin.lower() not in _own_origins(environ, public_url):
        return _forbidden(_REFUSED)
    if path_of(environ).startswith("/l/") and environ.get("HTTP_SEC_FETCH_DEST") not in (None, "document"):
        return _forbidden("A link is opened by a person, not within a page.")
    is_write = environ.get("REQUEST_METHOD") not in _READS
    if not (is_write or is_for_program(environ)):
        return None
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site not in (None, "same-origin", "none"):
        return _forbidden(_REFUSED)
    if is_socket(environ) and "j" in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        return _forbidden("Answers as scripts (JSONP) are not given: any site could read them.")
    is_named = origin is not None or site == "same-origin"
    if is_named or not (is_write or is_socket(environ)) or not _has_our_cookie(environ):
        return None
    return _forbidden(
        "This request has a cookie of this server, but does not say from which page it comes. "
        f"A program must send the header Origin: {_origin_of_host(environ)}"
    )


def _own_origins(environ: Environ, public_url: str) -> tuple[str, ...]:
    own = _origin_of_host(environ)
    public = urlsplit(public_url)
    # A proxy that ends TLS and does not say so makes it http here.
    if public.hostname is not None and public.hostname == host_name(environ):
        return own, f"{public.scheme}://{public.netloc}".lower()
    return (own,)


def _origin_of_host(environ: Environ) -> str:
    return f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST', '')}".lower()


def _has_our_cookie(environ: Environ) -> bool:
    return _OUR_COOKIE.search(environ.get("HTTP_COOKIE", "")) is not None


def _forbidden(text: str) -> Refusal:
    return Refusal("403 Forbidden", "forbidden", text)
