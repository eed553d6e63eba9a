"""Measure whether results can be trusted: python -m benchmarks.trust [--photos X] [--data X] [--quick].

Do people keep their numbers when they cross, leave or are cut away? Does what is shown stand still while a
face does, and follow soon when it changes? And what does all of it cost? Heads of 130 to 200 pixels from
photos move over scenes without people, 30 frames a second, with noise. A seed makes the same streams again.

Rows:
    two people cross: the nearer covers the other; numbers were swapped, or new.
    the same comes, another comes: after time away, half of them elsewhere; right is the same number, or a
        new one.
    both back after a cut: of five frames, often in changed places.
    still face: changes a minute of what is shown, "unsure" too, in noise and swinging light.
    changed face: seconds until another sure expression is shown.
    resting face: neutral called neutral, and other expressions called right, without and with a correction.
    sure: of the faces found in odd labelled photos, the share that is sure, of these right, and right. Even
        photos chose the threshold.
    grey photos: the same without colour, and for each expression the share that is called so.
    certainty costs: percent that it adds to a tracked frame, in pairs.
"Unseen" says that a face was not found at the end.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise, permutations
from pathlib import Path

import cv2
import numpy as np

from benchmarks import made_streams
from benchmarks.composites import Portrait, make_portraits
from benchmarks.made_streams import FPS, HEAD_PX, Head, Moment, cut_head, filmed
from benchmarks.options import add_blazeface, load_public_test, new_parser
from benchmarks.photos import load_face_photos
from benchmarks.resting_face import measure_resting_faces
from benchmarks.sureness import measure_cost, measure_sureness
from fer_web.errors import FerWebError
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.inference.pipeline import Pipeline
from fer_web.inference.results import FaceResult
from fer_web.settings import Settings
from fer_web.vision.boxes import iou_matrix
from fer_web.vision.faces import FaceDetector, build_detector
from fer_web.vision.tracking import FaceTracker

FOUND_IOU = 0.35
SETTLING_S = 1.5
CHANGED_AFTER = 25
"""Frames after which another face is there."""

CHANGE_LIMIT_S = 1.5
QUICK_SCALE = 0.1
ABSENCES_S = (1.5, 3.0)
FEWEST = 2
RESTING_PEOPLE = 60

Build = Callable[[Sequence[Head], np.random.Generator], list[Moment]]
"""Makes a stream of people."""


@dataclass
class Counts:
    """It counts the streams of one kind, and those in which something happened."""

    streams: int = 0
    swapped: int = 0
    renamed: int = 0
    unseen: int = 0
    wrong: int = 0

    def add(self, before: dict[int, int], after: dict[int, int], people: Sequence[int]) -> None:
        """Count one stream.

        Args: before, after: the number of each person who was seen. people: who is in view at the end.
        """
        owners = {number: person for person, number in before.items()}
        seen = [person for person in people if person in after]
        is_swapped = any(owners.get(after[person], person) != person for person in seen)
        is_renamed = any(after[person] not in owners for person in seen)
        is_unseen = len(seen) < len(people)
        self.streams += 1
        self.swapped += is_swapped
        self.renamed += is_renamed
        self.unseen += is_unseen
        self.wrong += is_swapped or is_renamed or is_unseen

    def percent(self, count: int) -> float:
        """Return a share of the streams."""
        return 100 * count / max(1, self.streams)


@dataclass(frozen=True)
class Bench:
    """What every measurement needs.

    Attributes:
        portraits: of different people, at least four.
        pipeline, detector: as a worker has them.
        scale: how many of the full number of streams are made, 0-1.
    """

    portraits: list[Portrait]
    pipeline: Pipeline
    detector: FaceDetector
    settings: Settings
    seed: int
    scale: float

    def times(self, full: int) -> int:
        """Return how many streams stand for the full number."""
        return max(2, round(full * self.scale))

    def streams(self, name: str, count: int, people: int) -> Iterator[tuple[list[Head], np.random.Generator]]:
        """Yield different people and a generator for each stream; the same seed gives the same."""
        for index in range(self.times(count)):
            rng = np.random.default_rng((self.seed, len(name), *name.encode(), index))
            chosen = rng.choice(len(self.portraits), people, replace=False)
            sizes_px = np.full(people, rng.uniform(*HEAD_PX)) * rng.uniform(0.9, 1.1, people)
            yield (
                [
                    cut_head(self.portraits[one], size_px)
                    for one, size_px in zip(chosen, sizes_px, strict=True)
                ],
                rng,
            )


def measure_ids(bench: Bench, name: str, count: int, people: int, build: Build) -> Counts:
    """Compare people's numbers at the end of each stream with those when all of them were first seen."""
    counts = Counts()
    for heads, rng in bench.streams(name, count, people):
        moments = build(heads, rng)
        tracker = new_stream_state(bench.settings).tracker
        numbers = list(_numbers(bench, tracker, moments, heads, rng))
        last = moments[-1].places
        in_view = [person for person, place in enumerate(last) if place is not None]
        before = next((each for each in numbers[10:] if each), {})
        before |= next((each for each in numbers[10:15] if len(each) == people), {})
        after: dict[int, int] = {}
        for each in numbers[-8:]:
            after |= each
        counts.add(before, after, in_view)
    return counts


