"""Compose camera frames with a face at a known place.

Real photos are pasted on backgrounds without people, and pass through JPEG."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from fer_web.vision.boxes import Boxes, centres, iou_matrix, join_faces, longer_sides
from fer_web.vision.haar import HaarDetector
from fer_web.vision.preprocess import CROP_CENTRE_IN_BOX, CROP_SCALE
from fer_web.vision.search import BlazeFaceDetector, SearchOptions
from fer_web.vision.types import Faces, Frame

FRAME_HW = (480, 640)
JPEG_QUALITY = 80
SAME_FACE_IOU = 0.5
MIN_AGREEING = 3
PADDINGS = ((0.2, 0), (0.5, 127), (1.0, 255))
"""These surround a photo whose face is to be found: width in sides of the photo, grey level."""

EMPTY_SCENES = (
    "coffee",
    "rocket",
    "brick",
    "grass",
    "gravel",
    "moon",
    "page",
    "text",
    "hubble_deep_field",
    "retina",
    "immunohistochemistry",
    "horse",
    "clock",
    "stereo_motorcycle",
    "chelsea",
)
"""These pictures in scikit-image's wheel show no human face."""


@dataclass(frozen=True)
class Condition:
    """It says how a face is shown.

    Attributes:
        name: as printed.
        head_px: side of the head's square in the frame. The square is FER-2013's: chin to
            mid-forehead, 1.17 times BlazeFace's box, about what Haar frames.
        turn_deg: the photo is turned by this much, to either side.
        gain: brightness of the whole frame.
        blur_sigma_px: Gaussian blur of the whole frame.
    """

    name: str
    head_px: int = 300
    turn_deg: float = 0.0
    gain: float = 1.0
    blur_sigma_px: float = 0.0


CONDITIONS = (
    Condition("face 300 px"),
    Condition("150 px", head_px=150),
    Condition("80 px", head_px=80),
    Condition("60 px", head_px=60),
    Condition("turned 20 degrees", turn_deg=20),
    Condition("turned 40 degrees", turn_deg=40),
    Condition("dark (gain 0.25)", gain=0.25),
    Condition("blurred (sigma 4)", blur_sigma_px=4),
)


@dataclass(frozen=True)
class Portrait:
    """It has a photo and its face's square box, float32 (1, 4), in pixels of the photo."""

    photo_bgr: Frame
    xyxy: Boxes


@dataclass(frozen=True)
class Composite:
    """It is one frame; `xyxy` is float32 (1, 4), or (0, 4) when nobody is in it."""

    frame_bgr: Frame
    xyxy: Boxes


def make_portraits(photos: Sequence[Frame], blazeface_path: Path) -> list[Portrait]:
    """Find the true box of each photo's face; photos without agreement on it are left out.

    The truth is the median of what independent looks at the large photo say: BlazeFace with three
    paddings (which change the face's scale) and Haar. At least three of the four must agree on the
    place.
    """
    blazeface = BlazeFaceDetector(blazeface_path, options=SearchOptions(min_face_score=0.55))
    haar = HaarDetector(search_width=640)
    portraits = []
    for photo in photos:
        side = max(photo.shape[:2])
        looks = [_look(blazeface.search, photo, round(side * share), grey) for share, grey in PADDINGS]
        looks.append(_look(haar.search, photo, round(side * PADDINGS[0][0]), 127))
        xyxy = _agreed_box(join_faces(looks).xyxy)
        if xyxy is not None:
            portraits.append(Portrait(photo, xyxy))
    return portraits


def _look(search: Callable[[Frame], Faces], photo_bgr: Frame, margin: int, grey: int) -> Faces:
    padded = cv2.copyMakeBorder(
        photo_bgr, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(grey,) * 3
    )
    found = search(np.asarray(padded, np.uint8))
    best = found.take([0][: len(found)])
    return Faces(best.xyxy - margin, best.scores, best.eyes_xy - margin)


def _agreed_box(xyxy: Boxes) -> Boxes | None:
    agree = iou_matrix(xyxy, xyxy) > SAME_FACE_IOU
    if not len(xyxy) or agree.sum(axis=1).max() < MIN_AGREEING:
        return None
    group = xyxy[agree[agree.sum(axis=1).argmax()]]
    return np.asarray(np.median(group, axis=0, keepdims=True), np.float32)


def face_frames(portraits: Sequence[Portrait], condition: Condition, seed: int) -> Iterator[Composite]:
    """Yield one frame for each portrait; the same seed gives the same frames."""
    rng = np.random.default_rng(seed)
    for portrait in portraits:
        yield _finish(_paste(portrait, background(rng), condition, rng), condition)


