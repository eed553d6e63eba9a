"""Faces of a frame -> the classifier's input: the only copy, used by training checks and by serving."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.regions import Region, cut_region
from fer_web.vision.roll import roll_rad_by_eyes
from fer_web.vision.types import Faces, Frame

Crops = NDArray[np.uint8]
"""uint8 (N, height, width, channels), 0-255: one channel is grey, three are red, green, blue."""

CROP_SIZE: Final = 48
"""FER-2013's images are 48 x 48 pixels."""

CROP_SCALE: Final = 1.17
CROP_CENTRE_IN_BOX: Final = (0.5, 0.40)
"""FER-2013's square lies so in the detector's upright box: its side in box sides, its centre from
the left top corner. Medians over 3,000 images, `python -m benchmarks.framing`. The scale is the box
because the distance between the eyes shrinks when a face looks to the side."""


CROPS: Final = {
    "tight": (1.0, (0.5, 0.5)),
    "fer2013": (CROP_SCALE, CROP_CENTRE_IN_BOX),
    "margin": (1.6, (0.5, 0.42)),
}
"""How much of a head a network sees: the crop's side and centre in the detector's box. Tight is the
box itself, as OpenCV's examples cut it; margin shows hair and chin, as RAF-DB and AffectNet do."""

FER_CROP: Final = "fer2013"

UNIT_SQUARE: Final = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def crop_faces(
    frame_bgr: Frame,
    faces: Faces,
    size_hw: tuple[int, int] = (CROP_SIZE, CROP_SIZE),
    channels: int = 1,
    crop: str = FER_CROP,
) -> Crops:
    """Cut every face out of one frame as FER-2013 frames it: upright, its edges repeated outward.

    Args:
        frame_bgr: uint8 (H, W, 3), OpenCV colour order. Not modified.
        faces: boxes may reach over the frame's edge. Unknown eyes (NaN) mean no turning.
        size_hw: output height and width in pixels, as stored with the model.
        channels: 1 for grey, 3 for red, green, blue.
        crop: a name of CROPS.
    Returns: uint8 (N, height, width, channels), 0-255; first dimension 0 when there is no face.
    """
    crops = np.zeros((len(faces), *size_hw, channels), np.uint8)
    for index in range(len(faces)):
        region = crop_region(faces.take([index]), crop)
        # Sampled at twice the size and then averaged, so that fine texture does not alias.
        doubled = cut_region(frame_bgr, region, 2 * max(size_hw), cv2.BORDER_REPLICATE)
        crops[index] = whole_crop(doubled, size_hw, channels)
    return crops


def whole_crop(picture_bgr: Frame, size_hw: tuple[int, int], channels: int = 1) -> NDArray[np.uint8]:
    """A whole picture as one crop, for pictures that are nothing but a face.

    Args: picture_bgr: uint8 (H, W, 3). Not modified.
    Returns: uint8 (height, width, channels), grey or red, green, blue.
    """
    colours = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY if channels == 1 else cv2.COLOR_BGR2RGB)
    # Averaging where it shrinks; where it grows, areas would be blocks.
    shrinks = colours.shape[0] >= size_hw[0] and colours.shape[1] >= size_hw[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    crop = cv2.resize(colours, (size_hw[1], size_hw[0]), interpolation=how)
    return np.asarray(crop, np.uint8).reshape(*size_hw, channels)


def pad_to_square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture made square by repeating its edges outward, with its middle in the middle.

    Args: picture: uint8 (H, W) or (H, W, C). Not modified. Returns: uint8 of the longer side, same channels.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    above, left = (longest - height) // 2, (longest - width) // 2
    below, right = longest - height - above, longest - width - left
    padded = cv2.copyMakeBorder(picture, above, below, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def crop_region(face: Faces, crop: str = FER_CROP) -> Region:
    """The square of the frame that becomes one face's crop. Args: crop: a name of CROPS."""
    scale, centre = CROPS[crop]
    left, top, right, bottom = (float(value) for value in face.xyxy[0])
    side = max(right - left, bottom - top)
    roll_rad = roll_rad_by_eyes(face.eyes_xy[0])
    box = Region((left + right) / 2, (top + bottom) / 2, side, roll_rad)
    centre_x, centre_y = box.to_frame(np.array(centre, np.float32)).tolist()
    return Region(centre_x, centre_y, side * scale, roll_rad)


def crop_corners(faces: Faces, crop: str = FER_CROP) -> NDArray[np.float32]:
    """Return the corners of each face's crop, float32 (N, 4, 2), in frame pixels.

    Left top, right top, right bottom, left bottom of the upright face; they may lie outside of the frame.
    """
    corners = np.zeros((len(faces), 4, 2), np.float32)
    for index in range(len(faces)):
        corners[index] = crop_region(faces.take([index]), crop).to_frame(UNIT_SQUARE)
    return corners


def to_model_input(crops: Crops) -> NDArray[np.float32]:
    """float32 (N, height, width, channels), still 0-255: scaling the pixels is a layer inside the model."""
    return crops.astype(np.float32)
