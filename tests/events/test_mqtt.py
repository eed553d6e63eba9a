"""MQTT against Debian's mosquitto: what it gets, and what becomes of one that hangs, dies or refuses."""

import datetime
import json
import threading
import time
from collections import Counter
from dataclasses import replace

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fer_web.events.delivery import Delivery, ReceiverError, stop_all
from fer_web.events.mqtt import Broker, MqttReceiver
from fer_web.events.rules import Rule
from fer_web.events.types import Fired, StreamEnded, StreamFrame
from fer_web.labels import EMOTIONS
from tests.support.face_results import face
from tests.support.mosquitto import PASSWORD, USER, Mosquitto

WAIT_S = 60


@pytest.fixture(scope="module")
def mosquitto():
    with Mosquitto() as running:
        yield running


class Subscriber:
    """Keeps all messages, kept ones too."""

    def __init__(self, broker, topic="#"):
        self.messages, self._news = [], threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.on_message = self._keep
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        is_subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: is_subscribed.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert is_subscribed.wait(WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._client.disconnect()
        self._client.loop_stop()

    def _keep(self, _client, _data, message):
        with self._news:
            self.messages.append((message.topic, message.payload.decode(), message.retain))
            self._news.notify_all()

    def wait_for(self, topic, text=None):
        """The payload of a message of this topic, which came already or soon."""

        def found():
            return [each for name, each, _ in self.messages if name == topic and text in (None, each)]

        with self._news:
            assert self._news.wait_for(found, WAIT_S), f"{topic} {text} is not among {self.messages}"
            return found()[-1]

    def of(self, topic):
        return [text for name, text, _ in self.messages if name == topic]


def broker_of(mosquitto, topic, **changes):
    return replace(Broker("127.0.0.1", mosquitto.port, user=USER, password=PASSWORD, topic=topic), **changes)


@pytest.fixture
def started():
    running = []

    def start(receiver, **options):
        delivery = Delivery("home", receiver, **options)
        delivery.start()
        running.append(delivery)
        return delivery

    yield start
    stop_all(running)


def fired(number, rule=None, is_of_host=True):
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    return Fired(f"event{number}", "s1", rule or Rule("sad", name="Trüb"), (1,), 0.0, at, is_of_host)


def frame(*labels, stream="s1"):
    faces = tuple(replace(face(number), label=label) for number, label in enumerate(labels, start=1))
    return StreamFrame(stream, 0.0, faces)


def wait_until(holds):
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def wait_for_state(delivery, state):
    end_s = time.monotonic() + WAIT_S
    while delivery.state().state != state:
        assert time.monotonic() < end_s, delivery.state()
        time.sleep(0.01)
    return delivery.state()


def test_events_and_what_is_shown_are_published(mosquitto, started):
    clock = iter(range(10_000))
    receiver = MqttReceiver(broker_of(mosquitto, "room/a"), clock=lambda: 2 * next(clock))
    with Subscriber(mosquitto, "room/a/#") as subscriber:
        delivery = started(receiver)
        assert subscriber.wait_for("room/a/status") == "online"
        delivery.offer(fired(1))
        event = json.loads(subscriber.wait_for("room/a/event"))
        assert event == {"event_type": "Trüb", **fired(1).to_wire()}
        delivery.offer(frame("happy", "sad", "sad"))
        assert subscriber.wait_for("room/a/expression", "sad")
        assert subscriber.wait_for("room/a/people", "3")
        delivery.offer(StreamEnded("s1"))
        wait_until(lambda: len(subscriber.of("room/a/people")) == 3)
        stop_all([delivery])
        subscriber.wait_for("room/a/status", "offline")
        assert subscriber.of("room/a/expression") == ["nobody", "sad", "nobody"]
        assert subscriber.of("room/a/people") == ["0", "3", "0"]
    with Subscriber(mosquitto, "room/a/#") as later:
        assert later.wait_for("room/a/status") == "offline"
        assert later.wait_for("room/a/expression") == "nobody"
        assert later.of("room/a/event") == [], "an event is of its moment"


def test_home_assistant_finds_a_device_with_its_parts(mosquitto, started):
    rules = [Rule("sad", 5), Rule("nobody", 60, name="Empty room"), Rule("sad", 5)]
    with Subscriber(mosquitto) as subscriber:
        delivery = started(MqttReceiver(broker_of(mosquitto, "house/fer-web", discovery="ha"), rules))
        subscriber.wait_for("house/fer-web/status", "online")
        delivery.offer(fired(1, Rule("happy"), is_of_host=False))
        event = json.loads(subscriber.wait_for("house/fer-web/event"))
    found = {topic: json.loads(text) for topic, text, _ in subscriber.messages if topic.startswith("ha/")}
    assert set(found) == {
        "ha/sensor/house_fer_web/expression/config",
        "ha/sensor/house_fer_web/people/config",
        "ha/event/house_fer_web/event/config",
    }
    expression = found["ha/sensor/house_fer_web/expression/config"]
    assert expression["state_topic"] == "house/fer-web/expression"
    assert expression["options"] == [*EMOTIONS, "unsure", "nobody"]
    types = found["ha/event/house_fer_web/event/config"]["event_types"]
    assert types == ["sad for 5 s", "Empty room", "page rule"]
    assert event["event_type"] in types, "Home Assistant takes no type that it was not told of"
    assert event["rule"] == "happy"
    assert len({each["unique_id"] for each in found.values()}) == 3
    assert all(each["availability_topic"] == "house/fer-web/status" for each in found.values())
    assert Counter(each["device"]["identifiers"][0] for each in found.values()) == {"house_fer_web": 3}
    with Subscriber(mosquitto, "ha/#") as later:
        later.wait_for("ha/event/house_fer_web/event/config")
        assert all(is_kept for *_, is_kept in later.messages)


def test_without_discovery_nothing_is_said_to_home_assistant(mosquitto, started):
    with Subscriber(mosquitto, "homeassistant/#") as subscriber:
        receiver = MqttReceiver(broker_of(mosquitto, "quiet", discovery=""))
        receiver.open()
        receiver.close()
        other = MqttReceiver(broker_of(mosquitto, "loud"))
        other.open()
        other.close()
        subscriber.wait_for("homeassistant/event/loud/event/config")
    assert not [topic for topic, *_ in subscriber.messages if "quiet" in topic]


def test_a_wrong_password_is_told_and_never_shown(mosquitto, started):
    receiver = MqttReceiver(broker_of(mosquitto, "x", password="wr0ng"))
    with pytest.raises(ReceiverError, match="the broker refused: Not authorized"):
        receiver.open()
    assert "wr0ng" not in repr(broker_of(mosquitto, "x", password="wr0ng"))
    receiver.close()


def test_a_broker_that_is_not_there_and_comes_later(started):
    later = Mosquitto()
    delivery = started(
        MqttReceiver(Broker("127.0.0.1", later.port, user=USER, password=PASSWORD)), pause_s=lambda tries: 0.1
    )
    assert "cannot be reached at 127.0.0.1" in wait_for_state(delivery, "failing").reason
    with later:
        wait_for_state(delivery, "connected")
        stop_all([delivery])


def test_one_that_hangs_is_told_and_goes_on_where_it_was(mosquitto, started, monkeypatch):
    monkeypatch.setattr("fer_web.events.mqtt.MQTT_TIMEOUT_S", 0.5)
    receiver = MqttReceiver(broker_of(mosquitto, "hang"))
    delivery = started(receiver, pause_s=lambda tries: 0.1)
    with Subscriber(mosquitto, "hang/event") as subscriber:
        wait_for_state(delivery, "connected")
        mosquitto.hang()
        try:
            for number in range(5):
                delivery.offer(fired(number))
            reason = wait_for_state(delivery, "failing").reason
            assert reason in ("the broker does not acknowledge what is sent", "the broker does not answer")
        finally:
            mosquitto.go_on()
        subscriber.wait_for(
            "hang/event", json.dumps({"event_type": "Trüb", **fired(4).to_wire()}, ensure_ascii=False)
        )
    ids = [json.loads(text)["id"] for text in subscriber.of("hang/event")]
    assert list(dict.fromkeys(ids))[-4:] == ["event1", "event2", "event3", "event4"]
