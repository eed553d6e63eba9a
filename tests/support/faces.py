"""Real faces that ship inside PyPI packages, so that the tests need no data of their own."""

from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage.data

ASTRONAUT_XYXY = (178.0, 74.0, 272.0, 180.0)
"""Eileen Collins's face in skimage's 512x512 picture, brows to chin, measured by hand."""


@cache
def astronaut_bgr():
    """NASA portrait of Eileen Collins, 512x512, smiling (public domain)."""
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


@cache
def grace_hopper_bgr():
    """Portrait of Grace Hopper, 512x600 (public domain), from matplotlib's sample data."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return cv2.imread(str(path))


def two_faces_bgr():
    """640x480: Collins on the left, Hopper on the right."""
    frame = np.full((480, 640, 3), 90, np.uint8)
    frame[90:410, 0:320] = cv2.resize(astronaut_bgr()[:320, 64:384], (320, 320))
    frame[90:410, 320:640] = cv2.resize(grace_hopper_bgr()[0:400, 60:460], (320, 320))
    return frame


def camera_frame_bgr(width=640, height=480, shift_x=0):
    """Collins in the middle of a frame of a camera's shape, moved sideways by `shift_x` pixels."""
    frame = np.full((height, width, 3), 90, np.uint8)
    left = (width - 448) // 2 + shift_x
    frame[16 : 16 + 448, left : left + 448] = cv2.resize(astronaut_bgr(), (448, 448))
    return frame
