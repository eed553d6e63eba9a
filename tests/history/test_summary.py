import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_web.history.summary import UNSURE, Interval, smooth, summarise
from fer_web.history.types import NOT_TOLD
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS
from tests.support.sample_tables import random_table, table_of

DARK, SMALL = REASONS.index("dark"), REASONS.index("small")
HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


def steady(label, from_s, to_s, face=1, step_s=0.2, confidence=0.9):
    return [(at_s, face, label, confidence) for at_s in np.arange(from_s, to_s - 1e-9, step_s).round(3)]


def summary_of(rows, length_s=10.0):
    return summarise(table_of(sorted(rows, key=lambda row: row[:2])), length_s=length_s, sample_hz=5)


def test_reasons_count_by_the_time_in_which_they_were_told():
    table = table_of([(0.2 * i, 1, "unsure" if i < 5 else "happy") for i in range(10)])
    told = np.array([DARK, DARK, DARK, NOT_TOLD, SMALL, *[DARK] * 5], np.int8)
    summary = summarise(replace(table, reason=told), length_s=2, sample_hz=5)
    shares = dict(zip(REASONS, summary.unsure_reasons, strict=True))
    assert {name: round(share, 2) for name, share in shares.items() if share} == {"dark": 0.3, "small": 0.1}


def test_summarise_empty_is_all_zero():
    summary = summary_of([], length_s=4.0)
    assert summary.shares.tolist() == [0] * 7
    assert (summary.face_present_share, summary.unsure_share) == (0, 0)
    assert (summary.peaks, summary.strips, summary.gaps) == ((), {}, ((0.0, 4.0),))
    assert not summary.transitions.any()


def test_affect_is_the_mean_over_time_however_densely_a_part_was_sampled():
    rows = steady("happy", 0, 5, step_s=0.05, confidence=1.0) + steady(
        "neutral", 5, 10, step_s=0.5, confidence=1.0
    )
    valence, arousal, strength = summary_of(rows).affect
    assert (valence, arousal, strength) == pytest.approx((0.405, 0.255, 0.5), abs=0.02)
    assert summary_of([]).affect is None


def test_summarise_empty_session_without_length():
    assert summary_of([], length_s=0.0).face_present_share == 0
    assert summary_of([(0.0, 1, "happy")], length_s=0.0).face_present_share == 1


def test_strips_join_equal_labels_and_show_unsure():
    rows = steady("happy", 0, 2) + steady("unsure", 2, 3) + steady("happy", 3, 5)
    assert summary_of(rows).strips == {
        1: (Interval(0, 2, HAPPY), Interval(2, 3, UNSURE), Interval(3, pytest.approx(5), HAPPY))
    }


def test_strips_end_where_the_face_was_away():
    rows = steady("happy", 0, 2) + steady("happy", 4, 5)
    first, second = summary_of(rows).strips[1]
    assert (first.to_s, second.from_s) == (pytest.approx(2.0), 4.0)


def test_a_lost_frame_is_no_gap():
    rows = [row for row in steady("happy", 0, 4) if not 1.9 < row[0] < 2.3]
    assert summary_of(rows, 4.0).strips[1] == (Interval(0, pytest.approx(4), HAPPY),)


def test_shares_are_parts_of_time_and_sum_to_one_with_unsure():
    summary = summary_of(steady("happy", 0, 6) + steady("sad", 6, 8) + steady("unsure", 8, 10))
    assert summary.shares[HAPPY] == pytest.approx(0.6)
    assert summary.shares[SAD] == pytest.approx(0.2)
    assert summary.unsure_share == pytest.approx(0.2)


def test_shares_do_not_depend_on_how_densely_a_part_was_sampled():
    summary = summary_of(steady("happy", 0, 5, step_s=0.05) + steady("sad", 5, 10, step_s=0.5))
    assert summary.shares[HAPPY] == pytest.approx(0.5, abs=0.03)


def test_face_present_share_counts_time_with_any_face_once():
    rows = steady("happy", 0, 4, face=1) + steady("sad", 2, 6, face=2)
    summary = summary_of(rows, length_s=12.0)
    assert summary.face_present_share == pytest.approx(0.5)
    assert summary.gaps == ((pytest.approx(6.0), 12.0),)


