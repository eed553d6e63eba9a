"""Tells whether somebody still waits for an answer, before much is done for it."""

import select
from collections.abc import Mapping
from typing import Any


def has_hung_up(environ: Mapping[str, Any]) -> bool:
    """Tell whether the client of a request has ended its connection; False where that cannot be told.

    The kernel is asked, and nothing is read: a client that already sends its next request is still there.

    Args: environ: of WSGI, by either server.
    """
    connection = environ.get("werkzeug.socket")
    if "eventlet.input" in environ:
        connection = environ["eventlet.input"].get_socket()
    ended = getattr(select, "POLLRDHUP", None)
    if connection is None or ended is None:
        return False
    number = connection.fileno()
    if number < 0:
        return True
    # Not eventlet's: this asks, and does not wait.
    poll = select.poll()
    poll.register(number, ended)
    return bool(poll.poll(0))
