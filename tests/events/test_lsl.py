"""Lab Streaming Layer, read by pylsl's inlets as the programs of labs do."""

import datetime
import time
from dataclasses import replace

import pylsl
import pytest

from fer_web.events.lsl import LSL_AWAY_S, LslReceiver
from fer_web.events.rules import Rule
from fer_web.events.types import Fired, StreamEnded, StreamFrame
from fer_web.labels import EMOTIONS
from tests.support.deaf_receivers import DeafLslReader
from tests.support.face_results import face

WAIT_S = 60


class Clock:
    """The real one, and what a test adds to it."""

    added_s = 0.0

    def __call__(self):
        return time.monotonic() + self.added_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def receiver(clock):
    made = LslReceiver(clock=clock)
    assert made.open() == "waiting"
    yield made
    made.close()


def frame(*ids, stream="s1", at_s=None):
    return StreamFrame(stream, time.monotonic() if at_s is None else at_s, tuple(map(face, ids)))


def fired(at_s):
    at = datetime.datetime.now(datetime.UTC)
    return Fired("1", "s1", Rule("sad", name="Trüb"), (1,), at_s, at, False)


def names(receiver):
    """Names of the receiver's streams that can be found now; others' tests may run too."""
    found = pylsl.resolve_streams(1.5)
    return {info.name() for info in found if info.source_id().startswith(receiver.run_id)}


def inlet_of(receiver, name):
    found = pylsl.resolve_bypred(f"name='{name}' and starts-with(source_id, '{receiver.run_id}')", 1, WAIT_S)
    assert found, f"{name} is not found among {names(receiver)}"
    inlet = pylsl.StreamInlet(found[0], recover=False)
    inlet.open_stream(WAIT_S)
    return inlet


def wait_until(holds):
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_each_face_has_a_stream_of_seven_named_channels(receiver):
    receiver.send(frame(1, 2))
    inlet, other = inlet_of(receiver, "fer-web face 1"), inlet_of(receiver, "fer-web face 2")
    info = inlet.info(WAIT_S)
    assert (info.type(), info.channel_count(), info.nominal_srate()) == ("Expression", 7, 0.0)
    assert info.channel_format() == pylsl.cf_float32
    assert info.get_channel_labels() == list(EMOTIONS)
    at_s = time.monotonic() - 0.25
    scores = tuple(number / 28 for number in range(7))
    receiver.send(StreamFrame("s1", at_s, (replace(face(1), scores=scores),)))
    values, stamp = inlet.pull_sample(WAIT_S)
    assert values == pytest.approx(scores, abs=1e-6)
    # The same clock on this machine: the sample has the moment of its frame.
    assert stamp - at_s == pytest.approx(pylsl.local_clock() - time.monotonic(), abs=0.01)
    receiver.send(frame(2))
    assert other.pull_sample(WAIT_S)[0] == pytest.approx(face(2).scores)
    assert inlet.pull_sample(0.0)[0] is None


def test_rules_that_fire_are_markers_of_a_second_stream(receiver):
    inlet = inlet_of(receiver, "fer-web markers")
    assert (inlet.info(WAIT_S).type(), inlet.info(WAIT_S).channel_count()) == ("Markers", 1)
    wait_until(lambda: receiver.open() == "connected")
    at_s = time.monotonic()
    receiver.send(fired(at_s))
    values, stamp = inlet.pull_sample(WAIT_S)
    assert values == ["Trüb"]
    assert stamp - at_s == pytest.approx(pylsl.local_clock() - time.monotonic(), abs=0.01)
    inlet.close_stream()
    wait_until(lambda: receiver.open() == "waiting")


def test_a_stream_ends_with_its_face_and_there_are_not_too_many(receiver, clock, monkeypatch):
    monkeypatch.setattr("fer_web.events.lsl.MAX_LSL_STREAMS", 4)
    receiver.send(frame(*range(1, 9)))
    faces = {f"fer-web face {number}" for number in range(1, 5)}
    wait_until(lambda: {name for name in names(receiver) if "face" in name} == faces)
    clock.added_s = LSL_AWAY_S - 1
    receiver.send(frame(3, stream="s1"))
    clock.added_s = LSL_AWAY_S + 1
    receiver.open()
    wait_until(lambda: {name for name in names(receiver) if "face" in name} == {"fer-web face 3"})
    receiver.send(frame(3, stream="s2"))
    receiver.send(StreamEnded("s1"))
    receiver.send(frame(3, stream="s2"))
    receiver.send(StreamEnded("s2"))
    wait_until(lambda: names(receiver) == {"fer-web markers"})


def test_a_reader_that_hangs_holds_up_nobody(receiver):
    """As many samples as a live stream has in a quarter of an hour; another reader gets what it fetches."""
    receiver.send(frame(1))
    with DeafLslReader(receiver.run_id):
        for number in range(27_000):
            receiver.send(frame(1, at_s=float(number)))
        reader = inlet_of(receiver, "fer-web face 1")
        receiver.send(frame(1))
        assert reader.pull_sample(WAIT_S)[0] is not None
        receiver.send(StreamEnded("s1"))
