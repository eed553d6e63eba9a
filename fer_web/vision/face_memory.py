"""What a stream remembers of each of its faces, those among them that are missed for a moment."""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

KEPT_S: Final = 3.0
"""A face that the detector misses for less time than this comes back with its number, and goes on from what
was known of it: begun anew, what is shown of it would change with each miss."""

_Value = TypeVar("_Value")


class FaceMemory(Generic[_Value]):
    """A value for each face, with the time of the frame that it is from."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, _Value]] = {}

    def get(self, face_id: int, time_s: float) -> tuple[float, _Value] | None:
        """Return when the face was seen last before `time_s` of the stream, and its value then.

        None where that is KEPT_S ago.
        """
        last = self._last.get(face_id)
        return None if last is None or time_s - last[0] >= KEPT_S else last

    def keep(self, face_ids: Sequence[int], values: Iterable[_Value], time_s: float) -> None:
        """Note a frame's values. Others are forgotten after KEPT_S, or where the clock jumps back."""
        missed = {each: last for each, last in self._last.items() if 0 <= time_s - last[0] < KEPT_S}
        self._last = missed | {
            face_id: (time_s, value) for face_id, value in zip(face_ids, values, strict=True)
        }
