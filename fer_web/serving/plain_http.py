"""Answers who speaks plain HTTP on the port of HTTPS: with the address to open."""

import contextlib
import re
import socket
import time
from typing import Any, Final

from fer_web.serving.listeners import HANDSHAKE_TIMEOUT_S

_HEAD_SIZE: Final = 8192
"""Of a request without TLS on the port of HTTPS; what is longer is answered by what came."""

_LINGER_S: Final = 1.0
_LINGER_BYTES: Final = 65_536
"""What the client still sends is taken for so long: with unread bytes, closing would discard the answer."""

_REQUEST: Final = re.compile(rb"([A-Z]{1,20}) (\S{1,4000}) HTTP/1\.[01]\r?\n")
_HOST: Final = re.compile(
    rb"^host:[ \t]*((?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)[ \t]*\r?$", re.I | re.M
)
_TARGET: Final = re.compile(r"/[!-~]*")


def is_turned_away(connection: Any) -> bool:
    """Tell whether a client began in plain HTTP; then it has its answer, and the connection is closed.

    Waits for its first byte, which stays there for the TLS handshake.

    Args: connection: a socket of either mode, before TLS; its timeout is changed.
    Raises: OSError: nothing came within HANDSHAKE_TIMEOUT_S, or the connection broke.
    """
    try:
        if not _begins_plain(connection):
            return False
        connection.sendall(answer_to(_head(connection), connection.getsockname()))
        _linger(connection)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return True


def _begins_plain(connection: Any) -> bool:
    connection.settimeout(HANDSHAKE_TIMEOUT_S)
    # Every handshake begins with the byte 22 (RFC 8446, 5.1), every method of HTTP with a letter.
    first: bytes = connection.recv(1, socket.MSG_PEEK)
    return first.isalpha()


def answer_to(head: bytes, own: tuple[Any, ...]) -> bytes:
    """The answer to a request's head, or to as much of it as came.

    Args: own: host and port on which the connection came, for clients that name none.
    """
    request, named = _REQUEST.match(head), _HOST.search(head)
    host = named[1].decode().lower() if named else _own_host(*own[:2])
    method, target = (request[1].decode(), request[2].decode("latin-1")) if request else ("", "/")
    # Two slashes at its start would be read as another host by some.
    path = f"/{target.lstrip('/')}" if _TARGET.fullmatch(target) else "/"
    is_read = method in ("GET", "HEAD")
    url = f"https://{host}{path}" if is_read else f"https://{host}/"
    text = f"This port speaks HTTPS alone; plain HTTP came. Open {url}\n".encode()
    lines = [
        "HTTP/1.1 308 Permanent Redirect" if is_read else "HTTP/1.1 400 Bad Request",
        *([f"Location: {url}"] if is_read else []),
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(text)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else text)


def _own_host(host: str, port: int) -> str:
    ip = str(host).partition("%")[0].removeprefix("::ffff:")
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _head(connection: Any) -> bytes:
    """All of a head, within a time and a size; less where the client sends no more. Raises TimeoutError."""
    head, ends_s = b"", time.monotonic() + HANDSHAKE_TIMEOUT_S
    while len(head) < _HEAD_SIZE and b"\n\r\n" not in head and b"\n\n" not in head:
        left_s = ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("The head of a request did not come in time.")
        connection.settimeout(left_s)
        part = connection.recv(_HEAD_SIZE - len(head))
        if not part:
            break
        head += part
    return head


def _linger(connection: Any) -> None:
    ends_s, taken = time.monotonic() + _LINGER_S, 0
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while taken < _LINGER_BYTES and (left_s := ends_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            part = connection.recv(8192)
            if not part:
                return
            taken += len(part)
