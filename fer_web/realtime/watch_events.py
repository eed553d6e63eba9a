"""Socket.IO handlers of the namespace of watchers: who may come in, and that nothing else is said."""

import time
from typing import Any

from flask import request
from flask_socketio import SocketIO

from fer_web.errors import ProtocolError, TooManyMessagesError
from fer_web.rate_limit import TokenBucket
from fer_web.realtime.admission import SocketAdmission
from fer_web.realtime.connections import Connections
from fer_web.realtime.protocol import error_to_wire
from fer_web.realtime.watching import NAMESPACE, WatchHub
from fer_web.sharing.types import HOST_LINK

REFUSALS_PER_S = 2.0
"""Events of one watcher that are answered, though by a refusal; more end the connection."""


class SocketOutlet:
    """Sends through a SocketIO."""

    def __init__(self, socketio: SocketIO, connections: Connections) -> None:
        self._socketio = socketio
        self.queued_packets = connections.queued_packets
        self.close = connections.close

    def emit(self, event: str, *arguments: Any, to: list[str], namespace: str) -> None:
        """Send an event to these clients; it is encoded once for all."""
        # A tuple is sent as several arguments; Flask-SocketIO itself passes on one argument only.
        self._socketio.emit(event, arguments, to=to, namespace=namespace)


class WatchEvents:
    """The watch page's side of the server. One instance for each SocketIO."""

    def __init__(
        self,
        socketio: SocketIO,
        hub: WatchHub,
        connections: Connections,
        admission: SocketAdmission,
    ) -> None:
        self._socketio = socketio
        self._hub = hub
        self._connections = connections
        self._admission = admission
        self._budgets: dict[str, TokenBucket] = {}

    def register(self) -> None:
        """Attach the handlers."""
        self._socketio.on_event("connect", self.on_connect, namespace=NAMESPACE)
        self._socketio.on_event("disconnect", self.on_disconnect, namespace=NAMESPACE)
        self._socketio.on_event("*", self.on_event, namespace=NAMESPACE)

    def on_connect(self, auth: Any = None) -> None:
        """Let in who comes by an open link to watch."""
        sid = _sid()
        visitor, link = self._admission.enter_watch(
            sid, lambda reason: self._connections.end(sid, reason, NAMESPACE)
        )
        if link is not HOST_LINK:
            self._connections.belong_to(sid, visitor, NAMESPACE)
        self._budgets[sid] = TokenBucket(REFUSALS_PER_S, time.monotonic)
        self._hub.watcher_arrived(sid, visitor, link)

    def on_disconnect(self, reason: Any = None) -> None:
        """Forget a watcher."""
        self._admission.leave(_sid())
        self._budgets.pop(_sid(), None)
        self._hub.watcher_left(_sid())

    def on_event(self, event: str, *_arguments: Any) -> dict[str, Any] | None:
        """Watchers listen; whatever they say is refused."""
        budget = self._budgets.get(_sid())
        if budget is None or not budget.take():
            error = TooManyMessagesError("Who watches sends nothing; too many messages came.")
            self._connections.close(_sid(), error, NAMESPACE)
            return None
        return error_to_wire(None, ProtocolError(f"Who watches sends nothing; {event!r:.40} came."))


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]  # added to the request by Flask-SocketIO
