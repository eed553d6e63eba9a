"""Videos that Chromium plays as a webcam, with the true place of the face written into every frame."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from benchmarks.resting_face import trait_map
from fer_web.vision.frames import encode_jpeg
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr, grace_hopper_bgr, two_faces_bgr

WIDTH, HEIGHT, FPS = 640, 480, 30
LOOP_FRAMES = 120
MARKER_BITS = 8
MARKER_PX = 24
# The part of the portrait that is shown, and how much larger: the face is about 150 pixels wide.
PORTRAIT = (74, 0, 374, 300)
SCALE = 1.5
SWING_PX = 80


@dataclass(frozen=True)
class Truth:
    """Where the moving face is in frame `number` of the loop, in fractions of the frame."""

    number: int

    def box(self):
        """Left, top, width, height."""
        left, top, right, bottom = (SCALE * (v - PORTRAIT[i % 2]) for i, v in enumerate(ASTRONAUT_XYXY))
        x, y = portrait_corner(self.number)
        return ((x + left) / WIDTH, (y + top) / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT)


def portrait_corner(number):
    """Left and top of the portrait: it swings sideways once in each loop."""
    shift = SWING_PX * np.sin(2 * np.pi * number / LOOP_FRAMES)
    return round((WIDTH - 300 * SCALE) / 2 + shift), 0


@cache
def moving_face_video(folder):
    """Path of an .mjpeg with one moving face whose frame number stands in the lower left corner."""
    left, top, right, bottom = PORTRAIT
    portrait = cv2.resize(astronaut_bgr()[top:bottom, left:right], None, fx=SCALE, fy=SCALE)
    frames = []
    for number in range(LOOP_FRAMES):
        frame = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        x, y = portrait_corner(number)
        frame[y : y + portrait.shape[0], x : x + portrait.shape[1]] = portrait[: HEIGHT - y]
        _write_marker(frame, number)
        frames.append(frame)
    return _write(Path(folder) / "moving.mjpeg", frames)


@cache
def two_faces_video(folder):
    """Path of an .mjpeg with two faces that stand still."""
    return _write(Path(folder) / "two.mjpeg", [two_faces_bgr()] * 4)


@cache
def left_face_video(folder):
    """Path of an .mjpeg with one still face in the left half: a mirrored view has it on the right."""
    frame = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    left, top, right, bottom = PORTRAIT
    frame[90:390, 0:300] = astronaut_bgr()[top:bottom, left:right]
    return _write(Path(folder) / "left.mjpeg", [frame] * 4)


@cache
def resting_face_video(folder):
    """Path of an .mjpeg of Hopper, whose brows look a little angry; she leaves for a second every 4.5 s."""
    frame = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    frame[40:440, 120:520] = cv2.resize(grace_hopper_bgr()[95:405, 105:415], (400, 400))
    left, top, side = 172, 53, 301
    face = frame[top : top + side, left : left + side]
    frame[top : top + side, left : left + side] = cv2.remap(
        face, *trait_map((0.04, 0.038, -0.02, 0.007, -0.012), side), cv2.INTER_LINEAR
    )
    nobody = np.full_like(frame, 110)
    seen, away = encode_jpeg(frame, 92), encode_jpeg(nobody, 92)
    path = Path(folder) / "resting.mjpeg"
    path.write_bytes(seen * round(3.5 * FPS) + away * FPS)
    return path


@cache
def no_face_video(folder):
    """Path of an .mjpeg of a grey wall."""
    return _write(Path(folder) / "none.mjpeg", [np.full((HEIGHT, WIDTH, 3), 120, np.uint8)] * 4)


def _write(path, frames):
    path.write_bytes(b"".join(encode_jpeg(frame, 92) for frame in frames))
    return path


def _write_marker(frame, number):
    for bit in range(MARKER_BITS):
        value = 255 if number >> bit & 1 else 0
        frame[-MARKER_PX:, bit * MARKER_PX : (bit + 1) * MARKER_PX] = value


READ_MARKER_JS = f"""
(video) => {{
  const canvas = (window.__marker ??= new OffscreenCanvas({MARKER_BITS}, 1));
  const context = (window.__context ??= canvas.getContext("2d", {{ willReadFrequently: true }}));
  const scale = video.videoWidth / {WIDTH};
  let number = 0;
  context.drawImage(video, 0, ({HEIGHT} - {MARKER_PX} / 2) * scale, {MARKER_BITS * MARKER_PX} * scale, 2,
    0, 0, {MARKER_BITS}, 1);
  const pixels = context.getImageData(0, 0, {MARKER_BITS}, 1).data;
  for (let bit = 0; bit < {MARKER_BITS}; bit += 1) if (pixels[4 * bit] > 127) number |= 1 << bit;
  return number;
}}
"""
"""Reads a frame's number from a playing <video>, in the page."""
