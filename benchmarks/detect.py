"""Count each detector's faces and false boxes, and time it: python -m benchmarks.detect [--photos
DIR|NPZ] [--table frames|stills].

Each photo is pasted once for each condition into a 640x480 JPEG frame; see composites.py for how.
All detectors see the same frames in the same run, in turn, so that a busy machine slows all alike.
One thread. A face counts as found when a box overlaps the true one by an IoU of 0.4; any further
box is a false one.

The second table has what is hard in stills (crowds.py): small faces by their side and the picture's size,
galleries of calls, covered faces; the search of a frame beside that of a still, picture by picture.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain

import cv2
import numpy as np

from benchmarks.composites import (
    CONDITIONS,
    FRAME_HW,
    Composite,
    Portrait,
    empty_frames,
    face_frames,
    make_portraits,
)
from benchmarks.crowds import Row, cover_rows, gallery_rows, small_face_rows
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
COVERED_SIDE = 150


@dataclass
class Score:
    """It holds what one detector did in one condition."""

    found: int = 0
    faces: int = 0
    false_boxes: int = 0
    search_ms: list[float] = field(default_factory=list)
    search_cpu_ms: list[float] = field(default_factory=list)
    tracked_ms: list[float] = field(default_factory=list)
    tracked_cpu_ms: list[float] = field(default_factory=list)

    def add(self, truth_xyxy: Boxes, found_xyxy: Boxes) -> None:
        """Count one frame; a face found twice has a false box."""
        found = int((iou_matrix(found_xyxy, truth_xyxy) >= FOUND_IOU).any(axis=0).sum())
        self.found += found
        self.faces += len(truth_xyxy)
        self.false_boxes += len(found_xyxy) - found

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
    frames = {} if args.table == "stills" else frame_table(portraits, args)
    stills = {} if args.table == "frames" else still_table(portraits, args)
    if args.json:
        print(json.dumps((as_json(frames) if frames else {}) | {"stills": still_rows_as_json(stills)}))
        return
    texts = [as_text(frames)] if frames else []
    print("\n\n".join([*texts, *([still_text(stills)] if stills else [])]))


def frame_table(portraits: list[Portrait], args: argparse.Namespace) -> Table:
    """Let all detectors search frames with one face each, and frames without."""
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
    return table


def still_table(portraits: list[Portrait], args: argparse.Namespace) -> Table:
    """Let the search of a frame and that of a still look at each picture, in turn."""
    detectors = {
        name: build_detector("blazeface", args.blazeface, for_stills=name == "still")
        for name in ("frame", "still")
    }
    empty = [Row(EMPTY, list(empty_frames(args.empty // 2, seed=args.seed + 1000)))]
    table: Table = {}
    for row in chain(
        small_face_rows(portraits, args.pictures, args.seed),
        gallery_rows(portraits),
        cover_rows(portraits, args.blazeface, COVERED_SIDE, args.seed),
        empty,
    ):
        scores = table[row.name] = {name: Score() for name in detectors}
        for composite in row.pictures:
            search_all(detectors, composite, scores)
        print(f"{row.name}: done", file=sys.stderr)
    return table


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    add_photos(parser, empty=200)
    parser.add_argument(
        "--repeat", type=int, default=1, help="frames for each photo and condition (default: 1)"
    )
    parser.add_argument("--pictures", type=int, default=4, help="of each size with small faces")
    parser.add_argument("--table", choices=("frames", "stills"), help="only this one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def measure(detectors: dict[str, FaceDetector], composites: Iterable[Composite]) -> dict[str, Score]:
    """Let every detector search every frame."""
    scores = {name: Score() for name in detectors}
    for composite in composites:
        search_all(detectors, composite, scores)
        if len(composite.xyxy):
            time_tracked_frame(composite.frame_bgr, detectors["ours"], scores["ours"])
    return scores


def search_all(detectors: dict[str, FaceDetector], composite: Composite, scores: dict[str, Score]) -> None:
    """Let every detector search one picture."""
    for name, detector in detectors.items():
        with timed(scores[name].search_ms, scores[name].search_cpu_ms):
            faces = detector.search(composite.frame_bgr)
        scores[name].add(composite.xyxy, faces.xyxy)


@contextmanager
def timed(wall_ms: list[float], cpu_ms: list[float]) -> Iterator[None]:
    """Append the time spent inside; processor time is that of all threads, and does not count waiting."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    yield
    cpu_ms.append((time.process_time() - cpu_s) * 1000)
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


def still_text(table: Table) -> str:
    """Return the second table for people."""
    lines = [
        "Stills: faces found, % / false boxes in all / search, median ms (of the processor)",
        f"{'pictures':<26}{'faces':>6}" + "".join(f"{name:>28}" for name in ("frame", "still")),
    ]
    for name, scores in table.items():
        cells = [
            f"{100 * score.found / score.faces if score.faces else float('nan'):5.1f} / {score.false_boxes:3}"
            f" / {score.median_ms():.0f} ({np.median(score.search_cpu_ms):.0f})"
            for score in scores.values()
        ]
        lines.append(f"{name:<26}{scores['still'].faces:>6}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)


def still_rows_as_json(table: Table) -> dict[str, dict[str, dict[str, float | int]]]:
    """Return the same for machines."""
    return {row: {name: _summary(score) for name, score in scores.items()} for row, scores in table.items()}


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
