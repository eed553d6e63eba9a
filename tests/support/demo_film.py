"""Makes the film of "Try it without a camera": python -m tests.support.demo_film static/film/two_faces.webm.

The suffix chooses the form: .webm, or .mp4 for browsers that play no WebM. Two portraits move
that may be shipped: both are in the public domain, as works of the United States' government:
Eileen Collins (NASA), Grace Hopper (US Navy).
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from tests.support.faces import astronaut_bgr, grace_hopper_bgr
from tests.support.made_videos import write_video

WIDTH, HEIGHT, FPS = 800, 600, 25
LOOP_FRAMES = 14 * FPS
"""The last frame goes over into the first: the page plays the film in a loop."""
COLLINS_XYWH = (94, 0, 250, 300)
HOPPER_XYWH = (130, 20, 290, 348)
"""Head and shoulders within each portrait, 5 to 6."""
ENCODERS = {
    ".webm": ("libvpx-vp9", {"crf": "36", "b": "0", "g": "50"}),
    ".mp4": ("libx264", {"profile": "main", "crf": "28", "preset": "veryslow"}),
}
CARD_HW = (480, 400)


def make_film(path: Path) -> None:
    """Write the film, VP9 or H.264, without sound. Raises av.FFmpegError."""
    cards = [_card(astronaut_bgr(), COLLINS_XYWH), _card(grace_hopper_bgr(), HOPPER_XYWH)]
    codec, options = ENCODERS[path.suffix]
    # Without the libraries' version and the time in it, the same film is the same file.
    container = {"fflags": "+bitexact", "movflags": "+faststart"}
    frames = (film_frame(number / LOOP_FRAMES, cards) for number in range(LOOP_FRAMES))
    write_video(path, frames, FPS, codec, options={**options, "flags": "+bitexact"}, container=container)


def film_frame(phase, cards):
    """The picture at `phase`, 0 to 1 within the loop: uint8 (HEIGHT, WIDTH, 3), BGR.

    Both sway and come nearer and go away in turn. In the middle of each half they change places: one
    passes behind the other.
    """
    turn = 2 * np.pi * phase
    side = np.cos(turn) / (0.35 + 0.65 * abs(np.cos(turn)))
    depth = np.sin(turn)
    frame = _room()
    places = [(0.5 - 0.25 * side, depth), (0.5 + 0.25 * side, -depth)]
    for card, (x, nearness) in sorted(zip(cards, places, strict=True), key=lambda pair: pair[1][1]):
        sway = 0.02 * np.sin(3 * turn + 9 * x)
        _paste(frame, card, (x, 0.53 + sway), scale=0.78 + 0.2 * nearness)
    return frame


def _room():
    """A wall that is darker towards its corners."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    distance = np.hypot((x - WIDTH / 2) / WIDTH, (y - HEIGHT * 0.4) / HEIGHT)
    light = (150 - 110 * distance)[..., None]
    return (light * np.array([0.62, 0.52, 0.46], np.float32)).clip(0, 255).astype(np.uint8)


def _card(picture, xywh):
    """A portrait with soft round edges: uint8 (H, W, 3) and float32 (H, W, 1), 0 to 1."""
    left, top, width, height = xywh
    rows, columns = CARD_HW
    head = picture[top : top + height, left : left + width]
    portrait = cv2.resize(head, (columns, rows), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros((rows, columns), np.float32)
    cv2.ellipse(mask, (columns // 2, rows // 2), (columns // 2 - 14, rows // 2 - 14), 0, 0, 360, 1.0, -1)
    return portrait, cv2.GaussianBlur(mask, (0, 0), 5)[..., None]


def _paste(frame, card, center, scale):
    """Lay a card over the frame, its middle at fractions of it."""
    rows, columns = CARD_HW
    shift = (center[0] * WIDTH - scale * columns / 2, center[1] * HEIGHT - scale * rows / 2)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    portrait, mask = (cv2.warpAffine(part, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA) for part in card)
    mask = mask.reshape(HEIGHT, WIDTH, 1)
    frame[:] = (frame * (1 - mask) + portrait * mask).astype(np.uint8)


if __name__ == "__main__":
    make_film(Path(sys.argv[1]))
