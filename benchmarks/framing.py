"""Measure how FER-2013 frames its faces, in terms of the detectors' boxes.

The constants of our crops come from here.

    python -m benchmarks.framing fer2013.npz

The file holds `images`, uint8 (N, 48, 48). Each picture is enlarged and padded, so that the
detectors see its face as in a frame, and searched. Printed are medians and quartiles over the
pictures with a face.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.options import add_blazeface, new_parser
from fer_web.vision.boxes import centres, longer_sides
from fer_web.vision.haar import CASCADE_SHIFT_Y, CASCADE_SIDE, HaarDetector
from fer_web.vision.regions import Region
from fer_web.vision.roll import roll_rad_by_eyes
from fer_web.vision.search import BlazeFaceDetector
from fer_web.vision.types import Faces, Frame

ENLARGEMENT = 4
PADDING_GREYS = (0, 127, 255)
"""Boxes lean a little towards what surrounds the picture, so the padding takes turns."""


def main() -> None:
    """Print what preprocess.py and haar.py have as constants."""
    args = parse_arguments()
    images = np.load(args.data)["images"]
    chosen = images[np.linspace(0, len(images) - 1, args.count).astype(int)]
    frames = [pad(image, PADDING_GREYS[index % 3]) for index, image in enumerate(chosen)]
    blazeface, haar = BlazeFaceDetector(args.blazeface), HaarDetector(search_width=640)
    found = [blazeface.search(frame) for frame in frames]
    print_figures(
        f"BlazeFace: box in the picture ({sum(map(bool, map(len, found)))} of {len(frames)} found)",
        np.array([box_in_picture(faces) for faces in found if len(faces)]),
        ("crop side / box side", "crop centre x in box", "crop centre y in box", "roll, degrees"),
    )
    pairs = [(faces, haar.search(frame)) for faces, frame in zip(found, frames, strict=True)]
    print_figures(
        "Haar: the cascade's own box against BlazeFace's",
        np.array([cascade_box_in_box(faces, other) for faces, other in pairs if is_same(faces, other)]),
        ("cascade side / box side", "centre x, box sides", "centre y, box sides"),
    )


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("data", type=Path, help="fer2013.npz")
    parser.add_argument("--count", type=int, default=3000, help="pictures, evenly spread (default: 3000)")
    add_blazeface(parser)
    return parser.parse_args()


def pad(image: NDArray[np.uint8], grey: int) -> Frame:
    """Return one picture, enlarged, in the middle of a frame of twice its side."""
    side = image.shape[0] * ENLARGEMENT
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    frame = np.full((2 * side, 2 * side), grey, np.uint8)
    frame[side // 2 : side // 2 + side, side // 2 : side // 2 + side] = large
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)


def box_in_picture(faces: Faces) -> list[float]:
    """Return the picture's size and centre in units of the best face's box, and the face's roll."""
    side, centre = float(longer_sides(faces.xyxy)[0]), centres(faces.xyxy)[0]
    roll_rad = roll_rad_by_eyes(faces.eyes_xy[0])
    axes = Region(0, 0, side, roll_rad).axes()
    picture_side = 48 * ENLARGEMENT
    in_box = np.linalg.solve(axes, picture_side - centre) + 0.5
    return [picture_side / side, *in_box.tolist(), float(np.degrees(roll_rad))]


def is_same(faces: Faces, other: Faces) -> bool:
    """Tell whether both detectors' best faces are one."""
    if not len(faces) or not len(other):
        return False
    distance = np.linalg.norm(centres(faces.xyxy)[0] - centres(other.xyxy)[0])
    return bool(distance < 0.4 * longer_sides(faces.xyxy)[0])


def cascade_box_in_box(faces: Faces, other: Faces) -> list[float]:
    """Return the cascade's own, uncorrected box in units of BlazeFace's box, from its centre."""
    side = float(longer_sides(faces.xyxy)[0])
    cascade_side = float(longer_sides(other.xyxy)[0]) * CASCADE_SIDE
    corrected = centres(other.xyxy)[0] - centres(faces.xyxy)[0]
    shift_y = CASCADE_SHIFT_Y * cascade_side / CASCADE_SIDE
    return [cascade_side / side, float(corrected[0]) / side, float(corrected[1] + shift_y) / side]


def print_figures(title: str, rows: NDArray[np.float64], names: tuple[str, ...]) -> None:
    """Print the median and quartiles of each column."""
    print(f"{title}, n = {len(rows)}")
    for name, column in zip(names, rows.T, strict=True):
        low, median, high = np.quantile(column, [0.25, 0.5, 0.75])
        print(f"  {name:26} {median:8.3f}   (quartiles {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
