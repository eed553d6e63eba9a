"""Time the analysis of every frame of a video: python -m benchmarks.video [--seconds S] [--turns
N].

The clip is made here: a photo that moves over a 1280x720 frame at 30 a second, as MJPEG, or as
H.264 where ffmpeg is on the PATH. Wall-clock time depends on what else the machine does; processor
time (all threads) hardly does.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.photos import load_face_photos
from fer_web.analysis.videos.annotated_video import AnnotatedVideo
from fer_web.analysis.videos.video import VideoSamples, analyse_video
from fer_web.analysis.videos.video_encoders import choose_form
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.commands.video import open_pipeline
from fer_web.settings import Settings

SIZE_HW = (720, 1280)
FPS = 30
PHOTO_PX = 480


def make_clip(folder: Path, photo_bgr: np.ndarray, seconds: int) -> Path:
    """Write a moving photo by the best codec that this machine writes."""
    path = folder / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE_HW[::-1])
    scale = PHOTO_PX / min(photo_bgr.shape[:2])
    photo = cv2.resize(photo_bgr, None, fx=scale, fy=scale)[:600, :800]
    for step in range(seconds * FPS):
        angle = 2 * np.pi * step / 90
        frame = np.full((*SIZE_HW, 3), 110, np.uint8)
        x = int((SIZE_HW[1] - photo.shape[1]) / 2 * (1 + 0.5 * np.cos(angle)))
        y = int((SIZE_HW[0] - photo.shape[0]) / 2 * (1 + 0.8 * np.sin(angle)))
        frame[y : y + photo.shape[0], x : x + photo.shape[1]] = photo
        writer.write(frame)
    writer.release()
    program = shutil.which("ffmpeg")
    if program is None:
        return path
    coded = folder / "clip.mp4"
    options = ["-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p"]
    subprocess.run([program, "-nostdin", "-loglevel", "error", "-i", path, *options, coded], check=True)
    return coded


def measure(clip: Path, settings: Settings, out: Path | None) -> dict[str, float]:
    """Analyse the clip once, and write it annotated where `out` is given; times in seconds."""
    _, pipeline, state = open_pipeline(settings)
    samples = VideoSamples(settings.record_hz)
    wall_s, processor_s = time.perf_counter(), time.process_time()
    with VideoReader(clip, VideoLimits.from_settings(settings)) as reader:
        video = AnnotatedVideo(out, clip, reader.fps, choose_form(out.suffix)) if out else None
        for analysed in analyse_video(reader, pipeline, state):
            samples.add(analysed)
            if video:
                video.add(analysed)
        if video:
            video.finish()
    return {
        "wall_s": time.perf_counter() - wall_s,
        "processor_s": time.process_time() - processor_s,
        "frames": samples.frames,
        "with_face": samples.frames_with_faces,
    }


def summarize(turns: list[dict[str, float]]) -> dict[str, float]:
    """Return the medians by frame in milliseconds, and how much faster than the video plays."""
    frames = turns[0]["frames"]
    wall_s, processor_s = (
        float(np.median([turn[key] for turn in turns])) for key in ("wall_s", "processor_s")
    )
    return {
        "frames": frames,
        "with_face": turns[0]["with_face"],
        "wall_ms": 1000 * wall_s / frames,
        "processor_ms": 1000 * processor_s / frames,
        "times_real_time": frames / FPS / wall_s,
        "times_real_time_of_one_core": frames / FPS / processor_s,
    }


def describe(name: str, found: dict[str, float]) -> str:
    """Return one line of the table."""
    return (
        f"{name:<34}{found['processor_ms']:11.2f}{found['wall_ms']:9.2f}"
        f"{found['times_real_time_of_one_core']:12.1f}{found['times_real_time']:9.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder or .npz of photos with one face each")
    parser.add_argument("--seconds", type=int, default=20, help="length of the clip")
    parser.add_argument("--turns", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder), load_face_photos(options.photos)[0], options.seconds)
        suffix = choose_form(None).suffix
        ways = {"analysed": None, f"analysed and written as {suffix}": Path(folder) / f"out{suffix}"}
        found = {
            name: summarize([measure(clip, settings, out) for _ in range(options.turns)])
            for name, out in ways.items()
        }
        kind = clip.suffix
    if options.json:
        print(json.dumps({"clip": kind, "ways": found}))
        return
    first = found["analysed"]
    print(f"1280x720 {kind}, {first['frames']} frames at {FPS} a second, face in {first['with_face']};")
    print("median of", options.turns, "turns, by frame; an ffmpeg process is not in the processor time\n")
    print(f"{'':<34}{'processor':>11}{'wall':>9}   (ms)  {'times real time: core, wall':>20}")
    for name, figures in found.items():
        print(describe(name, figures))


if __name__ == "__main__":
    main()
