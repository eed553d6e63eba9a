"""Streams scores and events by Lab Streaming Layer, which programs of EEG and eye-tracking labs read."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fer_web.errors import SetupError
from fer_web.events.delivery import CONNECTED, WAITING
from fer_web.events.types import Fired, Item, StreamEnded, StreamFrame
from fer_web.labels import EMOTIONS

MAX_LSL_STREAMS: Final = 16
"""Faces that have a stream of their own at the same time: of more, the library's ports let none be found."""

LSL_AWAY_S: Final = 10.0
"""A face that was not seen for so long has its stream closed."""

_KEPT: Final = 60
"""Hundreds of samples that are kept for a reader that is slow; the library counts so without a rate."""


SCOPES: Final = ("machine", "link", "site")
"""Who finds the streams: programs of this computer, of its local network, or further away. It is no lock: LSL
has no passwords, and who knows the port can read."""

_QUIET: Final = -2


def check_lsl() -> None:
    """Raises SetupError: pylsl, or the library in it, is not installed."""
    try:
        import pylsl  # noqa: F401
    except (ImportError, RuntimeError, OSError) as exc:
        raise SetupError(
            "A Lab Streaming Layer receiver needs pylsl, which is not installed here. Install it: "
            ".venv/bin/python -m pip install -r requirements-events.txt"
        ) from exc


@dataclass
class _FaceOutlet:
    outlet: Any
    seen_s: float


class LslReceiver:
    """One stream of markers, and one of seven channels for each face that is seen."""

    kind = "lsl"
    frames_kept = 300

    def __init__(self, scope: str = "machine", clock: Callable[[], float] = time.monotonic) -> None:
        """Args: scope: one of SCOPES; a file that the variable LSLAPICFG names counts instead."""
        self._scope = scope
        self._clock = clock
        self.run_id = secrets.token_hex(4)
        self._markers: Any = None
        self._faces: dict[tuple[str, int], _FaceOutlet] = {}

    def open(self) -> str | None:
        """Open the stream of markers; tell whether anybody reads any."""
        if self._markers is None:
            _configure(self._scope)
            self._markers = self._open_markers()
        self._close_old()
        outlets = [self._markers, *(face.outlet for face in self._faces.values())]
        return CONNECTED if any(outlet.have_consumers() for outlet in outlets) else WAITING

    def send(self, item: Item) -> None:
        """Push a marker, or the scores of a frame. The library never waits: it drops what nobody fetches."""
        if isinstance(item, Fired):
            self._markers.push_sample([item.rule.title], self._stamp(item.at_s))
        elif isinstance(item, StreamEnded):
            for key in [key for key in self._faces if key[0] == item.stream]:
                del self._faces[key]
        elif isinstance(item, StreamFrame):
            self._push(item)

    def close(self) -> None:
        """End all streams."""
        self._faces.clear()
        self._markers = None

    def _push(self, frame: StreamFrame) -> None:
        stamp = self._stamp(frame.at_s)
        for face in frame.faces:
            key = frame.stream, face.face_id
            known = self._faces.get(key)
            if known is None:
                if len(self._faces) >= MAX_LSL_STREAMS:
                    continue
                known = self._faces[key] = _FaceOutlet(self._open_face(*key), self._clock())
            known.seen_s = self._clock()
            known.outlet.push_sample(list(face.scores), stamp)

    def _stamp(self, at_s: float) -> float:
        """A moment of the monotonic clock as the library counts it."""
        import pylsl

        return float(pylsl.local_clock()) - (self._clock() - at_s)

    def _open_markers(self) -> Any:
        import pylsl

        info = pylsl.StreamInfo(
            "fer-web markers", "Markers", 1, pylsl.IRREGULAR_RATE, "string", f"{self.run_id}-markers"
        )
        return pylsl.StreamOutlet(info, max_buffered=_KEPT)

    def _open_face(self, stream: str, face: int) -> Any:
        import pylsl

        info = pylsl.StreamInfo(
            f"fer-web face {face}",
            "Expression",
            len(EMOTIONS),
            pylsl.IRREGULAR_RATE,
            "float32",
            f"{self.run_id}-{stream}-{face}",
        )
        channels = info.desc().append_child("channels")
        for emotion in EMOTIONS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", emotion)
            channel.append_child_value("unit", "probability")
            channel.append_child_value("type", "Expression")
        return pylsl.StreamOutlet(info, max_buffered=_KEPT)

    def _close_old(self) -> None:
        now_s = self._clock()
        for key in [key for key, face in self._faces.items() if now_s - face.seen_s > LSL_AWAY_S]:
            del self._faces[key]


def _configure(scope: str) -> None:
    """Set the library up, once for this process and before its first stream."""
    import pylsl

    if "LSLAPICFG" not in os.environ:
        pylsl.set_config_content(f"[multicast]\nResolveScope = {scope}\n[log]\nlevel = {_QUIET}\n")
