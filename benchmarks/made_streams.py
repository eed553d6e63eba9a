"""Make streams of frames in which it is known who is where: people cross, leave, come back and are cut.

Heads are cut from photos and moved over backgrounds without people. Each stream is a list of moments; a
moment says where each person is, and `filmed` makes its frame with a camera's noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from benchmarks.composites import FRAME_HW, Portrait, background
from fer_web.vision.boxes import Boxes, centres, longer_sides
from fer_web.vision.preprocess import CROP_CENTRE_IN_BOX, CROP_SCALE
from fer_web.vision.types import Frame

FPS: Final = 30
HEAD_PX: Final = (130, 200)
HEAD_REACH: Final = (0.62, 0.78)
"""Half the width and height of a head that is cut out, in sides of its square: hair and chin are in it."""

NOISE_SIGMA: Final = 3.0
SENSOR_NOISE_SIGMA: Final = 4.0
LIGHT_SWING: Final = 0.15
LIGHT_PERIOD_S: Final = 2.3
"""The light of still faces swings by this share, as under clouds, a lamp or a camera's own exposure."""

Place = tuple[float, float]


@dataclass(frozen=True)
class Head:
    """A head to paste: its pixels, how opaque each is, and the face's box from the head's middle."""

    bgr: Frame
    opacity: np.ndarray
    box: np.ndarray

    def box_at(self, place: Place) -> Boxes:
        """Return float32 (1, 4), the face's box where the head's middle is there."""
        return np.asarray(self.box + np.tile(place, 2), np.float32)[None]


@dataclass(frozen=True)
class Moment:
    """It says what a frame shows: a ground, and who is where, the nearest last; None is out of view."""

    ground_bgr: Frame
    places: tuple[Place | None, ...]
    light: float = 1.0


