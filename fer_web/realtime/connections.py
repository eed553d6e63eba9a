"""Sockets as Engine.IO keeps them: how much waits for a client, and an end that does not wait for it."""

import logging
from typing import Any

from flask_socketio import SocketIO

from fer_web.errors import FerWebError

_log = logging.getLogger(__name__)


class Connections:
    """The clients of a SocketIO, by their ids in a namespace."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio

    def queued_packets(self, sid: str, namespace: str = "/") -> int:
        """Packets that the client has not read; 0 for one that is gone."""
        connection = self._find(sid, namespace)
        return connection.queue.qsize() if connection is not None else 0

    def close(self, sid: str, error: FerWebError, namespace: str = "/") -> None:
        """Say why, then disconnect; without waiting for a client that may not read."""
        connection = self._find(sid, namespace)
        if connection is None or connection.closing or connection.closed:
            return
        _log.warning("Disconnecting a client: %s", error.code)
        self._socketio.emit("closing", error.to_wire(), to=sid, namespace=namespace)
        connection.close(wait=False, reason=self._socketio.server.eio.reason.SERVER_DISCONNECT)

    def _find(self, sid: str, namespace: str) -> Any:
        server = self._socketio.server
        return server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, namespace))
