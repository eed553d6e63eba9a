"""What we and the decoder's process tell each other about a video."""

from dataclasses import dataclass
from typing import Final

TRANSPOSED: Final = 1
FLIPPED_X: Final = 2
FLIPPED_Y: Final = 4
"""Bits of an orientation: rows and columns change places first, then columns and rows are turned round."""

MAX_EVERY: Final = 100_000
"""Of at most so many frames of a video one is analysed."""

MAX_AT_S: Final = 1_000_000.0
"""A part of a video begins and ends before this time, in seconds."""


@dataclass(frozen=True)
class VideoPart:
    """Which frames are wanted: every n-th from `start_s` to `end_s`, in seconds; None is the video's end."""

    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1


@dataclass(frozen=True)
class VideoHeader:
    """What is known of a video before it is read.

    Attributes:
        height, width: of the first frame as it is shown, in pixels.
        fps: nominal frames a second, 0 where nobody says.
        frames: in the whole video, None where nobody says; often roughly.
        length_s: of the whole video, None likewise.
        origin_s: the file's own time of the first frame: sound is in step with it.
    """

    height: int
    width: int
    fps: float
    frames: int | None
    length_s: float | None
    origin_s: float


@dataclass(frozen=True)
class VideoEnd:
    """How reading ended.

    Attributes:
        reached_s: time of the last packet of any kind, from the first frame; infinite at the end of a part.
        undecodable: packets that gave no frame because they are damaged.
        is_broken_off: the file could not be read on.
    """

    reached_s: float
    undecodable: int
    is_broken_off: bool
