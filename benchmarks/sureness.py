"""Measure how far "sure" holds, on labelled photos as they are, covered, blurred and turned, and its cost."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.photos import load_labelled_photos
from fer_web.analysis.stills.stills import StillAnalyser
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.settings import Settings
from fer_web.vision.faces import build_detector
from fer_web.vision.types import Frame
from train.certainty.examples import scene_of
from train.certainty.spoiling import Scene, blur, cover_eyes, cover_mouth, turned
from train.metrics.metrics import expected_calibration_error

TURN_DEG: Final = 40.0
PAIRS: Final = 60

CONDITIONS: Final = ("clean", "mouth covered", "sunglasses", "blur", "turned 40 degrees")


def spoiled(scene: Scene, condition: str, rng: np.random.Generator) -> Frame:
    """Return the frame with the face in one of CONDITIONS."""
    if condition == "mouth covered":
        scene = cover_mouth(scene, rng)
    elif condition == "sunglasses":
        scene = cover_eyes(scene, rng)
    elif condition == "blur":
        scene = blur(scene, rng)
    elif condition == "turned 40 degrees":
        yaw = float(rng.choice([-TURN_DEG, TURN_DEG]))
        scene = turned(scene, yaw, 0.0, is_round=bool(rng.random() < 0.5))
    return scene.frame_bgr


def measure_sureness(
    path: Path, blazeface: Path, seed: int, step: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield a row for each condition, for all of them and for grey photos.

    Only every other photo counts, the odd ones: the even ones chose the threshold of the shipped model.

    Args: path: of labelled photos. step: 1 takes all of the odd ones, more takes fewer.
    """
    detector = build_detector("blazeface", blazeface, for_stills=True)
    analyser = StillAnalyser(LiteRTClassifier(load_artifact(Settings().model)), detector, 1)
    answers: dict[str, list[tuple[float, bool, bool]]] = {name: [] for name in (*CONDITIONS, "grey")}
    recalled: dict[str, list[bool]] = {}
    for number, photo in list(enumerate(load_labelled_photos(path)))[1 :: 2 * step]:
        frame = np.asarray(cv2.imdecode(np.frombuffer(photo.encoded, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        found = detector.search(frame)
        if not len(found):
            continue
        grey = np.repeat(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
        for kind, name in enumerate(answers):
            rng = np.random.default_rng((seed, number, kind))
            picture = grey if name == "grey" else spoiled(scene_of(frame, found.take([0])), name, rng)
            for face in analyser.analyse(np.ascontiguousarray(picture), "detect").faces:
                is_right = face.label == photo.emotion
                answers[name].append((face.confidence, face.is_sure, is_right))
                if name == "grey":
                    recalled.setdefault(photo.emotion, []).append(is_right)
    for name in CONDITIONS:
        yield f"sure: {name}", figures_of(answers[name])
    yield "sure: all together", figures_of([each for name in CONDITIONS for each in answers[name]])
    recalls = {f"{name}_recall_percent": 100 * float(np.mean(right)) for name, right in recalled.items()}
    yield "grey photos", {**figures_of(answers["grey"]), **recalls}


def figures_of(answers: list[tuple[float, bool, bool]]) -> dict[str, float]:
    """Return a row's figures, of confidence, whether it was sure, and whether it was right."""
    confidence, is_sure, is_right = (np.array(part) for part in zip(*answers, strict=True))
    right = float(is_right[is_sure].mean()) if is_sure.any() else 0.0
    return {
        "faces": len(answers),
        "sure_percent": 100 * float(is_sure.mean()),
        "right_when_sure_percent": 100 * right,
        "right_percent": 100 * float(is_right.mean()),
        "calibration_error_percent": 100 * expected_calibration_error(confidence, is_right),
    }


def measure_cost(frame: Frame) -> dict[str, float]:
    """Return what certainty adds to a tracked frame of one face, in percent: medians of frames in pairs."""
    settings = Settings()
    took: dict[bool, list[float]] = {True: [], False: []}
    lanes = {}
    for has_certainty in took:
        classifier = LiteRTClassifier(load_artifact(settings.model))
        if not has_certainty:
            classifier.certainty = None
        lanes[has_certainty] = build_pipeline(settings, classifier, "blazeface"), new_stream_state(settings)
    for step in range(PAIRS + 10):
        for has_certainty, (pipeline, state) in lanes.items():
            start = time.perf_counter()
            pipeline.analyse(frame, step / 30, state)
            if step >= 10:
                took[has_certainty].append(time.perf_counter() - start)
    ratios = np.array(took[True]) / np.array(took[False])
    return {"pairs": PAIRS, "percent_of_a_frame": 100 * (float(np.median(ratios)) - 1)}
