"""Who hears when a rule fires: the page, the recording, the receivers, and those who listen."""

import datetime
import queue
from dataclasses import dataclass, replace

import pytest

from fer_web.errors import DatabaseError, InvalidValueError, TooManyJobsError
from fer_web.events.feed import MAX_LISTENERS, MAX_LISTENERS_OF_CLIENT, MAX_UNREAD_EVENTS, EventFeed
from fer_web.events.hub import FIRED_PER_S, EventHub
from fer_web.events.rules import MAX_RULES, Rule
from fer_web.events.types import Fired, StreamEnded, StreamFrame
from fer_web.history.types import Marker
from fer_web.inference.results import FrameResult
from tests.support.face_results import face

WAIT_S = 60
TODAY = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
ALL = ("marker", "sound", "send")


class Delivered:
    """A delivery that only keeps what it was offered."""

    def __init__(self, wants_frames=False):
        self.wants_frames, self.items = wants_frames, []

    def start(self):
        """It has no thread."""

    stop = start

    def join(self, timeout_s):
        """It has no thread."""

    def offer(self, item):
        self.items.append(item)

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]


@dataclass
class Moment:
    session_id: str
    at_s: float


class Moments:
    """Recordings, by client."""

    def __init__(self):
        self.recorded, self.stored, self.problem = {}, [], None
        self.refused = queue.Queue()

    def moment(self, client):
        return self.recorded.get(client)

    def mark_moment(self, moment, text):
        if self.problem is not None:
            self.refused.put(moment)
            raise self.problem
        self.stored.append((moment.session_id, moment.at_s, text))
        return Marker(f"m{len(self.stored)}", moment.at_s, text)


class World:
    """A hub with one receiver of each kind."""

    def __init__(self, **options):
        self.now_s = 100.0
        self.told, self.news = [], queue.Queue()
        self.events, self.frames, self.moments = Delivered(), Delivered(wants_frames=True), Moments()
        self.feed = EventFeed(queue.Queue)
        self.hub = EventHub(
            deliveries=[self.events, self.frames],
            feed=self.feed,
            moments=self.moments,
            notify=self._notify,
            clock=lambda: self.now_s,
            today=lambda: TODAY,
            **options,
        )
        self.hub.open()

    def _notify(self, client, event, data):
        self.told.append((client, event, data))
        self.news.put((client, event, data))

    def page(self, client="a", *rules, owner="ann", is_local=True):
        self.hub.connect(client, owner, is_local=is_local)
        self.hub.stream_began(client)
        return self.hub.set_rules(client, rules)

    def show(self, client, *labels, at_s=0.0):
        faces = tuple(replace(face(number), label=label) for number, label in enumerate(labels, start=1))
        self.hub.observe(client, at_s, FrameResult(faces, {"total": 20.0}), b"")