def _numbers(
    bench: Bench,
    tracker: FaceTracker,
    moments: Sequence[Moment],
    heads: Sequence[Head],
    rng: np.random.Generator,
) -> Iterator[dict[int, int]]:
    """Yield for each frame which number each person has who is seen."""
    for step, (moment, frame) in enumerate(zip(moments, filmed(moments, heads, rng), strict=True)):
        tracked = tracker.update(frame, step / FPS, bench.detector)
        found: dict[int, int] = {}
        for person, (head, place) in enumerate(zip(heads, moment.places, strict=True)):
            if place is not None and len(tracked.ids):
                overlaps = iou_matrix(head.box_at(place), tracked.faces.xyxy)[0]
                if overlaps.max() >= FOUND_IOU:
                    found[person] = tracked.ids[int(overlaps.argmax())]
        yield found


def shown(face: FaceResult) -> str:
    """Return what a person reads beside the face."""
    return face.label if face.is_sure else "unsure"


def follow(
    bench: Bench, moments: Sequence[Moment], heads: Sequence[Head], rng: np.random.Generator, sigma: float
) -> list[str | None]:
    """Return what is shown of the face in each frame; None where none is found."""
    state, texts = new_stream_state(bench.settings), []
    for step, frame in enumerate(filmed(moments, heads, rng, sigma)):
        faces = bench.pipeline.analyse(frame, step / FPS, state).faces
        texts.append(shown(faces[0]) if faces else None)
    return texts


def measure_steadiness(bench: Bench, count: int, seconds: float) -> list[float]:
    """Return for each still face how often a minute what is shown changes, after it has settled."""
    rates = []
    for heads, rng in bench.streams("still", count, 1):
        moments = made_streams.still(rng, seconds + SETTLING_S)
        texts = follow(bench, moments, heads, rng, made_streams.SENSOR_NOISE_SIGMA)
        settled = [text for text in texts[round(SETTLING_S * FPS) :] if text]
        changes = sum(first != second for first, second in pairwise(settled))
        rates.append(60 * changes / seconds)
    return rates


def name_of(bench: Bench, head: Head) -> str | None:
    """Return what is shown of a head that has stood still for a moment; None where that is nothing sure."""
    rng = np.random.default_rng(bench.seed)
    moments = made_streams.change(rng, CHANGED_AFTER, 0)
    name = follow(bench, moments, [head, head], rng, made_streams.NOISE_SIGMA)[-1]
    return None if name == "unsure" else name


def measure_changes(bench: Bench, count: int) -> list[float]:
    """Return the seconds until another expression is shown; infinite where it is not within the limit.

    One portrait takes another's place. Those count that are surely and differently named, each seen alone.
    """
    portraits = bench.portraits[:: round(1 / bench.scale)]
    names = [name_of(bench, cut_head(each, float(np.mean(HEAD_PX)))) for each in portraits]
    named = [index for index, name in enumerate(names) if name]
    pairs = [pair for pair in permutations(named, 2) if names[pair[0]] != names[pair[1]]]
    rng = np.random.default_rng((bench.seed, 1))
    delays: list[float] = []
    for number in rng.permutation(len(pairs))[: bench.times(count)]:
        size_px = rng.uniform(*HEAD_PX)
        heads = [cut_head(portraits[index], size_px) for index in pairs[number]]
        name = name_of(bench, heads[1])
        moments = made_streams.change(rng, CHANGED_AFTER, round(CHANGE_LIMIT_S * FPS))
        texts = follow(bench, moments, heads, rng, made_streams.NOISE_SIGMA)
        before, changed = texts[CHANGED_AFTER - 1], texts[CHANGED_AFTER:]
        # A face that is sure at one size may not be so at another.
        if name and before not in (name, "unsure", None):
            delays.append((changed.index(name) + 1) / FPS if name in changed else np.inf)
    return delays


