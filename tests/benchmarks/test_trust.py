"""What the benchmark of trust makes and counts."""

from functools import partial

import numpy as np
import pytest

from benchmarks import made_streams
from benchmarks.composites import make_portraits
from benchmarks.made_streams import cut_head, filmed
from benchmarks.photos import load_face_photos
from benchmarks.sureness import CONDITIONS, figures_of, spoiled
from benchmarks.trust import Bench, Counts, measure_ids
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector
from train.certainty.spoiling import Scene


@pytest.fixture(scope="module")
def portraits():
    return make_portraits(load_face_photos(None), BLAZEFACE_PATH)


@pytest.mark.parametrize(
    ("after", "swapped", "renamed", "unseen"),
    [
        ({0: 1, 1: 2}, 0, 0, 0),
        ({0: 2, 1: 1}, 1, 0, 0),
        ({0: 1, 1: 3}, 0, 1, 0),
        ({0: 2, 1: 3}, 1, 1, 0),
        ({0: 1}, 0, 0, 1),
    ],
)
def test_counts_tell_swapped_new_and_missing_numbers_apart(after, swapped, renamed, unseen):
    counts = Counts()
    counts.add({0: 1, 1: 2}, after, people=(0, 1))
    assert (counts.swapped, counts.renamed, counts.unseen) == (swapped, renamed, unseen)
    assert counts.wrong == (after != {0: 1, 1: 2})


def test_a_crossing_is_the_same_with_the_same_seed_and_the_nearer_head_covers_the_other(portraits):
    heads = [cut_head(portrait, 150) for portrait in portraits]
    first, second = (made_streams.crossing(heads, np.random.default_rng(7)) for _ in range(2))
    assert [moment.places for moment in first] == [moment.places for moment in second]
    middle = min(first, key=lambda moment: abs(moment.places[0][0] - moment.places[1][0]))
    (frame,) = filmed([middle], heads, np.random.default_rng(0), sigma=0)
    x, y = (round(value) for value in middle.places[1])
    nearer = heads[1].bgr[heads[1].bgr.shape[0] // 2, heads[1].bgr.shape[1] // 2]
    assert np.abs(frame[y, x].astype(int) - nearer).max() <= 40


def test_numbers_are_compared_over_a_whole_stream(portraits):
    bench = Bench(portraits, None, build_detector("blazeface", BLAZEFACE_PATH), Settings(), 0, 0.0)
    short = measure_ids(bench, "short", 0, 2, partial(made_streams.absence, away_s=0.1))
    assert (short.streams, short.wrong) == (2, 0)
    new = measure_ids(bench, "new", 0, 2, partial(made_streams.absence, away_s=6.0, returns=1))
    assert (new.streams, new.renamed) == (2, 2)


def test_each_condition_of_sureness_changes_the_face_and_clean_leaves_it():
    points = np.array([[80, 80], [120, 80], [100, 100], [100, 125], [60, 85], [140, 85]], np.float32)
    frame = np.random.default_rng(0).integers(60, 200, (200, 200, 3)).astype(np.uint8)
    for name in CONDITIONS:
        changed = spoiled(Scene(frame, 90.0, points), name, np.random.default_rng(1))
        assert changed.shape == frame.shape
        assert (changed == frame).all() == (name == "clean")
    answers = [(0.9, True, True), (0.9, True, False), (0.4, False, False), (0.6, False, True)]
    figures = figures_of(answers)
    assert (figures["sure_percent"], figures["right_when_sure_percent"]) == (50, 50)
