"""Time JPEG in, result out, on one thread, beside the usual way: python -m benchmarks.pipeline
[--photos DIR|NPZ].

The usual way is what most tutorials do: Haar on the whole 640x480 frame, then `model.predict` of
the same network. Both take the same frames in the same run, in turn, so that a noisy machine hits
both alike. Then ours alone follows one stream for half a minute, on a plain and on a rich ground,
which is full of patterns to search: its slowest frames beside its median. Processor time does not
count waiting for a busy machine.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.composites import load_scene
from benchmarks.photos import load_face_photos
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.settings import Settings
from fer_web.vision.frames import encode_jpeg
from fer_web.vision.types import Frame

FRAME_HW = (480, 640)
FACE_PHOTO_PX = 300
FPS = 30
FRAMES_A_PHOTO = 60
STREAM_FRAMES = 900
RICH_SCENES = ("coffee", "gravel", "stereo_motorcycle", "text", "brick", "hubble_deep_field")
"""These pictures in scikit-image's wheel make the rich ground, three in a row."""


def rich_ground() -> Frame:
    """Return 640x480 pixels of things and textures, six pictures of a third of the width each."""
    height, width = FRAME_HW[0] // 2, FRAME_HW[1] // 3 + 1
    tiles = [
        cv2.resize(load_scene(name), (width, height), interpolation=cv2.INTER_AREA) for name in RICH_SCENES
    ]
    ground = np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])
    return np.asarray(ground[:, : FRAME_HW[1]], np.uint8)


def moving_face_jpegs(photo_bgr: Frame, count: int, ground_bgr: Frame | None = None) -> list[bytes]:
    """Return 640x480 JPEGs of a photo that moves in a circle, 30 frames a second.

    Args: ground_bgr: uint8 (480, 640, 3), what is behind it; None for plain grey.
    """
    ground = np.full((*FRAME_HW, 3), 110, np.uint8) if ground_bgr is None else ground_bgr
    scale = FACE_PHOTO_PX / min(photo_bgr.shape[:2])
    photo = cv2.resize(photo_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = min(photo.shape[0], 400), min(photo.shape[1], 560)
    jpegs = []
    for step in range(count):
        angle = 2 * np.pi * step / 60
        x = int((FRAME_HW[1] - width) / 2 * (1 + 0.4 * np.cos(angle)))
        y = int((FRAME_HW[0] - height) / 2 * (1 + 0.8 * np.sin(angle)))
        frame = ground.copy()
        frame[y : y + height, x : x + width] = photo[:height, :width]
        jpegs.append(encode_jpeg(frame, 80))
    return jpegs


class UsualWay:
    """It runs cv2.imdecode, Haar at 640 wide, a resize and keras `model.predict`."""

    def __init__(self, keras_path: Path) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self._model = keras.saving.load_model(keras_path, compile=False, safe_mode=True)
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
        )

    def process(self, jpeg: bytes) -> int:
        """Analyse one frame; returns the number of faces."""
        grey = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
        boxes = self._cascade.detectMultiScale(grey, 1.1, 5, minSize=(30, 30))
        for x, y, width, height in boxes:
            crop = cv2.resize(grey[y : y + height, x : x + width], (48, 48))
            self._model.predict(crop[None, :, :, None].astype(np.float32), verbose=0)
        return len(boxes)


@dataclass(frozen=True)
class PipelineTimes:
    """It holds what both ways took, in milliseconds.

    Attributes:
        stages_ms: our samples by stage.
        usual_ms: the usual way's samples.
        frames: analysed by ours.
        frames_with_one_face: of these, where it found exactly one.
    """

    stages_ms: dict[str, list[float]]
    usual_ms: list[float]
    frames: int
    frames_with_one_face: int


