"""Compose what is hard to find in a still: small faces, galleries of calls, covered faces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import (
    EMPTY_SCENES,
    Composite,
    Portrait,
    background,
    load_scene,
    paste_at,
)
from fer_web.vision.boxes import Boxes, centres, longer_sides
from fer_web.vision.preprocess import CROP_SCALE
from fer_web.vision.search import BlazeFaceDetector, SearchOptions
from fer_web.vision.types import Frame

SMALL_SIDES: Final = (24, 32, 40)
PICTURES_HW: Final = ((480, 640), (1080, 1920), (3000, 4000))
CALLS_HW: Final = ((720, 1280), (768, 1366), (900, 1440), (1080, 1920))
FACES_IN_PICTURE: Final = 14
COVERS: Final = ("sunglasses", "bar over the eyes", "mouth covered", "half hidden", "bent down")
DARK: Final = (25, 22, 20)
CLOTH: Final = (200, 170, 140)
WALL: Final = (90, 120, 60)
MARGIN: Final = 175


@dataclass(frozen=True)
class Row:
    """One row of the table: its name and its pictures."""

    name: str
    pictures: list[Composite]


def small_face_rows(portraits: Sequence[Portrait], pictures: int, seed: int) -> Iterator[Row]:
    """Yield faces of each small size in pictures of each size."""
    for size_hw in PICTURES_HW:
        for side in SMALL_SIDES:
            rng = np.random.default_rng(seed + side)
            made = [crowd(portraits, size_hw, side, rng) for _ in range(pictures)]
            yield Row(f"{side} px in {size_hw[1]}x{size_hw[0]}", made)


def gallery_rows(portraits: Sequence[Portrait]) -> Iterator[Row]:
    """Yield calls of 25 and 36 people at sizes of screens."""
    for count in (5, 6):
        for size_hw in CALLS_HW:
            yield Row(f"{count}x{count} at {size_hw[1]}x{size_hw[0]}", [gallery(portraits, count, size_hw)])


def cover_rows(portraits: Sequence[Portrait], blazeface: Path, side: int, seed: int) -> Iterator[Row]:
    """Yield faces of which a part is covered, one in each 640x480 frame."""
    detector = BlazeFaceDetector(blazeface, options=SearchOptions(min_face_score=0.4))
    for cover in COVERS:
        rng, made = np.random.default_rng(seed), []
        for portrait in portraits:
            covered = cover_face(portrait, cover, detector)
            if covered is not None:
                reach = 0.65 * side * CROP_SCALE
                place = rng.uniform(reach, 640 - reach), rng.uniform(reach, 480 - reach)
                made.append(paste_at(covered, background(rng), side * CROP_SCALE, place))
        yield Row(cover, made)


def crowd(
    portraits: Sequence[Portrait], size_hw: tuple[int, int], side: float, rng: np.random.Generator
) -> Composite:
    """Scatter photos over a scene without people; their faces' boxes have this side."""
    frame, taken, boxes = scene(size_hw, rng), list[list[int]](), list[NDArray[np.floating]]()
    for _ in range(30 * FACES_IN_PICTURE):
        portrait = portraits[int(rng.integers(len(portraits)))]
        scale = side / float(longer_sides(portrait.xyxy)[0])
        photo = cv2.resize(portrait.photo_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = photo.shape[:2]
        left = int(rng.integers(0, size_hw[1] - width))
        top = int(rng.integers(0, size_hw[0] - height))
        place = [left, top, left + width, top + height]
        if not any(_touch(place, other) for other in taken):
            frame[top : top + height, left : left + width] = photo
            taken.append(place)
            boxes.append(portrait.xyxy * scale + [left, top, left, top])
        if len(boxes) == FACES_IN_PICTURE:
            break
    return Composite(_through_jpeg(frame), np.concatenate(boxes).astype(np.float32))


def gallery(portraits: Sequence[Portrait], count: int, size_hw: tuple[int, int]) -> Composite:
    """Lay out a call: count x count tiles of 16:9 on a dark ground, with a photo in each."""
    height, width = size_hw
    cell_h, cell_w = height // count, width // count
    side = min(cell_h, cell_w * 9 // 16) - 8
    frame, boxes = np.full((*size_hw, 3), 26, np.uint8), []
    for number in range(count * count):
        portrait = portraits[number % len(portraits)]
        scale = side / max(portrait.photo_bgr.shape[:2])
        photo = cv2.resize(portrait.photo_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        left = number % count * cell_w + (cell_w - photo.shape[1]) // 2
        top = number // count * cell_h + (cell_h - photo.shape[0]) // 2
        frame[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
        boxes.append(portrait.xyxy * scale + [left, top, left, top])
    return Composite(_through_jpeg(frame), np.concatenate(boxes).astype(np.float32))


def cover_face(portrait: Portrait, cover: str, detector: BlazeFaceDetector) -> Portrait | None:
    """Draw over a part of a face, by its eyes, nose and mouth; None where these were not found."""
    photo = portrait.photo_bgr.copy()
    edges = (MARGIN,) * 4
    padded = np.asarray(cv2.copyMakeBorder(photo, *edges, cv2.BORDER_CONSTANT, value=(127,) * 3), np.uint8)
    found = detector.search(padded)
    if not len(found):
        return None
    eyes, (nose, mouth) = found.eyes_xy[0] - MARGIN, found.points_xy[0, :2] - MARGIN
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    turn_deg = float(np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1])))
    if cover == "sunglasses":
        right, left = eyes.astype(int).tolist()
        for eye in (right, left):
            axes = (int(0.48 * apart), int(0.36 * apart))
            cv2.ellipse(photo, eye, axes, turn_deg, 0, 360, DARK, -1, cv2.LINE_AA)
        cv2.line(photo, right, left, DARK, max(2, int(0.08 * apart)), cv2.LINE_AA)
    elif cover == "bar over the eyes":
        _fill(photo, centres(eyes.reshape(1, 4))[0], (2.2 * apart, 0.7 * apart), turn_deg, DARK)
    elif cover == "mouth covered":
        _fill(photo, mouth, (1.9 * apart, 1.1 * apart), turn_deg, CLOTH)
    elif cover == "half hidden":
        photo[:, : max(0, int(nose[0]))] = WALL
    else:
        # From above, a face is shorter, and its forehead longer.
        _bend(photo, portrait.xyxy[0])
    return Portrait(photo, portrait.xyxy)


def scene(size_hw: tuple[int, int], rng: np.random.Generator) -> Frame:
    """Return a scene without people of any size: enlarged to twice at most, then mirrored."""
    picture = load_scene(EMPTY_SCENES[rng.integers(len(EMPTY_SCENES))])
    scale = min(2.0, max(size_hw[0] / picture.shape[0], size_hw[1] / picture.shape[1]))
    picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)
    missing = [max(0, wanted - has) for wanted, has in zip(size_hw, picture.shape[:2], strict=True)]
    picture = np.pad(picture, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top, left = (
        int(rng.integers(0, has - wanted + 1)) for wanted, has in zip(size_hw, picture.shape, strict=False)
    )
    return np.ascontiguousarray(picture[top : top + size_hw[0], left : left + size_hw[1]])


def _bend(photo_bgr: Frame, box: Boxes) -> None:
    height, width = photo_bgr.shape[:2]
    left, top, right, bottom = (float(value) for value in box)
    before = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    side = right - left
    after = before + np.array([[0, 0], [0, 0], [-0.15, -0.25], [0.15, -0.25]], np.float32) * side
    matrix = cv2.getPerspectiveTransform(before, after)
    photo_bgr[:] = cv2.warpPerspective(photo_bgr, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _fill(
    photo_bgr: Frame,
    centre: Boxes,
    size: tuple[float, float],
    turn_deg: float,
    colour: tuple[int, int, int],
) -> None:
    corners = cv2.boxPoints(((float(centre[0]), float(centre[1])), size, turn_deg))
    cv2.fillPoly(photo_bgr, [corners.astype(np.int32)], colour)


def _touch(first: list[int], second: list[int]) -> bool:
    return first[0] < second[2] and first[2] > second[0] and first[1] < second[3] and first[3] > second[1]


def _through_jpeg(frame_bgr: Frame) -> Frame:
    _, jpeg = cv2.imencode(".jpg", frame_bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