def test_gaps_at_the_start_and_between():
    summary = summary_of(steady("happy", 2, 4) + steady("happy", 7, 10))
    assert summary.gaps == ((0.0, 2.0), (pytest.approx(4.0), 7.0))


def test_transitions_count_only_expressions_that_last():
    rows = steady("happy", 0, 2) + steady("fear", 2, 2.4) + steady("sad", 2.4, 4) + steady("happy", 4, 6)
    counts = summary_of(rows).transitions
    assert counts[HAPPY, SAD] == counts[SAD, HAPPY] == 1
    assert counts.sum() == 2


def test_transitions_a_blip_within_one_expression_is_none():
    rows = steady("happy", 0, 2) + steady("sad", 2, 2.2) + steady("happy", 2.2, 4)
    assert summary_of(rows).transitions.sum() == 0


def test_transitions_pass_over_unsure_but_not_over_an_absence_or_to_another_face():
    over_unsure = steady("happy", 0, 1) + steady("unsure", 1, 2) + steady("sad", 2, 3)
    assert summary_of(over_unsure).transitions[HAPPY, SAD] == 1
    assert summary_of(steady("happy", 0, 1) + steady("sad", 5, 6)).transitions.sum() == 0
    assert summary_of(steady("happy", 0, 1) + steady("sad", 1, 2, face=2)).transitions.sum() == 0


def test_peaks_name_the_highest_moment_of_each_expression():
    rows = [*steady("happy", 0, 2), (2.0, 2, "happy", 0.99), (2.2, 1, "sad", 0.8)]
    peaks = summary_of(rows).peaks
    assert [peak.label for peak in peaks] == list(range(7))
    assert (peaks[HAPPY].at_s, peaks[HAPPY].face) == (2.0, 2)
    assert peaks[HAPPY].score == pytest.approx(0.99)
    assert peaks[SAD].at_s == 2.2


def test_smooth_zero_is_the_same_table():
    table = random_table(10, 2)
    assert smooth(table, 0, sample_hz=5) is table


def test_smooth_is_the_mean_of_the_face_within_the_window():
    table = random_table(20, 3)
    smoothed = smooth(table, 1.0, sample_hz=5)
    for row in (0, 7, 150, len(table) - 1):
        near = (table.face == table.face[row]) & (np.abs(table.at_s - table.at_s[row]) <= 0.5 + 1e-6)
        np.testing.assert_allclose(smoothed.scores[row], table.scores[near].mean(axis=0), atol=1e-6)
        assert smoothed.label[row] == smoothed.scores[row].argmax()
        assert smoothed.is_sure[row] == (table.is_sure[near].mean() >= 0.5)
    np.testing.assert_array_equal(smoothed.box, table.box)


def test_smooth_does_not_reach_over_an_absence():
    rows = steady("happy", 0, 1) + steady("sad", 3, 4)
    smoothed = smooth(table_of(rows), 10.0, sample_hz=5)
    assert set(smoothed.label[:5]) == {HAPPY}
    assert set(smoothed.label[5:]) == {SAD}


def test_smooth_leaves_what_it_was_given():
    table = random_table(5, 1)
    before = table.scores.copy()
    smooth(table, 2.0, sample_hz=5)
    np.testing.assert_array_equal(table.scores, before)


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 300).map(lambda tick: tick / 10),
        st.integers(1, 3),
        st.sampled_from([*EMOTIONS, "unsure"]),
    ),
    max_size=60,
    unique_by=lambda row: row[:2],
)


@given(SAMPLES, st.sampled_from([0.0, 0.4, 3.0]))
def test_summarise_of_anything_keeps_within_its_bounds(rows, smoothing_s):
    table = smooth(table_of(sorted(rows, key=lambda row: row[:2])), smoothing_s, sample_hz=5)
    summary = summarise(table, length_s=30.0, sample_hz=5)
    assert summary.shares.sum() + summary.unsure_share == pytest.approx(1.0 if rows else 0.0)
    assert 0 <= summary.face_present_share <= 1
    for intervals in summary.strips.values():
        assert all(
            one.from_s < one.to_s <= other.from_s + 1e-9 for one, other in itertools.pairwise(intervals)
        )
    named = [
        moment for intervals in summary.strips.values() for moment in intervals if moment.label != UNSURE
    ]
    assert summary.transitions.sum() <= max(0, len(named) - 1)
