"""The Socket.IO side of rules: what a page wants to be told, and when its stream begins and ends."""

from collections.abc import Callable
from typing import Any

from fer_web.errors import FerWebError
from fer_web.events.hub import EventHub
from fer_web.realtime.protocol import parse_rules_message


class StreamRules:
    """Validates what clients ask about rules, and calls the hub."""

    def __init__(self, hub: EventHub, owner_of_request: Callable[[], str | None]) -> None:
        """Args: owner_of_request: who the browser of the current request is; None where it has no cookie."""
        self._hub = hub
        self._owner_of_request = owner_of_request

    def connect(self, sid: str, *, is_local: bool) -> None:
        """A client is there; is_local: on this machine."""
        self._hub.connect(sid, self._owner_of_request(), is_local=is_local)

    def disconnect(self, sid: str) -> None:
        """A client is gone."""
        self._hub.disconnect(sid)

    def stream_began(self, sid: str) -> None:
        """A client sends frames; may be called for each of them."""
        self._hub.stream_began(sid)

    def stream_ended(self, sid: str) -> None:
        """A client sends no more frames."""
        self._hub.stream_ended(sid)

    def set_rules(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Replace a client's rules; the reply of a `rules` event."""
        try:
            rules = parse_rules_message(arguments)
            return {"rules": len(rules), "sends": self._hub.set_rules(sid, rules)}
        except FerWebError as exc:
            return {"error": exc.to_wire()}
