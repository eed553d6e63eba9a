"""Rules on made results: when they fire, for whom, and when again."""

import itertools
import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_web.errors import InvalidValueError
from fer_web.events.rules import (
    GAP_S,
    MAX_FOR_S,
    MAX_RULE_NAME,
    MAX_RULE_PEOPLE,
    MAX_RULES,
    PAUSE_S,
    REST_S,
    WHEN,
    Rule,
    RuleWatch,
    parse_rules,
)

FPS = 30


@dataclass
class Face:
    face_id: int
    label: str
    is_sure: bool = True


def sad(*ids):
    return [Face(each, "sad") for each in ids]


def firings(rule, shown, fps=FPS, start_s=1000.0):
    """(seconds since the start, faces) of each firing. Args: shown: (seconds, faces) one after the other."""
    watch, fired, frame = RuleWatch(rule), [], 0
    for seconds, faces in shown:
        for _ in range(round(seconds * fps)):
            ids = watch.see(start_s + frame / fps, faces)
            if ids is not None:
                fired.append((round(frame / fps, 2), ids))
            frame += 1
    return fired


def test_sad_for_five_seconds_fires_once_after_five_seconds():
    assert firings(Rule("sad", for_s=5), [(12, sad(1))]) == [(5.0, (1,))]


def test_less_than_the_time_does_not_fire():
    assert firings(Rule("sad", for_s=5), [(4.9, sad(1)), (1, []), (4.9, sad(1))]) == []


def test_it_fires_again_after_the_condition_failed():
    assert firings(Rule("sad", for_s=1), [(3, sad(1)), (2, []), (3, sad(1))]) == [(1.0, (1,)), (6.0, (1,))]


def test_the_time_is_of_each_person_not_of_whoever_is_there():
    """Two people who take turns are not one who is sad for five seconds."""
    turns = [(3, sad(1)), (3, sad(2)), (3, sad(1)), (3, sad(2))]
    assert firings(Rule("sad", for_s=5), turns) == []


def test_two_people_must_both_show_it():
    happy = [Face(1, "happy"), Face(2, "happy")]
    assert firings(Rule("happy", people=2), [(2, happy[:1]), (2, happy)]) == [(2.0, (1, 2))]
    late = [(1, happy[:1]), (5, happy)]
    assert firings(Rule("happy", people=2, for_s=3), late) == [(4.0, (1, 2))]


def test_nobody_for_a_minute():
    assert firings(Rule("nobody", for_s=60), [(1, sad(1)), (70, [])], fps=10) == [(61.0, ())]
    assert firings(Rule("nobody", for_s=60), [(59, []), (2, sad(1)), (59, [])], fps=10) == []


def test_a_frame_that_is_missed_or_wrong_breaks_nothing():
    gap = GAP_S - 2 / FPS
    assert firings(Rule("sad", for_s=5), [(2, sad(1)), (gap, []), (4, sad(1))]) == [(5.0, (1,))]
    assert firings(Rule("nobody", for_s=5), [(2, []), (gap, sad(1)), (4, [])]) == [(5.0, ())]
    assert firings(Rule("sad", for_s=5), [(2, sad(1)), (GAP_S + 0.1, []), (4, sad(1))]) == []


@pytest.mark.parametrize("fps", [1, 2, 5, 60])
def test_slow_streams_count_time_too(fps):
    ((at_s, ids),) = firings(Rule("sad", for_s=4), [(10, sad(1))], fps=fps)
    assert ids == (1,)
    assert 4 <= at_s <= 4 + 1 / fps


def test_a_face_that_is_unsure_shows_unsure_and_not_its_label():
    unsure = [Face(1, "sad", is_sure=False)]
    assert firings(Rule("sad"), [(1, unsure)]) == []
    assert firings(Rule("unsure"), [(1, unsure)]) == [(0.0, (1,))]
    assert firings(Rule("anyone", people=2), [(1, [*unsure, Face(2, "happy")])]) == [(0.0, (1, 2))]


def test_a_pause_of_the_stream_is_not_part_of_the_time():
    watch = RuleWatch(Rule("sad", for_s=5))
    assert watch.see(0, sad(1)) is None
    assert watch.see(PAUSE_S + 0.1, sad(1)) is None
    assert watch.see(2 * PAUSE_S, sad(1)) is None
    assert watch.see(PAUSE_S + 0.1 + 5, sad(1)) == (1,)


