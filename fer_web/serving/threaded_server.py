"""Takes connections with Werkzeug's threaded server, on several listeners at once."""

import contextlib
import logging
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from fer_web.serving.listeners import (
    HANDSHAKE_TIMEOUT_S,
    SERVER_NAME,
    AddressLimit,
    Listener,
    TlsConnection,
)
from fer_web.serving.paced_head import PacedHead
from fer_web.serving.paced_input import PacedInput
from fer_web.serving.plain_http import is_turned_away
from fer_web.serving.stop_signals import begin_to_close, signals_as_data

REQUEST_TIMEOUT_S = 30.0

_log = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """Logs no request: the log would hold query strings, and with them tokens and session ids."""

    timeout = REQUEST_TIMEOUT_S

    def version_string(self) -> str:
        """Without versions of libraries: they tell which of their faults to try."""
        return SERVER_NAME

    def setup(self) -> None:
        """As Werkzeug's, with heads that must come within a time and a size."""
        super().setup()
        self.rfile: Any = PacedHead(self.rfile, self.connection)

    def handle_one_request(self) -> None:
        """As Werkzeug's."""
        self.rfile.begin()
        super().handle_one_request()

    def make_environ(self) -> Any:
        """As Werkzeug's, with a body that must come at some pace."""
        self.rfile.end()
        environ = super().make_environ()
        environ["wsgi.input"] = PacedInput(environ["wsgi.input"])
        return environ

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """End it: after a WebSocket there is no request to wait for in a thread and a slot of its own."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""

    def log_error(self, format: str, *args: Any) -> None:  # http.server's name
        """Nothing: it is about what clients send, and anyone could fill the log."""


class ThreadedServer(ThreadedWSGIServer):
    """One listener, whose connections have a thread each; the TLS handshake is made there."""

    def __init__(self, app: Flask, listener: Listener, address_limit: AddressLimit) -> None:
        host, port = listener.socket.getsockname()[:2]
        super().__init__(host, port, app, QuietHandler, fd=listener.socket.fileno())
        # Werkzeug has a copy of the socket.
        listener.socket.close()
        self._tls = listener.tls
        self._address_limit = address_limit
        if listener.tls is not None:
            # For wsgi.url_scheme alone: Werkzeug's constructor would shake hands in the accepting thread.
            self.ssl_context = listener.tls()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Tell whether this address may have one more connection."""
        return self._address_limit.enter(client_address[0])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin the connection's thread; where there can be no more of them, it counts no longer."""
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._address_limit.leave(client_address[0])
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection; what the network does to it ends it without a word."""
        try:
            with contextlib.suppress(OSError):
                if self._tls is not None and is_turned_away(request):
                    return
                connection = request if self._tls is None else encrypted(request, self._tls())
                super().process_request_thread(connection, client_address)
        finally:
            self._address_limit.leave(client_address[0])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line. The application's own errors were answered and logged before they could come here."""
        _log.error("A connection was not served (%s)", type(sys.exc_info()[1]).__name__)


def encrypted(request: Any, context: ssl.SSLContext) -> TlsConnection:
    """Shake hands. Raises OSError, and closes, where the client does not within HANDSHAKE_TIMEOUT_S."""
    request.settimeout(HANDSHAKE_TIMEOUT_S)
    context.sslsocket_class = TlsConnection
    connection = request
    try:
        connection = context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        connection.do_handshake()
    except BaseException:
        connection.close()
        raise
    assert isinstance(connection, TlsConnection)
    return connection


def serve_threaded(
    app: Flask, listeners: Sequence[Listener], address_limit: AddressLimit, say_goodbye: Callable[[], None]
) -> None:
    """Serve until the process is told to end; for its main thread.

    Args: say_goodbye: is called when no new connection is taken any more.
    """
    servers = [ThreadedServer(app, listener, address_limit) for listener in listeners]
    with signals_as_data() as signals, _serving(servers):
        signals.recv(1)
        begin_to_close()
    say_goodbye()


@contextlib.contextmanager
def _serving(servers: Sequence[ThreadedServer]) -> Iterator[None]:
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        # Together: each takes up to half a second.
        stops = [threading.Thread(target=server.shutdown) for server in servers]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        for server in servers:
            server.socket.close()
