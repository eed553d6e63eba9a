"""Count each detector's faces and false boxes, and time it: python -m benchmarks.detect [--photos
DIR|NPZ].

Each photo is pasted once for each condition into a 640x480 JPEG frame; see composites.py for how.
All detectors see the same frames in the same run, in turn, so that a busy machine slows all alike.
One thread. A face counts as found when a box overlaps the true one by an IoU of 0.4; any further
box is a false one.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np

from benchmarks.composites import CONDITIONS, FRAME_HW, Composite, empty_frames, face_frames, make_portraits
from benchmarks.options import add_photos, new_parser
from benchmarks.photos import load_face_photos
from fer_web.vision.boxes import Boxes, iou_matrix
from fer_web.vision.faces import FaceDetector, build_detector
from fer_web.vision.haar import HaarDetector
from fer_web.vision.tracking import FaceTracker
from fer_web.vision.types import Frame

FOUND_IOU = 0.4
FRAME_INTERVAL_S = 1 / 30
EMPTY = "nobody in view"


@dataclass
class Score:
    """It holds what one detector did in one condition."""

    found: int = 0
    false_boxes: int = 0
    search_ms: list[float] = field(default_factory=list)
    search_cpu_ms: list[float] = field(default_factory=list)
    tracked_ms: list[float] = field(default_factory=list)
    tracked_cpu_ms: list[float] = field(default_factory=list)

    def add(self, truth_xyxy: Boxes, found_xyxy: Boxes) -> None:
        """Count one frame; `truth_xyxy` has one row or none."""
        is_true = (iou_matrix(found_xyxy, truth_xyxy) >= FOUND_IOU).any(axis=1)
        self.found += bool(is_true.any())
        self.false_boxes += int(len(found_xyxy) - is_true.any())

    def median_ms(self) -> float:
        """Return the median time of a full search."""
        return float(np.median(self.search_ms))


Table = dict[str, dict[str, Score]]
"""The keys are the condition, then the detector."""


def main() -> None:
    """Run and print."""
    args = parse_arguments()
    cv2.setNumThreads(1)
    photos = load_face_photos(args.photos)[: args.count]
    portraits = make_portraits(photos, args.blazeface)
    print(f"{len(portraits)} of {len(photos)} photos have an agreed face", file=sys.stderr)
    detectors: dict[str, FaceDetector] = {
        "Haar 320": HaarDetector(search_width=320),
        "Haar 640": HaarDetector(search_width=640),
        "ours": build_detector("blazeface", args.blazeface),
    }
    table: Table = {}
    for number, condition in enumerate(CONDITIONS):
        frames = face_frames(portraits * args.repeat, condition, seed=args.seed + number)
        table[condition.name] = measure(detectors, frames)
        print(f"{condition.name}: done", file=sys.stderr)
    table[EMPTY] = measure(detectors, empty_frames(args.empty, seed=args.seed + 1000))
    print(json.dumps(as_json(table)) if args.json else as_text(table))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    add_photos(parser, empty=200)
    parser.add_argument(
        "--repeat", type=int, default=1, help="frames for each photo and condition (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def measure(detectors: dict[str, FaceDetector], composites: Iterable[Composite]) -> dict[str, Score]:
    """Let every detector search every frame."""
    scores = {name: Score() for name in detectors}
    for composite in composites:
        for name, detector in detectors.items():
            score = scores[name]
            with timed(score.search_ms, score.search_cpu_ms):
                faces = detector.search(composite.frame_bgr)
            score.add(composite.xyxy, faces.xyxy)
        if len(composite.xyxy):
            time_tracked_frame(composite.frame_bgr, detectors["ours"], scores["ours"])
    return scores


@contextmanager
def timed(wall_ms: list[float], cpu_ms: list[float]) -> Iterator[None]:
    """Append the time spent inside; processor time does not count waiting."""
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    yield
    cpu_ms.append((time.thread_time() - cpu_s) * 1000)
    wall_ms.append((time.perf_counter() - wall_s) * 1000)


def time_tracked_frame(frame_bgr: Frame, detector: FaceDetector, score: Score) -> None:
    """Time the frame after the one in which a face was found, if it was."""
    tracker = FaceTracker()
    if len(tracker.update(frame_bgr, 0.0, detector).ids) == 1:
        with timed(score.tracked_ms, score.tracked_cpu_ms):
            tracker.update(frame_bgr, FRAME_INTERVAL_S, detector)


def as_text(table: Table) -> str:
    """Return the table for people."""
    names = list(next(iter(table.values())))
    lines = [
        f"Faces found, % / full search, median ms; {FRAME_HW[1]}x{FRAME_HW[0]} JPEG frames, one thread",
        f"{'condition':<20}{'n':>6}" + "".join(f"{name:>16}" for name in names) + f"{'ours, tracked':>16}",
    ]
    for condition, scores in table.items():
        cells = [
            f"{found_percent(scores[name], condition)} / {scores[name].median_ms():4.1f}" for name in names
        ]
        tracked = scores["ours"].tracked_ms
        cells.append(f"{np.median(tracked):.1f}" if tracked else "")
        lines.append(f"{condition:<20}{frame_count(scores):>6}" + "".join(f"{cell:>16}" for cell in cells))
    for label, chosen in (
        ("false boxes per 100 frames with a face", False),
        ("... with nobody in view", True),
    ):
        cells = [f"{false_boxes_per_100(table, name, is_empty=chosen):.1f}" for name in names]
        lines.append(f"{label:<26}" + "".join(f"{cell:>16}" for cell in cells))
    ours = [scores["ours"] for scores in table.values()]
    search_cpu_ms = np.median(np.concatenate([score.search_cpu_ms for score in ours]))
    tracked_cpu_ms = np.median(np.concatenate([score.tracked_cpu_ms for score in ours]))
    lines.append(
        f"ours in processor time, median ms: full search {search_cpu_ms:.1f}, tracked {tracked_cpu_ms:.1f}"
    )
    return "\n".join(lines)


def found_percent(score: Score, condition: str) -> str:
    """Return the share of the frames whose face was found."""
    return "-" if condition == EMPTY else f"{100 * score.found / len(score.search_ms):.1f}"


def frame_count(scores: dict[str, Score]) -> int:
    """Count the frames of one condition."""
    return len(scores["ours"].search_ms)


def false_boxes_per_100(table: Table, name: str, is_empty: bool) -> float:
    """Count false boxes over all conditions with a face, or over the frames without one."""
    chosen = [scores[name] for condition, scores in table.items() if (condition == EMPTY) == is_empty]
    return (
        100
        * sum(score.false_boxes for score in chosen)
        / max(1, sum(len(score.search_ms) for score in chosen))
    )


def as_json(table: Table) -> dict[str, object]:
    """Return the same figures with all timings summed up, for machines."""
    rows = {
        condition: {name: _summary(score) for name, score in scores.items()}
        for condition, scores in table.items()
    }
    names = list(next(iter(table.values())))
    return {
        "conditions": rows,
        "false_boxes_per_100_frames": {
            name: false_boxes_per_100(table, name, is_empty=False) for name in names
        },
        "false_boxes_per_100_empty_frames": {
            name: false_boxes_per_100(table, name, is_empty=True) for name in names
        },
    }


def _summary(score: Score) -> dict[str, float | int]:
    summary = {key: value for key, value in asdict(score).items() if isinstance(value, int)}
    timings = {"search": score.search_ms, "search_cpu": score.search_cpu_ms}
    timings |= {"tracked": score.tracked_ms, "tracked_cpu": score.tracked_cpu_ms}
    medians = {f"{name}_median_ms": float(np.median(values)) for name, values in timings.items() if values}
    return {**summary, "frames": len(score.search_ms), **medians}


if __name__ == "__main__":
    main()
