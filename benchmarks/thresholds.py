"""Count what each threshold of the search finds and mistakes: python -m benchmarks.thresholds
--photos DIR|NPZ.

Every candidate of every composed frame is looked at twice, whatever its score; thresholds are tried
on the recorded scores. `SearchOptions.min_face_score` is chosen by the conditions with large faces
and the large false boxes, `min_small_face_score` by the small ones; the columns of false boxes
count them in 100 frames.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.composites import CONDITIONS, Composite, empty_frames, face_frames, make_portraits
from benchmarks.options import add_photos, new_parser
from benchmarks.photos import load_face_photos
from fer_web.vision.boxes import iou_matrix
from fer_web.vision.search import BlazeFaceDetector, SearchOptions, is_small_face, logit
from fer_web.vision.types import Faces

FOUND_IOU = 0.4
FALSE_COLUMNS = ("false, small", "false, large", "nobody, small", "nobody, large")
THRESHOLDS = (0.6, 0.62, 0.64, 0.65, 0.66, 0.68, 0.7, 0.74)


@dataclass(frozen=True)
class Look:
    """It is one candidate: its frame, whether its box is right, and its looks' mean logit."""

    frame: int
    is_face: bool
    is_small: bool
    mean_logit: float


def main() -> None:
    """Print found % for each condition and false boxes, one line for each threshold."""
    args = parse_arguments()
    detector = BlazeFaceDetector(args.blazeface)
    portraits = make_portraits(load_face_photos(args.photos)[: args.count], args.blazeface)
    looks = {
        condition.name: list(look_at_all(detector, face_frames(portraits, condition, seed=number)))
        for number, condition in enumerate(CONDITIONS)
    }
    empty_looks = list(look_at_all(detector, empty_frames(args.empty, seed=1000)))
    print(
        "score  "
        + "".join(f"{name[:12]:>14}" for name in looks)
        + "".join(f"{name:>14}" for name in FALSE_COLUMNS)
    )
    for threshold in THRESHOLDS:
        shares = [100 * found_count(some, threshold) / len(portraits) for some in looks.values()]
        with_people = [look for some in looks.values() for look in some]
        for some, frames in ((with_people, len(portraits) * len(looks)), (empty_looks, args.empty)):
            shares += [100 * false_boxes(some, threshold, is_small=small) / frames for small in (True, False)]
        print(f"{threshold:<7}" + "".join(f"{share:>14.1f}" for share in shares))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    add_photos(parser, empty=400)
    return parser.parse_args()


def look_at_all(detector: BlazeFaceDetector, composites: Iterable[Composite]) -> Iterable[Look]:
    """Score every candidate of every frame."""
    options = SearchOptions()
    for number, composite in enumerate(composites):
        frame = composite.frame_bgr
        candidates = detector.candidates(frame)
        for index in range(len(candidates)):
            candidate = candidates.take([index])
            first = detector.look_again(frame, candidate, options.check_scale, is_mirrored=False)
            second = detector.look_again(frame, candidate, options.second_check_scale, is_mirrored=True)
            if len(first):
                mean_logit = float(np.mean([logit(candidate), logit(first), logit(second)]))
                yield Look(number, is_right(first, composite), is_small_face(candidate, frame), mean_logit)


def is_right(found: Faces, composite: Composite) -> bool:
    """Tell whether a box is where the face is."""
    return bool((iou_matrix(found.xyxy, composite.xyxy) >= FOUND_IOU).any())


def found_count(looks: list[Look], threshold: float) -> int:
    """Count the frames whose face passes."""
    return len({look.frame for look in looks if look.is_face and passes(look, threshold)})


def false_boxes(looks: list[Look], threshold: float, is_small: bool) -> int:
    """Count the candidates of one kind of size that pass but should not."""
    chosen = (look for look in looks if look.is_small == is_small and not look.is_face)
    return sum(passes(look, threshold) for look in chosen)


def passes(look: Look, threshold: float) -> bool:
    """Tell whether a candidate would be taken for a face."""
    return bool(look.mean_logit >= np.log(threshold / (1 - threshold)))


if __name__ == "__main__":
    main()