def measure(bench: Bench) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each row of the table as it is measured: its name and figures."""
    crossings = measure_ids(bench, "crossing", 100, 2, made_streams.crossing)
    yield (
        "two people cross",
        {
            "streams": crossings.streams,
            "swapped_percent": crossings.percent(crossings.swapped),
            "new_number_percent": crossings.percent(crossings.renamed),
            "unseen_percent": crossings.percent(crossings.unseen),
        },
    )
    for away_s in ABSENCES_S:
        for who in (0, 1):
            build = partial(made_streams.absence, away_s=away_s, returns=who)
            counts = measure_ids(bench, f"away {away_s}", 60, 2, build)
            name = f"{('the same', 'another')[who]} comes after {away_s} s"
            right = counts.renamed if who else counts.streams - counts.wrong
            yield name, _answers(counts, right)
    cuts = measure_ids(bench, "cut", 60, 2, made_streams.cut_away)
    yield "both back after a cut", _answers(cuts, cuts.streams - cuts.wrong)
    rates = measure_steadiness(bench, 24, 20.0)
    yield (
        "still face",
        {
            "faces": len(rates),
            "changes_a_minute": float(np.mean(rates)),
            "most_changes_a_minute": max(rates),
        },
    )
    delays = measure_changes(bench, 40)
    yield (
        "changed face",
        {
            "changes": len(delays),
            "median_s": float(np.median(delays)),
            # A real one: between two of them, one that never came would give no number.
            "p95_s": float(np.percentile(delays, 95, method="higher")),
        },
    )


def measure_faces(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the rows of FER-2013's faces, where they are given. Raises SystemExit: they cannot be used."""
    if options.data is None:
        return
    people = round(RESTING_PEOPLE * (QUICK_SCALE if options.quick else 1))
    classifier = LiteRTClassifier(load_artifact(Settings().model))
    try:
        part = load_public_test(options)
        yield "resting face", measure_resting_faces(part, classifier, people, options.seed)
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc


def _answers(counts: Counts, right: int) -> dict[str, float]:
    return {
        "streams": counts.streams,
        "right_percent": counts.percent(right),
        "unseen_percent": counts.percent(counts.unseen),
    }


def new_bench(options: argparse.Namespace) -> Bench:
    """Open the network, the detector and the photos. Raises SystemExit: there are too few photos."""
    cv2.setNumThreads(1)
    settings = Settings()
    photos = load_face_photos(options.photos)
    # Spread over all: archives and folders are sorted by expression.
    spread = np.linspace(0, len(photos), min(options.count, len(photos)), endpoint=False, dtype=int)
    portraits = make_portraits([photos[index] for index in spread], options.blazeface)
    if len(portraits) < FEWEST:
        raise SystemExit(
            f"at least {FEWEST} photos of different people are needed, {len(portraits)} can be used: "
            "give more by --photos"
        )
    pipeline = build_pipeline(settings, LiteRTClassifier(load_artifact(settings.model)), "blazeface")
    detector = build_detector("blazeface", options.blazeface)
    scale = QUICK_SCALE if options.quick else 1.0
    return Bench(portraits, pipeline, detector, settings, options.seed, scale)


def rows_of(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield all rows; those of sureness need photos with labels."""
    bench = new_bench(options)
    if options.photos is not None:
        step = round(1 / bench.scale)
        yield from measure_sureness(options.photos, options.blazeface, options.seed, step)
    yield "certainty costs", measure_cost(bench.portraits[0].photo_bgr)
    yield from measure(bench)


def main() -> None:
    """Run and print."""
    options = parse_arguments()
    table = {}
    rows = chain(rows_of(options), measure_faces(options))
    for name, figures in rows:
        table[name] = figures
        if not options.json:
            cells = "".join(f"  {key} {value:.4g}" for key, value in figures.items())
            print(f"{name:<28}{cells}", flush=True)
    if options.json:
        print(json.dumps(table))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--photos", type=Path, help="folder or .npz of photos with one face each")
    parser.add_argument("--data", type=Path, help="fer2013.csv or an .npz: rows of FER-2013's faces too")
    parser.add_argument("--ferplus", type=Path, help="FER+'s fer2013new.csv, where the data has no votes")
    parser.add_argument("--count", type=int, default=80, help="photos, spread over all (%(default)s)")
    add_blazeface(parser)
    parser.add_argument("--quick", action="store_true", help="a tenth of the streams")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