def measure(photos: list[np.ndarray], usual_every: int) -> PipelineTimes:
    """Run both ways over the same frames.

    Args: usual_every: the usual way takes every n-th frame only, because it is slow.
    """
    cv2.setNumThreads(1)
    settings = Settings()
    artifact = load_artifact(settings.model)
    pipeline, usual = (
        build_pipeline(settings, LiteRTClassifier(artifact), "blazeface"),
        UsualWay(artifact.keras_path),
    )
    stages: dict[str, list[float]] = defaultdict(list)
    usual_ms, found, frames = [], 0, 0
    for number, photo in enumerate(photos):
        state = new_stream_state(settings)
        for step, jpeg in enumerate(moving_face_jpegs(photo, FRAMES_A_PHOTO)):
            result = pipeline.process(jpeg, step / FPS, state)
            frames += 1
            found += len(result.faces) == 1
            if number == 0 and step < 10:
                continue  # warming up
            for stage, value in result.timings_ms.items():
                stages[stage].append(value)
            if step % usual_every == 0:
                started = time.perf_counter()
                if usual.process(jpeg):
                    usual_ms.append((time.perf_counter() - started) * 1000)
    return PipelineTimes(dict(stages), usual_ms, frames, found)


def follow_stream(photo_bgr: Frame, ground_bgr: Frame | None) -> dict[str, list[float]]:
    """Return what each frame of one stream took, in milliseconds; the first ten warm up."""
    settings = Settings()
    classifier = LiteRTClassifier(load_artifact(settings.model))
    pipeline, state = build_pipeline(settings, classifier, "blazeface"), new_stream_state(settings)
    jpegs = moving_face_jpegs(photo_bgr, FRAMES_A_PHOTO, ground_bgr)
    times_ms: dict[str, list[float]] = {"wall": [], "processor": []}
    for step in range(STREAM_FRAMES):
        wall_s, processor_s = time.perf_counter(), time.thread_time()
        pipeline.process(jpegs[step % len(jpegs)], step / FPS, state)
        times_ms["processor"].append(1000 * (time.thread_time() - processor_s))
        times_ms["wall"].append(1000 * (time.perf_counter() - wall_s))
    return {name: values[10:] for name, values in times_ms.items()}


def steadiness(times_ms: Sequence[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and how many medians that is."""
    median, p99 = float(np.median(times_ms)), float(np.percentile(times_ms, 99))
    return {"median_ms": median, "p99_ms": p99, "p99_by_median": p99 / median}


def median_and_p95(samples_ms: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile, in the unit of the samples."""
    return float(np.median(samples_ms)), float(np.percentile(samples_ms, 95))


def row(name: str, samples_ms: Sequence[float]) -> str:
    """Return one line of a table: name, median, 95th percentile, count."""
    median, p95 = median_and_p95(samples_ms)
    return f"{name:<34}{median:9.2f}{p95:9.2f}{len(samples_ms):8d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder or .npz of photos with one face each")
    parser.add_argument("--count", type=int, default=10, help="photos used")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    photos = load_face_photos(options.photos)[: options.count]
    result = measure(photos, usual_every=10)
    grounds = {"plain": None, "rich": rich_ground()}
    streams = {
        f"{name} ground, {clock} time": steadiness(times_ms)
        for name, ground in grounds.items()
        for clock, times_ms in follow_stream(photos[0], ground).items()
    }
    ratio = np.median(result.usual_ms) / np.median(result.stages_ms["total"])
    if options.json:
        medians = {name: median_and_p95(values) for name, values in result.stages_ms.items()}
        print(
            json.dumps(
                {
                    "median_p95_ms": medians,
                    "usual_ms": median_and_p95(result.usual_ms),
                    "ratio": ratio,
                    "streams": streams,
                }
            )
        )
        return
    print(f"640x480 JPEG in, result out; one face, one thread, {result.frames} frames,")
    print(f"exactly one face found in {result.frames_with_one_face}\n")
    print(f"{'stage':<34}{'median':>9}{'p95':>9}{'n':>8}   (ms)")
    for stage, samples in result.stages_ms.items():
        print(row(stage, samples))
    print(row("Haar 640 + model.predict", result.usual_ms))
    print(f"\nOurs is {ratio:.1f} times faster (medians)\n")
    print(f"{f'one stream of {STREAM_FRAMES} frames':<34}{'median':>9}{'p99':>9}{'p99/median':>12}   (ms)")
    for name, found in streams.items():
        figures = f"{found['median_ms']:9.2f}{found['p99_ms']:9.2f}{found['p99_by_median']:12.2f}"
        print(f"{name:<34}{figures}")


if __name__ == "__main__":
    main()
