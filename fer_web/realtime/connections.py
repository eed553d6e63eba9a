"""Sockets as Engine.IO keeps them: how much waits for a client, and an end that does not wait for it."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from flask_socketio import SocketIO
from socketio.packet import EVENT

from fer_web.errors import FerWebError, MovingError
from fer_web.realtime.reading_pace import ReadingPace

_log = logging.getLogger(__name__)

LAST_WORDS_S = 0.5
"""A client that polls may take this long to fetch why it is ended."""
_LOOKS = 10

MOVE_S = 1.0
"""Clients that are asked to go to another process have gone within this, or are left behind."""


class Connections:
    """The clients of a SocketIO, by their ids in a namespace."""

    def __init__(self, socketio: SocketIO, pace: ReadingPace | None = None) -> None:
        """Args: pace: at which they are read; None: as fast as they send."""
        self._socketio = socketio
        self._pace = pace

    def belong_to(self, sid: str, person: str, namespace: str = "/") -> None:
        """This client is read at the pace of all clients of a visitor."""
        connection = self._find(sid, namespace)
        if self._pace is not None and connection is not None:
            self._pace.join(connection, person)

    def hold(self, sid: str) -> None:
        """Read nothing of a client for the time that it was told to wait."""
        connection = self._find(sid, "/")
        if self._pace is not None and connection is not None:
            self._pace.refuse(connection)

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
        self._disconnect(connection)

    def close_engine(self, eio_sid: str, error: FerWebError) -> None:
        """As `close`, for a connection by its Engine.IO id, whatever it is in."""
        connection = self._socketio.server.eio.sockets.get(eio_sid)
        if connection is None or connection.closing or connection.closed:
            return
        _log.warning("Disconnecting a client: %s", error.code)
        self._socketio.server.eio.send(eio_sid, f"{EVENT}{json.dumps(['closing', error.to_wire()])}")
        self._disconnect(connection)

    def end(self, sid: str, error: FerWebError, namespace: str = "/") -> None:
        """As `close`, for a client that did nothing wrong: one that polls gets a moment to hear why.

        Engine.IO answers a poll that comes after the end with an error, whatever was still to be read.
        """
        connection = self._find(sid, namespace)
        if connection is None or connection.upgraded:
            self.close(sid, error, namespace)
            return
        self._socketio.emit("closing", error.to_wire(), to=sid, namespace=namespace)
        self._socketio.start_background_task(self._disconnect_when_read, connection)

    def move_all(self, namespaces: Sequence[str]) -> None:
        """Ask everybody to go on at another process, and end their connections; waits MOVE_S at most.

        To be called when no new connection is taken any more: whoever comes back must find another process.
        """
        for namespace in namespaces:
            self._socketio.emit("closing", MovingError().to_wire(), namespace=namespace)
        sockets = self._socketio.server.eio.sockets
        _log.info("%d clients are asked to go on at another process", len(sockets))
        for connection in list(sockets.values()):
            if connection.upgraded:
                self._disconnect(connection)
            else:
                self._socketio.start_background_task(self._disconnect_when_read, connection)
        for _ in range(_LOOKS):
            if not sockets:
                break
            self._socketio.sleep(MOVE_S / _LOOKS)

    def _disconnect_when_read(self, connection: Any) -> None:
        for _ in range(_LOOKS):
            if connection.queue.empty():
                break
            self._socketio.sleep(LAST_WORDS_S / _LOOKS)
        self._disconnect(connection)

    def _disconnect(self, connection: Any) -> None:
        if not (connection.closing or connection.closed):
            connection.close(wait=False, reason=self._socketio.server.eio.reason.SERVER_DISCONNECT)

    def _find(self, sid: str, namespace: str) -> Any:
        server = self._socketio.server
        return server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, namespace))
