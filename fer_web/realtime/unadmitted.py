"""Connections from the network that passed no admission: they were refused, or never asked."""

import time
from collections.abc import Callable
from typing import Any

from fer_web.realtime.transport import is_inside
from fer_web.sharing.loopback import is_loopback

GRACE_S = 5.0
"""A connection may be in no namespace for this long: enough to be told why it was refused."""


class UnadmittedConnections:
    """Ends unadmitted connections: Engine.IO would keep them for as long as they answer its pings."""

    def __init__(self, server: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: server: python-socketio's. clock: seconds, never set back."""
        self._server = server
        self._clock = clock
        self._since_s: dict[str, float] = {}

    def end(self) -> None:
        """Look at every connection; to be called about once a second."""
        now_s = self._clock()
        outside = [eio_sid for eio_sid in list(self._server.eio.sockets) if self._is_outside(eio_sid)]
        self._since_s = {eio_sid: self._since_s.get(eio_sid, now_s) for eio_sid in outside}
        for eio_sid, since_s in self._since_s.items():
            connection = self._server.eio.sockets.get(eio_sid)
            if now_s - since_s >= GRACE_S and connection is not None and not connection.closed:
                connection.close(wait=False, reason=self._server.eio.reason.SERVER_DISCONNECT)

    def _is_outside(self, eio_sid: str) -> bool:
        environ = self._server.environ.get(eio_sid)
        if environ is None or is_loopback(environ.get("REMOTE_ADDR")):
            return False
        return not is_inside(self._server, eio_sid)
