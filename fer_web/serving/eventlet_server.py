"""Takes connections with eventlet's WSGI server: what it lacks for a network that is not to be trusted."""

import contextlib
import errno
import ssl
from collections.abc import Callable
from typing import Any

from fer_web.errors import SlowUploadError
from fer_web.serving.listeners import HANDSHAKE_TIMEOUT_S, SERVER_NAME, AddressLimit, TlsConnection
from fer_web.serving.paced_head import PacedHead
from fer_web.serving.paced_input import PacedInput
from fer_web.serving.plain_http import is_turned_away
from fer_web.serving.stop_signals import is_closing

DISCARDED_BYTES = 32_000_000
DISCARDING_S = 5.0
"""This much of an unwanted body is read: its sender sees the answer, then the connection ends."""

_LISTENER_IS_GONE = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK)


def patient_listener(eventlet: Any, address_limit: AddressLimit) -> Any:
    """A class of green listening sockets."""

    class PatientListener(eventlet.greenio.GreenSocket):  # type: ignore[misc]  # eventlet has no types
        """Waits where eventlet's server would end: when no file is left, or the network reports an error.

        Connections past the limit of their address are closed at once.
        """

        def accept(self) -> Any:
            while True:
                try:
                    connection, address = super().accept()
                except OSError as exc:
                    if is_closing():
                        # Until the server is told, which ends idle connections: they still hear why.
                        eventlet.Event().wait()
                    if exc.errno in _LISTENER_IS_GONE:
                        raise
                    eventlet.sleep(0.1)
                    continue
                if address_limit.enter(address[0]):
                    return connection, address
                connection.close()
                # A flood of connections would hold the hub.
                eventlet.sleep(0)

    return PatientListener


def pool_that_ends(eventlet: Any, size: int, timeout_s: float) -> Any:
    """A pool of greenlets for connections."""

    class EndingPool(eventlet.GreenPool):  # type: ignore[misc]  # eventlet has no types
        """Does not wait for ever, when the server stops, for a client that never finishes its request."""

        def waitall(self) -> None:
            with eventlet.Timeout(timeout_s, False):
                super().waitall()

    return EndingPool(size)


def connection_class(
    eventlet: Any, address_limit: AddressLimit, tls: Callable[[], ssl.SSLContext] | None
) -> Any:
    """The class that serves one connection in its own greenlet, the TLS handshake first.

    What the network does to a connection ends it and is no error of ours: eventlet would print a traceback.
    """

    tls_class = _tls_class(eventlet)

    class Connection(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]  # eventlet has no types
        def __init__(self, conn_state: list[Any], server: Any) -> None:
            try:
                with contextlib.suppress(OSError):
                    if tls is not None:
                        timeout_s = conn_state[1].gettimeout()
                        if is_turned_away(conn_state[1]):
                            return
                        conn_state[1].settimeout(timeout_s)
                        # In the state too, by which eventlet's server ends its connections.
                        conn_state[1] = _encrypted(eventlet, tls_class, conn_state[1], tls())
                    super().__init__(conn_state, server)
            finally:
                address_limit.leave(conn_state[0][0])

        def version_string(self) -> str:
            """Without versions of libraries: they tell which of their faults to try."""
            return SERVER_NAME

        def log_message(self, _format: str, *args: Any) -> None:  # http.server's name
            """Nothing: it is about what clients send, and anyone could fill the log."""

        def setup(self) -> None:
            super().setup()
            self.rfile: Any = PacedHead(self.rfile, self.connection)

        def handle_one_request(self) -> None:
            self.rfile.begin()
            super().handle_one_request()

        def get_environ(self) -> dict[str, Any]:
            self.rfile.end()
            environ: dict[str, Any] = super().get_environ()
            body = environ["eventlet.input"]
            body.rfile = PacedInput(body.rfile)
            body.discard = lambda: self._discard(body)
            return environ

        def _discard(self, body: Any) -> None:
            """Eventlet's own would read for ever, and hold the hub where the sender is fast."""
            left = DISCARDED_BYTES
            with contextlib.suppress(SlowUploadError), eventlet.Timeout(DISCARDING_S, False):
                while left > 0:
                    part = body.read(min(left, 65536))
                    if not part:
                        return
                    left -= len(part)
                    eventlet.sleep(0)
            self.close_connection = 1

    return Connection


def _encrypted(eventlet: Any, tls_class: Any, connection: Any, context: ssl.SSLContext) -> Any:
    """Shake hands. Raises OSError where the client does not, within HANDSHAKE_TIMEOUT_S."""
    timeout_s = connection.gettimeout()
    with eventlet.Timeout(HANDSHAKE_TIMEOUT_S, TimeoutError("No TLS handshake came.")):
        green = eventlet.green.ssl.GreenSSLSocket(
            connection, server_side=True, do_handshake_on_connect=False, _context=context
        )
        green.__class__ = tls_class
        try:
            green.do_handshake()
        except BaseException:
            green.close()
            raise
    green.settimeout(timeout_s)
    return green


def _tls_class(eventlet: Any) -> Any:
    class GreenTlsConnection(eventlet.green.ssl.GreenSSLSocket, TlsConnection):  # type: ignore[misc]
        """Green, and quiet as TlsConnection."""

        shutdown = TlsConnection.shutdown

    return GreenTlsConnection
