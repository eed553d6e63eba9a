"""The middleware answers with these refusals, before pages and Socket.IO are asked."""

import json
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]
"""A WSGI request."""


@dataclass(frozen=True)
class Refusal:
    """A refusal answers a request that goes no further.

    Attributes:
        status: of the answer, such as "400 Bad Request".
        code: for programs, as in errors.py.
        text: for people: what is wrong and what to do.
        page: HTML for a browser that opens a page; None shows the text.
        retryable: whether the same request may pass later.
    """

    status: str
    code: str
    text: str
    page: str | None = None
    retryable: bool = False

    def answer_to(self, environ: Environ) -> tuple[str, bytes]:
        """Media type and body: the one JSON error shape for programs, else something to read."""
        if is_for_program(environ):
            error = {"code": self.code, "message": self.text, "retryable": self.retryable}
            return "application/json", json.dumps({"error": error}).encode() + b"\n"
        if self.page is not None:
            return "text/html; charset=utf-8", self.page.encode()
        return "text/plain; charset=utf-8", f"{self.text}\n".encode()


def path_of(environ: Environ) -> str:
    """The path of a request's address, decoded, with one slash at its start: the router reads any number."""
    return "/" + str(environ.get("PATH_INFO", "")).lstrip("/")


def is_for_program(environ: Environ) -> bool:
    """Tell whether scripts ask here, not people."""
    return is_socket(environ) or path_of(environ).startswith("/api/")


def is_socket(environ: Environ) -> bool:
    """Tell whether Socket.IO is asked, by polling or to begin a WebSocket."""
    return path_of(environ).startswith("/socket.io")
