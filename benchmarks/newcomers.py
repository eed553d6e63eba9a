"""Time how soon a live stream finds a face that appears: python -m benchmarks.newcomers [--photos
DIR|NPZ].

Each photo makes one stream of 640x480 JPEG frames for each scene, 30 a second, with a camera's
noise and a hand's shake. After half a second, in which somebody else is in view or nobody is, the
photo appears, or the whole scene is cut to one with it. Printed are the shares found in time, the
time until then, wrong boxes in all frames, and how often the face network ran in a frame.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

import cv2
import numpy as np

from benchmarks.composites import FRAME_HW, Portrait, background, make_portraits, paste_at
from benchmarks.options import add_photos, new_parser
from benchmarks.photos import load_face_photos
from fer_web.vision.blazeface import BlazeFace
from fer_web.vision.boxes import Boxes, iou_matrix
from fer_web.vision.faces import FaceDetector, build_detector
from fer_web.vision.tracking import FaceTracker
from fer_web.vision.types import Frame

FPS = 30
FRAMES_BEFORE = 15
FOUND_IOU = 0.4
JPEG_QUALITY = 80
NOISE_SIGMA = 2.0
DIFFERENT_FRAMES = 13
KNOWN_HEAD_PX = 180
LIMITS_S = (0.2, 0.3, 1.0, 2.0)


@dataclass(frozen=True)
class Scene:
    """It says who appears: a head's size, whether somebody else is in view, and whether all changes."""

    name: str
    head_px: int
    has_known: bool = True
    is_cut: bool = False


SCENES = (
    Scene("150 px", 150),
    Scene("60 px", 60),
    Scene("40 px", 40),
    Scene("40 px, alone", 40, has_known=False),
    Scene("cut to 150 px", 150, is_cut=True),
    Scene("cut to 60 px", 60, is_cut=True),
)


@dataclass
class Tally:
    """It holds what happened in the streams of one scene; `inf` where the face was never found."""

    latencies_s: list[float] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    false_boxes: int = 0
    streams_with_false_boxes: int = 0
    frames: int = 0
    frames_with_face: int = 0
    frames_seen: int = 0

    def add(self, other: "Tally") -> None:
        """Add what happened in other streams."""
        self.latencies_s += other.latencies_s
        self.runs += other.runs
        self.false_boxes += other.false_boxes
        self.streams_with_false_boxes += other.streams_with_false_boxes
        self.frames += other.frames
        self.frames_with_face += other.frames_with_face
        self.frames_seen += other.frames_seen

    def share_within(self, limit_s: float) -> float:
        """Return the share of streams whose face was found by then."""
        return float((np.array(self.latencies_s) <= limit_s + 1e-6).mean())


class CountedRuns:
    """It counts the runs of the face network while it is open."""

    def __init__(self) -> None:
        self.runs = 0
        self._find = BlazeFace.find

    def __enter__(self) -> "CountedRuns":
        def find(network: BlazeFace, *arguments: object) -> object:
            self.runs += 1
            return self._find(network, *arguments)  # type: ignore[arg-type] # as it was called

        BlazeFace.find = find  # type: ignore[assignment, method-assign] # counted on its way
        return self

    def __exit__(self, *_: object) -> None:
        BlazeFace.find = self._find  # type: ignore[method-assign] # as it was


def stills_of(
    scene: Scene, portrait: Portrait, other: Portrait, rng: np.random.Generator
) -> list[tuple[Frame, Boxes]]:
    """Return what is in view before and after the face appears, with all true boxes, the newcomer's last."""
    before, after = background(rng), background(rng)
    side = rng.integers(2)
    half = FRAME_HW[1] / 2
    known_xy = (half * (1 - side) + half / 2, rng.uniform(KNOWN_HEAD_PX, FRAME_HW[0] - KNOWN_HEAD_PX))
    reach = scene.head_px / 2 + 4
    new_xy = (half * side + rng.uniform(reach, half - reach), rng.uniform(reach, FRAME_HW[0] - reach))
    known = np.zeros((0, 4), np.float32)
    if scene.has_known:
        pasted = paste_at(other, before, KNOWN_HEAD_PX, known_xy)
        before, known = pasted.frame_bgr, pasted.xyxy
    appeared = paste_at(portrait, after if scene.is_cut else before, scene.head_px, new_xy)
    truth = appeared.xyxy if scene.is_cut else np.concatenate([known, appeared.xyxy])
    return [(before, known), (appeared.frame_bgr, truth)]


def measure_empty(count: int, detector: FaceDetector, *, seconds: float, seed: int) -> Tally:
    """Run streams in which nobody is ever seen: every box is a wrong one."""
    total, nobody = Tally(), np.zeros((0, 4), np.float32)
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        ground = background(rng)
        total.add(run_stream(detector, [(ground, nobody), (ground, nobody)], seconds, rng))
    return total


