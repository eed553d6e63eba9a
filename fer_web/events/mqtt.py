"""Publishes events and what is shown to an MQTT broker, with Home Assistant's discovery."""

import contextlib
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fer_web import __version__
from fer_web.errors import SetupError
from fer_web.events.delivery import CONNECTED, ReceiverError
from fer_web.events.rules import NOBODY, UNSURE, Rule
from fer_web.events.types import Fired, Item, StreamEnded, StreamFrame
from fer_web.labels import EMOTIONS

MQTT_TIMEOUT_S: Final = 5.0
"""A broker has this long to accept a connection, and to acknowledge a message."""

KEEPALIVE_S: Final = 15
STATE_INTERVAL_S: Final = 1.0
"""What is shown is published so often at most, and only where it has changed."""

PAGE_RULE: Final = "page rule"
"""Home Assistant wants to know the types of events beforehand: a page's rules share this one."""


@dataclass(frozen=True)
class Broker:
    """How to reach a broker. `password` is shown to nobody.

    Attributes:
        topic: what all topics begin with.
        discovery: Home Assistant's prefix; empty: nothing is said to it.
        tls: None: not encrypted.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    topic: str = "fer-web"
    discovery: str = "homeassistant"
    tls: ssl.SSLContext | None = None


def check_mqtt() -> None:
    """Raises SetupError: paho-mqtt is not installed."""
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError as exc:
        raise SetupError(
            "An MQTT receiver needs paho-mqtt, which is not installed here. Install it: "
            ".venv/bin/python -m pip install -r requirements-events.txt"
        ) from exc


class MqttReceiver:
    """One connection to a broker. Every message is acknowledged before the next one goes out."""

    kind = "mqtt"
    frames_kept = 4

    def __init__(
        self, broker: Broker, rules: Sequence[Rule] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Args: rules: of the events file: Home Assistant learns their names."""
        self._broker = broker
        self._rules = rules
        self._clock = clock
        self._client: Any = None
        self._stream = ""
        self._shown: tuple[str, int] | None = None
        self._published_s = -STATE_INTERVAL_S

    def open(self) -> str | None:
        """Connect where there is no connection, and introduce the server. Raises ReceiverError."""
        if self._client is None or not self._client.is_connected():
            self._drop()
            self._connect()
            self._introduce()
        return CONNECTED

    def send(self, item: Item) -> None:
        """Publish an event, or what is shown. Raises ReceiverError."""
        if isinstance(item, Fired):
            is_known = item.is_of_host
            event = {"event_type": item.rule.title if is_known else PAGE_RULE, **item.to_wire()}
            self._publish("event", json.dumps(event, ensure_ascii=False))
        elif isinstance(item, StreamEnded):
            if item.stream == self._stream:
                self._stream = ""
                self._show(NOBODY, 0)
        elif isinstance(item, StreamFrame) and self._stream in ("", item.stream):
            # Of several streams one is shown, until it ends.
            self._stream = item.stream
            if self._clock() - self._published_s >= STATE_INTERVAL_S:
                self._show(shown_expression(item), len(item.faces))

    def close(self) -> None:
        """Say that the server is gone."""
        if self._client is not None and self._client.is_connected():
            with contextlib.suppress(ReceiverError):
                self._publish("status", "offline", is_kept=True, timeout_s=1.0)
        self._drop()

    def _show(self, expression: str, people: int) -> None:
        if self._shown == (expression, people):
            return
        self._published_s = self._clock()
        self._publish("expression", expression, is_kept=True)
        self._publish("people", str(people), is_kept=True)
        self._shown = expression, people

    def _connect(self) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        broker = self._broker
        client = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.connect_timeout = MQTT_TIMEOUT_S
        client.will_set(f"{broker.topic}/status", "offline", qos=1, retain=True)
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        answered, refusals = threading.Event(), []

        def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                refusals.append(str(reason))
            answered.set()

        client.on_connect = on_connect
        self._client = client
        try:
            client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
        except (OSError, ValueError) as exc:
            kind = "its certificate is not valid" if isinstance(exc, ssl.SSLError) else "it cannot be reached"
            self._drop()
            raise ReceiverError(f"{kind} at {broker.host}:{broker.port}") from exc
        client.loop_start()
        if not answered.wait(MQTT_TIMEOUT_S) or refusals:
            self._drop()
            raise ReceiverError(
                f"the broker refused: {refusals[0]}" if refusals else "the broker does not answer"
            )

    def _introduce(self) -> None:
        for topic, config in discovery_messages(self._broker, self._rules):
            self._publish_to(topic, json.dumps(config, ensure_ascii=False), is_kept=True)
        self._publish("status", "online", is_kept=True)
        self._shown = None
        self._show(NOBODY, 0)

    def _publish(
        self, topic: str, text: str, *, is_kept: bool = False, timeout_s: float = MQTT_TIMEOUT_S
    ) -> None:
        self._publish_to(f"{self._broker.topic}/{topic}", text, is_kept=is_kept, timeout_s=timeout_s)

    def _publish_to(
        self, topic: str, text: str, *, is_kept: bool = False, timeout_s: float = MQTT_TIMEOUT_S
    ) -> None:
        """Publish and wait for the acknowledgement: a broker that hangs must not fill memory."""
        sent = self._client.publish(topic, text, qos=1, retain=is_kept)
        try:
            sent.wait_for_publish(timeout_s)
            is_acknowledged = sent.is_published()
        except (RuntimeError, ValueError):
            is_acknowledged = False
        if not is_acknowledged:
            self._drop()
            raise ReceiverError("the broker does not acknowledge what is sent")

    def _drop(self) -> None:
        """End the connection, without waiting for who does not answer."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
            client.loop_stop()


def shown_expression(frame: StreamFrame) -> str:
    """Return what most faces show; of as many, what the largest face shows. "nobody" without faces."""
    faces = sorted(frame.faces, key=lambda face: face.box[2] * face.box[3], reverse=True)
    counts = Counter(face.label if face.is_sure else UNSURE for face in faces)
    return counts.most_common(1)[0][0] if counts else NOBODY


def discovery_messages(broker: Broker, rules: Sequence[Rule]) -> list[tuple[str, dict[str, Any]]]:
    """Return topics and configurations that let Home Assistant show the server as a device."""
    if not broker.discovery:
        return []
    node = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in broker.topic)
    common = {
        "availability_topic": f"{broker.topic}/status",
        "device": {"identifiers": [node], "name": "fer-web", "sw_version": __version__},
        "origin": {"name": "fer-web", "sw_version": __version__},
    }
    parts: dict[tuple[str, str], dict[str, Any]] = {
        ("sensor", "expression"): {
            "name": "Expression",
            "device_class": "enum",
            "options": [*EMOTIONS, UNSURE, NOBODY],
        },
        ("sensor", "people"): {"name": "People", "state_class": "measurement"},
        ("event", "event"): {
            "name": "Rule",
            "event_types": [*dict.fromkeys(rule.title for rule in rules), PAGE_RULE],
        },
    }
    return [
        (
            f"{broker.discovery}/{component}/{node}/{name}/config",
            {**config, **common, "unique_id": f"{node}_{name}", "state_topic": f"{broker.topic}/{name}"},
        )
        for (component, name), config in parts.items()
    ]
