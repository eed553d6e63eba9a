"""Stores the markers that rules leave in recordings."""

from collections.abc import Callable
from typing import Any, Protocol

from fer_web.errors import FerWebError
from fer_web.events.delivery import ReceiverError
from fer_web.events.types import Item, RuleMarker

Notify = Callable[[str, str, dict[str, Any]], None]
"""Tells a client's page an event with its data; never waits, in any thread."""


class RecordedMoments(Protocol):
    """The recorder, as far as rules need it."""

    def moment(self, client: str) -> Any:
        """Return this moment of a client's recording, as a `Moment`; None where it is not recorded."""
        ...

    def mark_moment(self, moment: Any, text: str) -> Any:
        """Store a marker and return it; blocks. Raises FerWebError."""
        ...


class MarkerWriter:
    """Takes the markers of all streams, one after the other, and tells the pages."""

    kind = "markers"
    frames_kept = 0

    def __init__(self, moments: RecordedMoments, notify: Notify) -> None:
        self._moments = moments
        self._notify = notify

    def open(self) -> str | None:
        """Nothing: the recorder has the connection."""
        return None

    def send(self, item: Item) -> None:
        """Store a marker. Raises ReceiverError where that may work later."""
        if not isinstance(item, RuleMarker):
            return
        try:
            marker = self._moments.mark_moment(item.moment, item.text)
        except FerWebError as exc:
            if exc.retryable:
                raise ReceiverError(exc.code) from exc
            return  # the session is gone, or has as many markers as it may
        told = {"id": marker.id, "at_s": marker.at_s, "text": marker.text}
        self._notify(item.client, "marked", {"session": item.moment.session_id, "marker": told})

    def close(self) -> None:
        """Nothing is open."""
