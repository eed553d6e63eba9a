from collections import Counter

import pytest

from fer_web.errors import ServerFullError
from fer_web.realtime.streams import Stream, StreamRegistry
from fer_web.realtime.turns import RECENT_S, Turns
from fer_web.sharing.places import Sender


def stream(person, name="a"):
    return Stream(name, None, sender=Sender(person))


def served(streams, cost_of, rounds, workers=1):
    """How often each person's frames are analysed, of streams that always have one waiting."""
    now = [0.0]
    turns, count = Turns(workers, lambda: now[0]), Counter()
    for each in streams:
        turns.put(each)
    for _ in range(rounds):
        each = turns.take()
        count[each.sender.person] += 1
        now[0] += cost_of(each)
        turns.done(each, cost_of(each))
        turns.put(each)
    return count


def test_a_person_with_thirty_streams_has_one_persons_turns():
    streams = [stream("many", str(number)) for number in range(30)] + [stream("one")]
    count = served(streams, lambda _: 0.01, 200)
    assert abs(count["many"] - count["one"]) <= 1


def test_costly_frames_have_fewer_turns():
    count = served(
        [stream("slow"), stream("fast")], lambda each: 0.19 if each.sender.person == "slow" else 0.01, 200
    )
    assert count["fast"] > 15 * count["slow"]


def test_streams_of_one_person_take_turns_by_time_too():
    slow, fast = stream("ann", "slow"), stream("ann", "fast")
    turns, count = Turns(1), Counter()
    turns.put(slow)
    turns.put(fast)
    for _ in range(110):
        each = turns.take()
        count[each.client] += 1
        turns.done(each, 0.1 if each is slow else 0.01)
        turns.put(each)
    assert count["fast"] > 8 * count["slow"]


def test_who_was_away_is_next_but_has_no_credit():
    now = [0.0]
    turns, busy, back, order = Turns(1, lambda: now[0]), stream("busy"), stream("back"), []
    turns.put(busy)
    for step in range(30):
        if step == 20:
            turns.put(back)
        each = turns.take()
        order.append(each.sender.person)
        now[0] += 0.1
        turns.done(each, 0.1)
        turns.put(each)
    assert "back" in order[20:22]
    assert order[20:].count("busy") >= 4


def test_one_worker_stays_free_of_a_person_while_others_are_there():
    now = [0.0]
    turns = Turns(2, lambda: now[0])
    first, second, other = stream("many", "1"), stream("many", "2"), stream("other")
    turns.put(other)
    assert turns.take() is other
    turns.done(other, 0.01)
    turns.put(first)
    turns.put(second)
    assert turns.take() is first
    assert turns.take() is None
    assert turns.done(first, 0.1) == 1, "the worker that found nothing is called again"
    assert turns.take() is second
    now[0] = 2 * RECENT_S
    turns.put(first)
    assert turns.take() is first, "the other has gone"


def test_nothing_is_kept_of_people_who_went():
    now = [0.0]
    turns = Turns(1, lambda: now[0])
    for number in range(1000):
        turns.put(each := stream(str(number)))
        assert turns.take() is each
        now[0] += 2 * RECENT_S
        turns.done(each, 0.01)
    assert max(len(turns._seen_s), len(turns._streams), len(turns._people._used_s)) < 10


def test_streams_without_frames_are_idle_after_ten_seconds():
    now = [0.0]
    streams = StreamRegistry(lambda: None, 4, lambda: now[0])
    streams.get_or_open("a")
    now[0] = 6
    streams.get_or_open("b")
    assert streams.idle() == []
    now[0] = 10
    assert streams.idle() == ["a"]
    streams.get_or_open("a")
    assert streams.idle() == []


def test_a_stream_that_rests_frees_its_place_and_takes_one_again():
    streams = StreamRegistry(lambda: None, 1)
    first = streams.get_or_open("a")
    assert streams.rest("a") is first
    assert [len(streams), streams.get("a")] == [0, first]
    streams.get_or_open("b")
    with pytest.raises(ServerFullError):
        streams.get_or_open("a")
    streams.close("b")
    assert streams.get_or_open("a") is first
    streams.rest("a")
    assert [streams.close("a"), streams.get("a")] == [first, None]
