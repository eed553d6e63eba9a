"""Time the analysis of every frame of a video: python -m benchmarks.video [--seconds S] [--turns
N].

The clip is made here: a photo that moves over a 1280x720 frame at 30 a second, as H.264. It is read by us
and by OpenCV's reader, which we used before, in turns. Wall-clock time depends on what else the machine
does; processor time (all threads, and processes that have ended) hardly does. Memory is what this process
and its children hold, halfway through and at the end.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import psutil

from benchmarks.photos import load_face_photos
from fer_web.analysis.videos.annotated_video import AnnotatedVideo
from fer_web.analysis.videos.read_ahead import read_ahead
from fer_web.analysis.videos.video import AnalysedFrame, VideoSamples
from fer_web.analysis.videos.video_encoders import Sound, choose_form
from fer_web.analysis.videos.video_reader import VideoFrame, VideoLimits, VideoReader
from fer_web.commands.video_analysis import open_pipeline
from fer_web.settings import Settings
from fer_web.vision.types import Frame

SIZE_HW = (720, 1280)
FPS = 30
PHOTO_PX = 480


def make_clip(folder: Path, photo_bgr: Frame, seconds: int) -> Path:
    """Write a moving photo as H.264."""
    path = folder / "clip.mp4"
    scale = PHOTO_PX / min(photo_bgr.shape[:2])
    photo = cv2.resize(photo_bgr, None, fx=scale, fy=scale)[:600, :800]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"preset": "medium"})
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        for step in range(seconds * FPS):
            angle = 2 * np.pi * step / 90
            frame = np.full((*SIZE_HW, 3), 110, np.uint8)
            x = int((SIZE_HW[1] - photo.shape[1]) / 2 * (1 + 0.5 * np.cos(angle)))
            y = int((SIZE_HW[0] - photo.shape[0]) / 2 * (1 + 0.8 * np.sin(angle)))
            frame[y : y + photo.shape[0], x : x + photo.shape[1]] = photo
            picture = av.VideoFrame.from_ndarray(frame, "bgr24")
            picture.pts, picture.time_base = step, Fraction(1, FPS)
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path


def read_by_us(clip: Path, settings: Settings) -> Iterator[VideoFrame]:
    """The clip's frames by VideoReader."""
    with VideoReader(clip, VideoLimits.from_settings(settings)) as reader:
        yield from read_ahead(reader)


def read_by_opencv(clip: Path, _settings: Settings) -> Iterator[VideoFrame]:
    """The clip's frames as they were read before: by OpenCV, a thread of this process."""

    def frames() -> Iterator[VideoFrame]:
        capture, number = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG), 0
        while (read := capture.read())[0]:
            at_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield VideoFrame(number, at_s, np.asarray(read[1], np.uint8))
            number += 1
        capture.release()

    yield from read_ahead(frames())


READERS = {"OpenCV": read_by_opencv, "ours": read_by_us}


def measure(
    frames: Iterator[VideoFrame], settings: Settings, how: str, out: Path, clip: Path
) -> dict[str, Any]:
    """Read the clip once, and analyse and write it as `how` says; times in seconds, memory in MB."""
    _, pipeline, state = open_pipeline(settings)
    samples = VideoSamples(settings.record_hz)
    wall_s, processor_s, held_mb = time.perf_counter(), _processor_s(), []
    video = AnnotatedVideo(out, Sound(clip), FPS, choose_form(out.suffix)) if how == "written" else None
    for frame in frames:
        faces = () if how == "read" else tuple(pipeline.analyse(frame.frame_bgr, frame.at_s, state).faces)
        samples.add(AnalysedFrame(frame, faces))
        if video:
            video.add(AnalysedFrame(frame, faces))
        if frame.number % 30 == 29:
            held_mb.append(_held_mb())
    if video:
        video.finish()
    return {
        "wall_s": time.perf_counter() - wall_s,
        "processor_s": _processor_s() - processor_s,
        "frames": samples.frames,
        "with_face": samples.frames_with_faces,
        "half_mb": held_mb[len(held_mb) // 2],
        "end_mb": held_mb[-1],
    }


def _processor_s() -> float:
    return sum(os.times()[:4])


def _held_mb() -> float:
    this = psutil.Process()
    return float(sum(each.memory_info().rss for each in [this, *this.children()]) / 1e6)


def summarize(turns: list[dict[str, Any]]) -> dict[str, float]:
    """Return the medians by frame in milliseconds, and how much faster than the video plays."""
    frames = turns[0]["frames"]
    names = ("wall_s", "processor_s", "half_mb", "end_mb")
    wall_s, processor_s, half_mb, end_mb = (
        float(np.median([turn[name] for turn in turns])) for name in names
    )
    return {
        "frames": frames,
        "with_face": turns[0]["with_face"],
        "wall_ms": 1000 * wall_s / frames,
        "processor_ms": 1000 * processor_s / frames,
        "times_real_time": frames / FPS / wall_s,
        "half_mb": half_mb,
        "end_mb": end_mb,
    }


def describe(name: str, found: dict[str, float]) -> str:
    """Return one line of the table."""
    return (
        f"{name:<24}{found['processor_ms']:11.2f}{found['wall_ms']:9.2f}{found['times_real_time']:11.1f}"
        f"{found['half_mb']:11.0f}{found['end_mb']:8.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder or .npz of photos with one face each")
    parser.add_argument("--seconds", type=int, default=20, help="length of the clip")
    parser.add_argument("--turns", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings = Settings()
    turns: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder), load_face_photos(options.photos)[0], options.seconds)
        for _ in range(options.turns):
            for how in ("read", "analysed", "written"):
                for name, read in READERS.items():
                    found = measure(read(clip, settings), settings, how, Path(folder) / "out.mp4", clip)
                    turns.setdefault(f"{how}, {name}", []).append(found)
    found = {name: summarize(each) for name, each in turns.items()}
    if options.json:
        print(json.dumps({"clip": ".mp4", "ways": found}))
        return
    first = found["analysed, ours"]
    print(f"1280x720 H.264, {first['frames']} frames at {FPS} a second, face in {first['with_face']};")
    print("median of", options.turns, "turns, by frame\n")
    print(f"{'':<24}{'processor':>11}{'wall':>9} (ms)  real time   MB: half,    end")
    for name, figures in found.items():
        print(describe(name, figures))


if __name__ == "__main__":
    main()
