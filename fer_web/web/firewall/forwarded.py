"""Reads what reverse proxies say about who asks: believed only where --proxies says so."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.http import parse_list_header
from werkzeug.middleware.proxy_fix import ProxyFix

from fer_web.sharing.loopback import is_loopback
from fer_web.web.firewall.refusals import Environ, Refusal, path_of
from fer_web.web.request_values import OPERATING_PATHS

WsgiApp = Callable[..., Iterable[bytes]]

UNKNOWN = "unknown"
"""A client has this name where a proxy names it by something else than an address."""

_FOR = "HTTP_X_FORWARDED_FOR"
_ORIGINAL = "werkzeug.proxy_fix.orig"


class ForwardedHeaders:
    """Lets the rest of the server see the client's address, scheme and host, however it came."""

    def __init__(self, count: int, is_from_host: Callable[[Environ], bool] = lambda _environ: False) -> None:
        """Args:
        count: proxies in front of the server; 0 believes no header.
        is_from_host: whether a request proves to be the host's at this machine, whom no proxy has to bring.
        """
        self._count = count
        self._is_from_host = is_from_host

    def around(self, wsgi_app: WsgiApp) -> WsgiApp:
        """`wsgi_app` behind this many proxies. What comes directly keeps the address of its socket."""
        if self._count == 0:
            return wsgi_app

        def without_claims(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            # From this machine nothing comes by way of another one: who reaches this port without the proxy,
            # or by fewer proxies than --proxies says, may claim anything but that.
            hops = [environ.get("REMOTE_ADDR"), *self._later_hops(environ)]
            if is_loopback(hops[0]):
                environ["REMOTE_ADDR"] = next((hop for hop in hops if not is_loopback(hop)), hops[0])
            if not _is_address(environ.get("REMOTE_ADDR", "")):
                environ["REMOTE_ADDR"] = UNKNOWN  # it is shown to the host, and counted by
            return wsgi_app(environ, start_response)

        return ProxyFix(without_claims, x_for=self._count, x_proto=self._count, x_host=self._count)

    def _later_hops(self, environ: Environ) -> list[str]:
        names = parse_list_header(environ.get(_FOR, ""))
        return [*names[1 - self._count :][: self._count - 1], environ[_ORIGINAL]["REMOTE_ADDR"]]

    def refusal(self, environ: Environ) -> Refusal | None:
        """Refuse what would pass for this machine itself although a proxy sent it; drop what is not believed.

        A proxy on this machine makes all of its clients come from loopback, which needs no link.
        """
        if self._count == 0:
            return self._without_proxies(environ)
        if self._names_client(environ) or not is_loopback(environ.get("REMOTE_ADDR")):
            return None
        is_direct = not any(_is_claim(name) for name in environ)
        if is_direct and path_of(environ) in OPERATING_PATHS:
            return None  # a monitor beside the proxy; behind proxies, these give nothing to an address alone
        return None if is_direct and self._is_from_host(environ) else self._missing()

    def _without_proxies(self, environ: Environ) -> Refusal | None:
        claims = [name for name in environ if _is_claim(name)]
        for name in claims:
            del environ[name]
        return self._unexpected() if claims and is_loopback(environ.get("REMOTE_ADDR")) else None

    def _names_client(self, environ: Environ) -> bool:
        # As ProxyFix reads it: a quotation mark that the client put there swallows what proxies add.
        names = parse_list_header(environ.get(_FOR, ""))
        return len(names) >= self._count and bool(names[-self._count])

    def _unexpected(self) -> Refusal:
        return Refusal(
            "400 Bad Request",
            "unexpected_proxy",
            "This request came through a proxy or a tunnel on the server's machine (forwarded headers), "
            "but the server was started with --proxies 0 and cannot tell who asks. Start it with --proxies 1 "
            "and --public-url, or open it without the proxy.",
        )

    def _missing(self) -> Refusal:
        return Refusal(
            "400 Bad Request",
            "proxy_expected",
            f"The server was started with --proxies {self._count}, but this request's X-Forwarded-For names "
            "fewer addresses. Open the proxy's address, let each proxy add to that header, or start the "
            "server with the right --proxies. You at this machine: open the address with ?host= that it "
            "printed.",
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_claim(name: str) -> bool:
    return name.startswith("HTTP_X_FORWARDED_") or name in ("HTTP_FORWARDED", "HTTP_X_REAL_IP")