def as_filmed(still_bgr: Frame, count: int, rng: np.random.Generator) -> Iterator[Frame]:
    """Yield a camera's frames of a still picture, a few in turn: making them takes longer than the search."""
    frames = list(_filmed(still_bgr, min(count, DIFFERENT_FRAMES), rng))
    return islice(cycle(frames), count)


def _filmed(still_bgr: Frame, count: int, rng: np.random.Generator) -> Iterator[Frame]:
    """Yield frames with a shake of a pixel, noise and JPEG."""
    size_hw = (FRAME_HW[0] + 64, FRAME_HW[1] + 64, 3)
    field_of_noise = rng.normal(0, NOISE_SIGMA, size_hw).round().astype(np.int16)
    for _ in range(count):
        shake = np.array([[1, 0, rng.uniform(-1, 1)], [0, 1, rng.uniform(-1, 1)]])
        size = (FRAME_HW[1], FRAME_HW[0])
        frame = cv2.warpAffine(still_bgr, shake, size, borderMode=cv2.BORDER_REPLICATE)
        y, x = rng.integers(64, size=2)
        noise = field_of_noise[y : y + FRAME_HW[0], x : x + FRAME_HW[1]]
        noisy = np.clip(frame + noise, 0, 255).astype(np.uint8)
        _, jpeg = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        yield np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def run_stream(
    detector: FaceDetector, stills: list[tuple[Frame, Boxes]], seconds: float, rng: np.random.Generator
) -> Tally:
    """Follow one stream to its end."""
    tally, tracker, counted = Tally(), FaceTracker(), CountedRuns()
    latency_s, number = float("inf"), 0
    frames_after = round(seconds * FPS)
    with counted:
        for is_after, (still, truth) in enumerate(stills):
            for step, frame in enumerate(as_filmed(still, (FRAMES_BEFORE, frames_after)[is_after], rng)):
                counted.runs = 0
                boxes = tracker.update(frame, number / FPS, detector).faces.xyxy
                tally.runs.append(counted.runs)
                overlaps = iou_matrix(boxes, truth) >= FOUND_IOU
                tally.false_boxes += int(len(boxes) - overlaps.any(axis=0).sum())
                number += 1
                if is_after:
                    is_found = bool(overlaps[:, -1:].any())
                    tally.frames_seen += is_found
                    latency_s = min(latency_s, (step + 1) / FPS) if is_found else latency_s
    tally.latencies_s.append(latency_s)
    tally.streams_with_false_boxes = int(tally.false_boxes > 0)
    tally.frames, tally.frames_with_face = number, frames_after
    return tally


def measure(
    scene: Scene, portraits: Sequence[Portrait], detector: FaceDetector, *, seconds: float, seed: int
) -> Tally:
    """Run one stream for each portrait; the portrait before it in the list is the known face."""
    total = Tally()
    for index, portrait in enumerate(portraits):
        rng = np.random.default_rng((seed, index))
        one = run_stream(detector, stills_of(scene, portrait, portraits[index - 1], rng), seconds, rng)
        total.add(one)
    return total


def summarize(tally: Tally) -> dict[str, float]:
    """Return one row's figures: shares in percent, times in seconds."""
    runs, latencies = np.array(tally.runs), np.array(tally.latencies_s)
    found = latencies[np.isfinite(latencies)]
    return {
        "streams": len(latencies),
        **{f"within_{limit_s}_s": 100 * tally.share_within(limit_s) for limit_s in LIMITS_S},
        "found": 100 * len(found) / len(latencies),
        "seen_frames": 100 * tally.frames_seen / tally.frames_with_face,
        "median_s": float(np.median(found)) if len(found) else float("nan"),
        "p95_s": float(np.percentile(found, 95)) if len(found) else float("nan"),
        "false_boxes_per_100_frames": 100 * tally.false_boxes / tally.frames,
        "streams_with_false_boxes": tally.streams_with_false_boxes,
        "mean_runs": float(runs.mean()),
        "p99_runs": float(np.percentile(runs, 99)),
        "most_runs": int(runs.max()),
    }


def main() -> None:
    """Run and print."""
    args = parse_arguments()
    cv2.setNumThreads(1)
    portraits = make_portraits(load_face_photos(args.photos)[: args.count], args.blazeface)
    detector = build_detector(args.detector, args.blazeface)
    table = {}
    for scene in (*SCENES, *([None] if args.empty else [])):
        if scene:
            tally = measure(scene, portraits, detector, seconds=args.seconds, seed=args.seed)
        else:
            tally = measure_empty(args.empty, detector, seconds=args.seconds, seed=args.seed)
        name = scene.name if scene else "nobody"
        table[name] = summarize(tally)
        if not args.json:
            print(f"\n{name}")
            print(
                "\n".join(f"  {name:<30}{value:8.2f}" for name, value in table[name].items()),
                flush=True,
            )
    if args.json:
        print(json.dumps(table))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    add_photos(parser, empty=100)
    parser.add_argument("--detector", default="blazeface", choices=("blazeface", "haar"))
    parser.add_argument("--seconds", type=float, default=2.5, help="length of a stream after the change")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
