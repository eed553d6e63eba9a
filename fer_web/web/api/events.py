"""Events over HTTP: a stream of those that happen, and how receivers do. openapi/events.py describes it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, jsonify

from fer_web.errors import ForbiddenError
from fer_web.events.feed import EventFeed, Listener, StreamSource
from fer_web.events.hub import EventHub
from fer_web.events.types import Fired
from fer_web.sharing.keys import ApiKey, KeyBook
from fer_web.sharing.types import Admission
from fer_web.web.answers import keep_private
from fer_web.web.api.analysis_access import quota_key_of
from fer_web.web.auth.owners import Owners

EVENTS_PATH: Final = "/api/v1/events"

HEARTBEAT_S: Final = 10.0
"""A comment goes out after so long without an event, so that either side notices when the other is gone."""

_RETRY_MS: Final = 2000


@dataclass(frozen=True)
class EventsAccess:
    """Who may hear what.

    Attributes: open_to_keys: names or ids of the keys that hear the streams of this machine.
    """

    feed: EventFeed
    hub: EventHub
    keys: KeyBook
    open_to_keys: frozenset[str]
    owners: Owners
    admission: Callable[[], Admission]
    key_of_request: Callable[[], ApiKey | None]
    run_waiting: Callable[..., Any]

    def listen(self) -> "EventStream":
        """Let who makes the current request listen: the host to all, an owner to their own streams.

        Raises: ForbiddenError: a visitor, or a key that the events file does not name. TooManyJobsError.
        """
        key, admission = self.key_of_request(), self.admission()
        if key is not None:
            if not self.open_to_keys & {key.id, key.name}:
                raise ForbiddenError(
                    "This key may not listen to events. The host allows it in the events file: keys = [...]."
                )
            return self._stream(admission, lambda source: source.is_local, lambda: self._is_open(key.id))
        if not admission.is_local:
            raise ForbiddenError("Events are for the server's own machine, and for programs with a key.")
        requester = self.owners.requester()

        def may_hear(source: StreamSource) -> bool:
            return requester.is_host or source.owner == requester.owner

        return self._stream(admission, may_hear, lambda: True)

    def receivers(self) -> dict[str, Any]:
        """How the receivers do, for pages of this machine; others learn only whether events reach any."""
        admission = self.admission()
        is_own = admission.is_local and admission.key is None
        shown = self.hub.receivers() if is_own else []
        return {
            "receivers": [each.to_wire() for each in shown],
            "may_send": self.hub.may_send(is_local=is_own),
        }

    def _stream(
        self, admission: Admission, may_hear: Callable[[StreamSource], bool], is_allowed: Callable[[], bool]
    ) -> "EventStream":
        return EventStream(self.feed, self.feed.join(quota_key_of(admission), may_hear), is_allowed)

    def _is_open(self, key_id: str) -> bool:
        return any(key.id == key_id and key.revoked_s is None for key in self.run_waiting(self.keys.all))


class EventStream:
    """The body of an answer: server-sent events until either side ends it."""

    def __init__(self, feed: EventFeed, listener: Listener, is_allowed: Callable[[], bool]) -> None:
        """Args: is_allowed: asked with each heartbeat."""
        self._feed = feed
        self._listener = listener
        self._is_allowed = is_allowed

    def __iter__(self) -> Iterator[bytes]:
        """Yield events, and a comment where there are none."""
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while not self._listener.has_ended:
            fired = self._listener.next(HEARTBEAT_S)
            if fired is not None:
                yield event_bytes(fired)
            elif self._is_allowed():
                yield b": still here\n\n"
            else:
                return

    def close(self) -> None:
        """Listen no more; the server calls it in any case."""
        self._feed.leave(self._listener)


def event_bytes(fired: Fired) -> bytes:
    """Return an event as a browser's EventSource reads it."""
    data = json.dumps(fired.to_wire(), ensure_ascii=False)
    return f"event: rule\nid: {fired.id}\ndata: {data}\n\n".encode()


def events_api_blueprint(access: EventsAccess) -> Blueprint:
    """Routes under EVENTS_PATH."""
    api = Blueprint("events_api", __name__, url_prefix=EVENTS_PATH)
    api.after_request(keep_private)

    @api.get("")
    def listen() -> Response:
        answer = Response(access.listen(), content_type="text/event-stream; charset=utf-8")
        answer.headers["X-Accel-Buffering"] = "no"  # a proxy would hold events back
        return answer

    @api.get("/receivers")
    def receivers() -> Response:
        return jsonify(access.receivers())

    return api
