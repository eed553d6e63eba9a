"""Videos with known contents, written where a test needs them."""

import os
import subprocess
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from tests.support.faces import camera_frame_bgr, grace_hopper_bgr

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def write_video(path, frames, fps=10, fourcc="MJPG"):
    """Frames, all of one size, at a constant rate, by OpenCV."""
    frames = list(frames)
    size = frames[0].shape[1], frames[0].shape[0]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*fourcc), fps, size)
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def numbered_frames(count, size_hw=(120, 160)):
    """Up to 20 frames whose grey says their number: 12 times it."""
    return [np.full((*size_hw, 3), 12 * number, np.uint8) for number in range(count)]


def number_of(frame_bgr):
    """The number of a frame of `numbered_frames`, after lossy coding."""
    return round(float(frame_bgr.mean()) / 12)


def ffmpeg(*arguments):
    """Run ffmpeg, quietly."""
    subprocess.run([FFMPEG, "-loglevel", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def with_sound(source, target):
    """The same pictures, as H.264, with a tone as long."""
    ffmpeg(
        "-i", source, "-f", "lavfi", "-i", "sine=440:d=2", "-c:v", "libx264", "-preset", "ultrafast",
        "-crf", "12", "-pix_fmt", "yuv420p", "-c:a", "aac", target,
    )  # fmt: skip
    return target


def on_path(folder):
    """A folder for the PATH with ffmpeg in it."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    os.symlink(FFMPEG, folder / "ffmpeg")
    return str(folder)


FPS = 10


CHANGES = ((0.0, "happy"), (4.0, "neutral"), (7.5, None), (10.2, "happy"))


LENGTH_S = 12.0


def still(label):
    """A picture of somebody who looks like this; of nobody for None."""
    if label == "happy":
        return camera_frame_bgr()
    picture = np.full((480, 640, 3), 90, np.uint8)
    if label == "neutral":
        picture[:, 120:520] = grace_hopper_bgr()[0:480, 56:456]
    return picture


def label_at(at_s):
    return [label for start_s, label in CHANGES if start_s <= at_s + 1e-6][-1]
