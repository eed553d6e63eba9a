"""A backplane over Redis's publish and subscribe. Redis stores nothing of it, pictures neither."""

import json
import logging
import queue
import secrets
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from fer_web.backplane.types import CONNECTED, Message, Subscriber
from fer_web.errors import SetupError

_log = logging.getLogger(__name__)

MAX_WAITING = 500
"""Messages that may wait to be sent; the oldest are dropped."""

MAX_MESSAGE_BYTES = 4_000_000
"""A longer message is not read."""

TIMEOUT_S = 2.0
"""Redis answers within this time, or the connection begins anew."""

RECONNECT_S = 0.5
_IDLE_S = 0.5


class RedisBackplane:
    """Two native threads: one publishes, one listens. Without Redis the process works on alone."""

    is_shared = True

    def __init__(self, url: str, name: str, run_native: Callable[..., Any]) -> None:
        """Args:
        url: such as redis://HOST:6379/0, with a user and password where Redis asks for them.
        name: of the service; processes with the same name hear each other.
        run_native: calls what blocks, without holding up other clients.
        Raises: SetupError: the package redis is missing, or the address is none.
        """
        self.process = secrets.token_hex(6)
        self._client = _client(url)
        self._channel = f"fer-web:{name}"
        self._run_native = run_native
        self._subscribers: dict[str, list[Subscriber]] = defaultdict(list)
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._outbox: OrderedDict[object, bytes] = OrderedDict()
        self._news = threading.Condition()
        self._is_stopping = False
        self._is_lost = False

    @property
    def is_connected(self) -> bool:
        """See Backplane."""
        return not self._is_lost

    def publish(self, topic: str, body: dict[str, Any], blob: bytes = b"", *, key: str | None = None) -> None:
        """See Backplane."""
        data = packed(Message(topic, self.process, body, blob))
        with self._news:
            self._outbox.pop(key, None)
            self._outbox[key if key is not None else object()] = data
            while len(self._outbox) > MAX_WAITING:
                self._outbox.popitem(last=False)
            self._news.notify()

    def subscribe(self, topic: str, take: Subscriber) -> None:
        """See Backplane."""
        self._subscribers[topic].append(take)

    def run(self) -> None:
        """See Backplane."""
        threads = [threading.Thread(target=each, daemon=True) for each in (self._send, self._listen)]
        for thread in threads:
            thread.start()
        while (message := self._run_native(self._inbox.get)) is not None:
            for take in self._subscribers[message.topic]:
                try:
                    take(message)
                except Exception:  # the next message must still be heard
                    _log.exception("News of another process were not understood")

    def stop(self) -> None:
        """See Backplane."""
        with self._news:
            self._is_stopping = True
            self._news.notify_all()
        self._inbox.put(None)

    def _send(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._client.publish(self._channel, data)
                if self._is_lost:
                    self._connected()
            except Exception as exc:
                self._lost(exc)

    def _next(self) -> bytes | None:
        with self._news:
            while not self._outbox and not self._is_stopping:
                self._news.wait()
            # The last words are sent, where they can be.
            return self._outbox.popitem(last=False)[1] if self._outbox else None

    def _listen(self) -> None:
        while not self._is_stopping:
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(self._channel)
                    # The subscription is confirmed: nothing that is said from now on is missed.
                    channel.get_message(timeout=TIMEOUT_S)
                    self._connected()
                    self._receive(channel)
            except Exception as exc:
                self._lost(exc)

    def _receive(self, channel: Any) -> None:
        heard_s = time.monotonic()
        is_asked = False
        while not self._is_stopping:
            message = channel.get_message(timeout=_IDLE_S)
            silent_s = time.monotonic() - heard_s
            if message is not None:
                heard_s, is_asked = time.monotonic(), False
                self._take(message["data"])
            elif silent_s > 2 * TIMEOUT_S:
                # A server that is frozen, or a path that is cut without a word, answers no ping.
                raise TimeoutError(f"Redis did not answer within {TIMEOUT_S:g} s.")
            elif silent_s > TIMEOUT_S and not is_asked:
                channel.ping()
                is_asked = True

    def _take(self, data: object) -> None:
        message = unpacked(data)
        if message is not None and message.sender != self.process:
            self._inbox.put(message)

    def _connected(self) -> None:
        if self._is_lost:
            _log.warning("Redis is back: this process works with the others again.")
        self._is_lost = False
        self._inbox.put(Message(CONNECTED, self.process, {}))

    def _lost(self, exc: Exception) -> None:
        if not self._is_lost and not self._is_stopping:
            _log.warning(
                "Redis cannot be reached (%s): this process works on alone until it is back.",
                type(exc).__name__,
            )
        self._is_lost = True
        with self._news:
            if not self._is_stopping:
                self._news.wait(RECONNECT_S)


def packed(message: Message) -> bytes:
    """A message as bytes: one line of JSON, then the blob."""
    head = json.dumps([message.topic, message.sender, message.body], separators=(",", ":"))
    return head.encode() + b"\n" + message.blob


def unpacked(data: object) -> Message | None:
    """The message in these bytes; None where they hold none of ours."""
    if not isinstance(data, bytes) or len(data) > MAX_MESSAGE_BYTES:
        return None
    head, _, blob = data.partition(b"\n")
    try:
        topic, sender, body = json.loads(head)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(topic, str) and isinstance(sender, str) and isinstance(body, dict)):
        return None
    return Message(topic, sender, body, blob)


def _client(url: str) -> Any:
    try:
        import redis
    except ImportError:
        raise SetupError(
            "Several processes need the package redis. Install it: pip install -r requirements-scale.txt"
        ) from None
    try:
        return redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    except ValueError:
        # The address itself is not told: it may hold a password.
        raise SetupError(
            "The address of Redis is none. Give redis://HOST:PORT/0, rediss:// by TLS or unix:// with a path."
        ) from None