@pytest.fixture
def made():
    worlds = []

    def make(**options):
        worlds.append(World(**options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.hub.stop()


def test_a_rule_that_fires_reaches_page_recording_receivers_and_listener(made):
    world = made()
    listener = world.feed.join("x", lambda source: source.owner == "ann")
    assert world.page("a", Rule("sad", effects=ALL, name="Trüb")) is True
    world.moments.recorded["a"] = Moment("session1", 12.5)
    world.show("a", "happy", "sad")
    assert world.news.get(timeout=WAIT_S) == ("a", "rule", {"rule": "Trüb", "sound": True})
    told = world.news.get(timeout=WAIT_S)
    assert told == (
        "a",
        "marked",
        {"session": "session1", "marker": {"id": "m1", "at_s": 12.5, "text": "Trüb"}},
    )
    (fired,) = world.events.of(Fired)
    assert (fired.faces, fired.is_of_host, fired.at) == ((2,), False, TODAY)
    assert fired.at_s == pytest.approx(99.98)
    assert listener.next(0) is fired
    assert world.frames.of(Fired) == [fired]
    (frame,) = world.frames.of(StreamFrame)
    assert (frame.stream, len(frame.faces)) == (fired.stream, 2)


def test_effects_that_were_not_asked_for_are_left_out(made):
    world = made()
    listener = world.feed.join("x", lambda source: True)
    world.page("a", Rule("sad", effects=("sound",)))
    world.moments.recorded["a"] = Moment("session1", 1.0)
    world.show("a", "sad")
    assert world.events.items == []
    assert listener.next(0).rule == Rule("sad", effects=("sound",))
    world.page("b", Rule("sad", effects=("marker",)), owner="ben")
    world.show("b", "sad")
    assert [told for told in world.told if told[0] == "b"] == [("b", "rule", {"rule": "sad", "sound": False})]


@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_visitors_stream_reaches_receivers_only_where_the_host_says_so(made, is_allowed):
    world = made(rules=[Rule("sad", effects=ALL, name="of the host")], are_visitors_sent=is_allowed)
    assert world.page("v", Rule("happy", effects=ALL), is_local=False) is is_allowed
    world.show("v", "sad", "happy")
    assert {fired.rule.title for fired in world.events.of(Fired)} == (
        {"of the host", "happy"} if is_allowed else set()
    )
    assert bool(world.frames.items) is is_allowed
    assert ("v", "rule", {"rule": "happy", "sound": True}) in world.told
    assert world.hub.may_send(is_local=True)
    assert world.hub.may_send(is_local=False) is is_allowed


def test_the_hosts_rules_hold_for_streams_of_this_machine_also_without_a_page(made):
    world = made(rules=[Rule("nobody", effects=("send",))])
    world.hub.connect("script", None, is_local=True)
    world.hub.stream_began("script")
    world.show("script")
    (fired,) = world.events.of(Fired)
    assert fired.is_of_host


def test_each_stream_is_new_and_ends_once(made):
    world = made()
    world.page("a", Rule("sad", effects=("send",)))
    world.show("a", "sad")
    world.hub.stream_ended("a")
    world.hub.stream_ended("a")
    world.show("a", "sad", at_s=1.0)  # was being analysed while the stream ended
    world.hub.stream_began("a")
    world.hub.stream_began("a")
    world.show("a", "sad", at_s=2.0)
    world.hub.disconnect("a")
    world.show("a", "sad", at_s=3.0)
    first, second = world.events.of(Fired)
    assert first.stream != second.stream
    assert [ended.stream for ended in world.frames.of(StreamEnded)] == [first.stream, second.stream]
    assert "ann" not in first.stream
    assert world.hub.set_rules("a", ()) is False


def test_changing_one_rule_does_not_begin_the_others_anew(made):
    world = made()
    kept = Rule("sad", for_s=4)
    world.page("a", kept)
    for second in range(3):
        world.show("a", "sad", at_s=second)
    world.hub.set_rules("a", (Rule("happy"), kept))
    for second in range(3, 5):
        world.show("a", "sad", at_s=second)
    assert [told[2]["rule"] for told in world.told] == ["sad for 4 s"]
    world.hub.set_rules("a", ())
    world.show("a", "happy", at_s=5)
    assert len(world.told) == 1


def test_a_client_whose_clock_races_fires_no_more_than_its_budget(made):
    world = made()
    world.page("a", *(Rule("sad", for_s=number / 100, effects=("send",)) for number in range(MAX_RULES)))
    for second in range(0, 1000, 2):
        world.show("a", "sad", at_s=second)
        world.show("a", at_s=second + 1)
    assert len(world.events.items) == 2 * FIRED_PER_S
    world.now_s += 1
    for second in range(1000, 1100, 2):
        world.show("a", "sad", at_s=second)
        world.show("a", at_s=second + 1)
    assert len(world.events.items) == 3 * FIRED_PER_S


def test_a_marker_waits_for_the_database_and_one_that_is_refused_holds_up_no_other(made, monkeypatch):
    monkeypatch.setattr("fer_web.events.delivery.FIRST_RETRY_S", 0.01)
    world = made()
    world.page("a", Rule("sad", effects=("marker",)))
    world.moments.recorded["a"] = Moment("full", 1.0)
    world.moments.problem = InvalidValueError("A session has at most 1000 markers.")
    world.show("a", "sad")
    assert world.moments.refused.get(timeout=WAIT_S).session_id == "full"
    assert world.news.get(timeout=WAIT_S)[1] == "rule"
    world.moments.problem = DatabaseError("locked")
    world.moments.recorded["a"] = Moment("session1", 3.0)
    world.show("a", at_s=1.0)
    world.show("a", "sad", at_s=2.0)
    assert world.moments.refused.get(timeout=WAIT_S).session_id == "session1"
    world.moments.problem = None
    assert world.news.get(timeout=WAIT_S)[1] == "rule"
    assert world.news.get(timeout=WAIT_S)[1:] == (
        "marked",
        {"session": "session1", "marker": {"id": "m1", "at_s": 3.0, "text": "sad"}},
    )


def test_listeners_are_bounded_and_one_that_does_not_read_is_ended(made):
    world = made()
    listeners = [world.feed.join("x", lambda source: True) for _ in range(MAX_LISTENERS_OF_CLIENT)]
    with pytest.raises(TooManyJobsError):
        world.feed.join("x", lambda source: True)
    others = range(MAX_LISTENERS - MAX_LISTENERS_OF_CLIENT)
    listeners += [world.feed.join(f"other{number}", lambda source: False) for number in others]
    with pytest.raises(TooManyJobsError):
        world.feed.join("one more", lambda source: True)
    world.page("a", Rule("sad"))
    for number in range(MAX_UNREAD_EVENTS + 1):
        world.now_s += 1
        world.show("a", "sad", at_s=2 * number)
        world.show("a", at_s=2 * number + 1)
    assert [each.has_ended for each in listeners] == [True] * MAX_LISTENERS_OF_CLIENT + [False] * 16
    assert listeners[-1].next(0.0) is None
    world.feed.leave(listeners[0])
    world.feed.join("x", lambda source: True)