def empty_frames(count: int, seed: int) -> Iterator[Composite]:
    """Yield frames without people."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield _finish(Composite(background(rng), np.zeros((0, 4), np.float32)), Condition("empty"))


def _paste(portrait: Portrait, frame_bgr: Frame, condition: Condition, rng: np.random.Generator) -> Composite:
    """Put the photo, scaled and turned about its face, where the whole head is in view."""
    turn_deg = condition.turn_deg * rng.choice([-1, 1])
    # The head's square turned by 40 degrees would not fit into the frame; its middle, the face,
    # must.
    reach = min(condition.head_px / 2 + 2, FRAME_HW[0] / 2 - 1)
    head_xy = rng.uniform(reach, FRAME_HW[1] - reach), rng.uniform(reach, FRAME_HW[0] - reach)
    return paste_at(portrait, frame_bgr, condition.head_px, head_xy, turn_deg)


def paste_at(
    portrait: Portrait, frame_bgr: Frame, head_px: float, head_xy: tuple[float, float], turn_deg: float = 0.0
) -> Composite:
    """Put the photo, scaled and turned about its face, with the centre of its head's square at a place."""
    box_side = float(longer_sides(portrait.xyxy)[0])
    scale = head_px / (CROP_SCALE * box_side)
    photo_centre = centres(portrait.xyxy)[0] + (np.array(CROP_CENTRE_IN_BOX) - 0.5) * box_side
    matrix = cv2.getRotationMatrix2D(photo_centre.tolist(), turn_deg, scale)
    matrix[:, 2] += np.array(head_xy) - photo_centre
    photo = _shrunk_blur(portrait.photo_bgr, scale)
    size = (FRAME_HW[1], FRAME_HW[0])
    warped = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_LINEAR)
    is_photo = cv2.warpAffine(np.ones(photo.shape[:2], np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    frame = np.where(is_photo[..., None] > 0, warped, frame_bgr)
    box_centre = matrix @ np.array([*centres(portrait.xyxy)[0], 1.0])
    half = box_side * scale / 2
    return Composite(frame, np.array([[*(box_centre - half), *(box_centre + half)]], np.float32))


def _shrunk_blur(photo_bgr: Frame, scale: float) -> Frame:
    """Take away detail that shrinking would turn into aliasing."""
    if scale >= 1:
        return photo_bgr
    return np.asarray(cv2.GaussianBlur(photo_bgr, (0, 0), 0.5 * (1 / scale**2 - 1) ** 0.5 + 1e-3), np.uint8)


def _finish(composite: Composite, condition: Condition) -> Composite:
    frame = composite.frame_bgr
    if condition.blur_sigma_px:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), condition.blur_sigma_px), np.uint8)
    if condition.gain != 1:
        frame = np.asarray(cv2.convertScaleAbs(frame, alpha=condition.gain), np.uint8)
    _, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return Composite(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8), composite.xyxy)


def background(rng: np.random.Generator) -> Frame:
    """Return a random 480x640 frame without people: a wall, a scene, or a patchwork of scenes."""
    kind = rng.choice(["wall", "scene", "patchwork"])
    if kind == "wall":
        return _wall(rng)
    if kind == "scene":
        return _scene_cut(rng, FRAME_HW)
    half_hw = (FRAME_HW[0] // 2, FRAME_HW[1] // 2)
    rows = [np.hstack([_scene_cut(rng, half_hw) for _ in range(2)]) for _ in range(2)]
    return np.vstack(rows)


def _wall(rng: np.random.Generator) -> Frame:
    corners = rng.uniform(20, 235, (2, 2, 3)).astype(np.float32)
    gradient = cv2.resize(corners, (FRAME_HW[1], FRAME_HW[0]), interpolation=cv2.INTER_LINEAR)
    noise = rng.normal(0, rng.uniform(1, 12), gradient.shape)
    return np.asarray(np.clip(gradient + noise, 0, 255), np.uint8)


def _scene_cut(rng: np.random.Generator, size_hw: tuple[int, int]) -> Frame:
    scene = load_scene(EMPTY_SCENES[rng.integers(len(EMPTY_SCENES))])
    height, width = scene.shape[:2]
    share = rng.uniform(0.3, 1)
    cut_w = min(width, height * size_hw[1] / size_hw[0]) * share
    cut_h = cut_w * size_hw[0] / size_hw[1]
    left, top = rng.uniform(0, width - cut_w), rng.uniform(0, height - cut_h)
    cut = scene[int(top) : int(top + cut_h), int(left) : int(left + cut_w)]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    interpolation = cv2.INTER_AREA if cut.shape[1] > size_hw[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (size_hw[1], size_hw[0]), interpolation=interpolation), np.uint8)


@cache
def load_scene(name: str) -> Frame:
    loaded = getattr(skimage.data, name)()
    picture: NDArray[Any] = np.asarray(loaded[0] if isinstance(loaded, tuple) else loaded)
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * 255
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
