"""Serves everything below a path of a host that has other things too, such as https://example.org/fer/."""

from collections.abc import Callable, Iterable
from typing import Any

from fer_web.web.answers import NO_STORE
from fer_web.web.firewall.forwarded import WsgiApp
from fer_web.web.firewall.refusals import Environ


class BasePath:
    """The outermost WSGI application where --base-path is given.

    It takes the path away before anything looks at an address, as WSGI's SCRIPT_NAME is made for. An address
    that comes without it means the same: many proxies strip it, and monitors ask the process itself.
    """

    def __init__(self, wsgi_app: WsgiApp, base_path: str) -> None:
        """Args: base_path: begins with a slash, and does not end with one."""
        self._wsgi_app = wsgi_app
        self._base_path = base_path

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = "/" + str(environ.get("PATH_INFO", "")).lstrip("/")
        if path == self._base_path:
            return self._with_slash(environ, start_response)
        if path.startswith(f"{self._base_path}/"):
            path = path[len(self._base_path) :]
        return self._wsgi_app({**environ, "SCRIPT_NAME": self._base_path, "PATH_INFO": path}, start_response)

    def _with_slash(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        location = f"{self._base_path}/{'?' if query else ''}{query}"
        start_response("308 Permanent Redirect", [("Location", location), ("Content-Length", "0"), NO_STORE])
        return [b""]