def cut_head(portrait: Portrait, head_px: float) -> Head:
    """Cut a head out of its photo along a soft ellipse.

    Args: head_px: side of the head's square in the frame, as in `composites.Condition`.
    """
    side = float(longer_sides(portrait.xyxy)[0])
    scale = head_px / (CROP_SCALE * side)
    middle = centres(portrait.xyxy)[0] + (np.array(CROP_CENTRE_IN_BOX) - 0.5) * side
    half = np.ceil(np.array(HEAD_REACH) * head_px).astype(int)
    matrix = np.array([[scale, 0, half[0] - scale * middle[0]], [0, scale, half[1] - scale * middle[1]]])
    size = (int(2 * half[0]), int(2 * half[1]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    blurred = portrait.photo_bgr if scale >= 1 else cv2.GaussianBlur(portrait.photo_bgr, (0, 0), 0.4 / scale)
    bgr = cv2.warpAffine(blurred, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    opacity = np.clip((1 - np.hypot(x, y)) * 8, 0, 1)[..., None].astype(np.float32)
    box = scale * (portrait.xyxy[0] - np.tile(middle, 2))
    return Head(np.asarray(bgr, np.uint8), opacity, box)


def paste(frame_bgr: Frame, head: Head, place: Place) -> None:
    """Put a head into a frame, its middle at a place to the pixel; what is out of the frame is cut off."""
    height, width = head.bgr.shape[:2]
    left, top = round(place[0] - width / 2), round(place[1] - height / 2)
    rows = slice(max(0, top), max(0, min(FRAME_HW[0], top + height)))
    columns = slice(max(0, left), max(0, min(FRAME_HW[1], left + width)))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    under = frame_bgr[rows, columns].astype(np.float32)
    opacity = head.opacity[part]
    frame_bgr[rows, columns] = (under + opacity * (head.bgr[part] - under)).astype(np.uint8)


def filmed(
    moments: Sequence[Moment], heads: Sequence[Head], rng: np.random.Generator, sigma: float = NOISE_SIGMA
) -> Iterator[Frame]:
    """Yield each moment's frame with noise, which differs from frame to frame."""
    noise = rng.normal(0, sigma, (FRAME_HW[0] + 64, FRAME_HW[1] + 64, 3)).round().astype(np.int16)
    for moment in moments:
        frame = moment.ground_bgr.copy()
        for head, place in zip(heads, moment.places, strict=True):
            if place is not None:
                paste(frame, head, place)
        y, x = rng.integers(64, size=2)
        lit = cv2.convertScaleAbs(frame, alpha=moment.light)
        noisy = cv2.add(lit, noise[y : y + FRAME_HW[0], x : x + FRAME_HW[1]], dtype=cv2.CV_8U)
        yield np.asarray(noisy, np.uint8)


def crossing(heads: Sequence[Head], rng: np.random.Generator) -> list[Moment]:
    """Two people stand, walk past each other in 1 to 2.5 seconds, and stand; the second is nearer."""
    ground, steps = background(rng), int(rng.uniform(1.0, 2.5) * FPS)
    ends = (rng.uniform(110, 150), FRAME_HW[1] - rng.uniform(110, 150))
    y = FRAME_HW[0] / 2 + rng.uniform(-60, 60)
    ys = (y, y + rng.uniform(-45, 45))
    share = np.concatenate([np.zeros(15), np.linspace(0, 1, steps), np.ones(25)])
    if rng.random() < 0.5:
        ends = (ends[1], ends[0])
    return [
        Moment(ground, ((_between(ends, part), ys[0]), (_between(ends, 1 - part), ys[1]))) for part in share
    ]


def _between(ends: tuple[float, float], share: float) -> float:
    return float(ends[0] + share * (ends[1] - ends[0]))


def absence(
    heads: Sequence[Head], rng: np.random.Generator, *, away_s: float, returns: int = 0
) -> list[Moment]:
    """Somebody is seen, is away, and somebody is seen within a head of there; half the time, elsewhere.

    Args: returns: the position in `heads` of the one who comes: 0 is who left, others are new people.
    """
    ground, first = background(rng), somewhere(rng)
    near = (first[0] + rng.uniform(-80, 80), first[1] + rng.uniform(-40, 40))
    second = near if rng.random() < 0.5 else somewhere(rng)
    nobody: tuple[Place | None, ...] = (None,) * len(heads)
    before, after = list(nobody), list(nobody)
    before[0], after[returns] = first, second
    return [
        *[Moment(ground, tuple(before))] * 20,
        *[Moment(ground, nobody)] * round(away_s * FPS),
        *[Moment(ground, tuple(after))] * 25,
    ]


def cut_away(heads: Sequence[Head], rng: np.random.Generator) -> list[Moment]:
    """Two people are seen, then another picture for five frames, then both, often in changed places."""
    ground, other = background(rng), background(rng)
    left, right = (165.0, FRAME_HW[0] / 2), (475.0, FRAME_HW[0] / 2)
    after = (right, left) if rng.random() < 0.5 else (left, right)
    return [
        *[Moment(ground, (left, right))] * 20,
        *[Moment(other, (None, None))] * 5,
        *[Moment(ground, after)] * 30,
    ]


def still(rng: np.random.Generator, seconds: float) -> list[Moment]:
    """A face that does nothing, while the light swings."""
    ground, place, start = background(rng), somewhere(rng), rng.uniform(0, 2 * np.pi)
    times = np.arange(round(seconds * FPS)) / FPS
    lights = 1 + LIGHT_SWING * np.sin(start + 2 * np.pi * times / LIGHT_PERIOD_S)
    return [Moment(ground, (place,), float(light)) for light in lights]


def change(rng: np.random.Generator, steps_before: int, steps_after: int) -> list[Moment]:
    """One face takes another's place from one frame to the next: the fastest change that there is."""
    ground, place = background(rng), somewhere(rng)
    return [
        *[Moment(ground, (place, None))] * steps_before,
        *[Moment(ground, (None, place))] * steps_after,
    ]


def somewhere(rng: np.random.Generator) -> Place:
    """Return a place where a head of any size is in view."""
    reach = HEAD_PX[1] * HEAD_REACH[1]
    return float(rng.uniform(reach, FRAME_HW[1] - reach)), float(rng.uniform(reach, FRAME_HW[0] - reach))
