"""Events whose binary part does not come: their headers would be kept for as long as pings are answered."""

import time
from collections.abc import Callable
from typing import Any

from fer_web.errors import SlowUploadError

ATTACHMENT_TIMEOUT_S = 5.0
"""A frame's picture may come this long after its header: nobody waits longer for its answer."""


_TOO_LATE = SlowUploadError(
    f"The picture of a frame did not come within {ATTACHMENT_TIMEOUT_S:.0f} s of its header. Send less."
)


class UnfinishedEvents:
    """Ends connections that owe a binary part for too long."""

    def __init__(
        self,
        server: Any,
        close: Callable[[str, SlowUploadError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        server: python-socketio's.
        close: ends an Engine.IO connection with a reason.
        clock: seconds, never set back.
        """
        self._server = server
        self._close = close
        self._clock = clock
        self._since: dict[str, tuple[Any, float]] = {}

    def end(self) -> None:
        """Look at every event that waits; to be called about once a second."""
        now_s = self._clock()
        self._since = {
            eio_sid: (packet, self._since_s(eio_sid, packet, now_s))
            for eio_sid, packet in list(self._server._binary_packet.items())
        }
        for eio_sid, (_, since_s) in self._since.items():
            if now_s - since_s >= ATTACHMENT_TIMEOUT_S:
                self._server._binary_packet.pop(eio_sid, None)
                self._close(eio_sid, _TOO_LATE)

    def _since_s(self, eio_sid: str, packet: Any, now_s: float) -> float:
        known, since_s = self._since.get(eio_sid, (None, now_s))
        return since_s if known is packet else now_s