def test_a_clock_that_jumps_back_begins_anew():
    watch = RuleWatch(Rule("sad", for_s=2))
    assert [watch.see(at_s, sad(1)) for at_s in (10, 11, 3, 4, 5)] == [None, None, None, None, (1,)]


def test_a_flicker_does_not_fire_each_time():
    flicker = [(0.1, sad(1)), (GAP_S + 0.1, [])] * 30
    fired = firings(Rule("sad"), flicker)
    assert len(fired) > 5
    assert all(later[0] - earlier[0] >= REST_S for earlier, later in itertools.pairwise(fired))


frames = st.lists(
    st.tuples(
        st.floats(0, 3), st.lists(st.builds(Face, st.integers(0, 3), st.sampled_from(["sad", "happy"])))
    ),
    max_size=60,
)


@given(frames, st.builds(Rule, st.sampled_from(WHEN), st.floats(0, 10), st.integers(1, 3)))
def test_whatever_comes_a_firing_names_enough_faces_and_leaves_time(shown, rule):
    watch, at_s, last_s = RuleWatch(rule), 0.0, None
    for wait_s, faces in shown:
        at_s += wait_s
        ids = watch.see(at_s, faces)
        if ids is None:
            continue
        assert ids == () if rule.when == "nobody" else len(set(ids)) >= rule.people
        assert last_s is None or at_s - last_s >= REST_S or wait_s > PAUSE_S
        last_s = at_s


def test_rules_are_read_as_a_page_words_them():
    rules = parse_rules(
        [{"when": "sad", "for_s": 5}, {"when": "happy", "people": 2, "effects": ["sound", "send"]}]
    )
    assert rules == (Rule("sad", 5), Rule("happy", people=2, effects=("sound", "send")))
    assert [rule.title for rule in rules] == ["sad for 5 s", "2 happy"]
    assert Rule("nobody", 60, name="Empty room").title == "Empty room"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "rules is a list of at most 20 rules; dict came."),
        ([{"when": "sad"}] * (MAX_RULES + 1), "21 rules came"),
        (["sad"], "Rule 1: A rule is an object"),
        ([{}], "Rule 1: A rule's when is one of angry"),
        ([{"when": "sad"}, {"when": "bored"}], "Rule 2: A rule's when is one of"),
        ([{"when": "sad", "url": "http://x"}], "'url' came"),
        ([{"when": "sad", "for_s": math.nan}], "for_s is 0 to 3600 seconds; nan came."),
        ([{"when": "sad", "for_s": math.inf}], "for_s is 0 to 3600"),
        ([{"when": "sad", "for_s": -1}], "for_s is 0 to 3600"),
        ([{"when": "sad", "for_s": MAX_FOR_S + 1}], "for_s is 0 to 3600"),
        ([{"when": "sad", "for_s": True}], "for_s is 0 to 3600"),
        ([{"when": "sad", "for_s": "5"}], "for_s is 0 to 3600"),
        ([{"when": "sad", "people": 0}], "people is a whole number from 1 to 10"),
        ([{"when": "sad", "people": 1.5}], "people is a whole number"),
        ([{"when": "sad", "people": MAX_RULE_PEOPLE + 1}], "people is a whole number"),
        ([{"when": "sad", "effects": []}], "effects are some of marker, sound, send"),
        ([{"when": "sad", "effects": ["run"]}], "effects are some of"),
        ([{"when": "sad", "effects": "marker"}], "effects are a list of texts"),
        ([{"when": "sad", "effects": [["marker"]]}], "effects are a list of texts"),
        ([{"when": "sad", "name": "x" * (MAX_RULE_NAME + 1)}], "name is one line of at most 60"),
        ([{"when": "sad", "name": "a\nb"}], "name is one line"),
        ([{"when": "sad", "name": 5}], "name is one line"),
        ([{"when": ["sad"]}], "when is one of"),
    ],
)
def test_rules_that_are_not_allowed_are_named(value, told):
    with pytest.raises(InvalidValueError) as raised:
        parse_rules(value)
    assert told in str(raised.value)
    assert len(str(raised.value)) < 400
