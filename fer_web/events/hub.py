"""Evaluates the rules of all streams, and says who hears when one fires."""

import datetime
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fer_web.events.delivery import Delivery, ReceiverState, stop_all
from fer_web.events.feed import EventFeed, StreamSource
from fer_web.events.markers import MarkerWriter, Notify, RecordedMoments
from fer_web.events.rules import MARKER, SEND, SOUND, Rule, RuleWatch
from fer_web.events.types import Fired, RuleMarker, StreamEnded, StreamFrame
from fer_web.inference.results import FrameResult
from fer_web.rate_limit import TokenBucket

FIRED_PER_S: Final = 10.0
"""Rules that fire in one stream; more are passed over, whatever a client's clock says."""


@dataclass
class _Stream:
    """A client, with its stream where it has one; `id` is new for each, and empty without one.

    `watches` has the host's rules, True beside them, and the page's.
    """

    source: StreamSource
    is_sent: bool
    budget: TokenBucket
    id: str = ""
    of_page: tuple[Rule, ...] = ()
    watches: list[tuple[RuleWatch, bool]] = field(default_factory=list)


class EventHub:
    """The rules of all streams. All but `stop` may be called on eventlet's hub.

    A page's rules set markers and play sounds. They reach receivers where its stream may: on this machine,
    and elsewhere where the host says so. The host's rules, and what is shown, obey the same. Who listens to
    a stream of their own hears all its rules.
    """

    def __init__(
        self,
        *,
        rules: Sequence[Rule] = (),
        deliveries: Sequence[Delivery] = (),
        feed: EventFeed,
        moments: RecordedMoments,
        notify: Notify,
        are_visitors_sent: bool = False,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Args:
        rules: of the events file.
        deliveries: to its receivers; started by `open`.
        moments: of the recordings, where rules leave markers.
        notify: tells a page that a rule fired ("rule"), and what marker it left ("marked").
        are_visitors_sent: whether streams from elsewhere reach receivers.
        clock, today: seconds of a monotonic clock, and the date.
        """
        self._rules = tuple(rules)
        self._deliveries = tuple(deliveries)
        self._of_frames = tuple(each for each in deliveries if each.wants_frames)
        self._feed = feed
        self._moments = moments
        self._marking = Delivery("markers", MarkerWriter(moments, notify))
        self._notify = notify
        self._are_visitors_sent = are_visitors_sent
        self._clock = clock
        self._today = today
        self._streams: dict[str, _Stream] = {}

    def open(self) -> None:
        """Start the threads of the receivers, and the one that stores markers."""
        for each in (*self._deliveries, self._marking):
            each.start()

    def stop(self) -> None:
        """End them; gives up after a while."""
        stop_all([*self._deliveries, self._marking])

    def receivers(self) -> list[ReceiverState]:
        """Return how each receiver does."""
        return [each.state() for each in self._deliveries]

    def may_send(self, *, is_local: bool) -> bool:
        """Tell whether a stream's events reach any receiver. Args: is_local: it is of this machine."""
        return bool(self._deliveries) and (is_local or self._are_visitors_sent)

    def connect(self, client: str, owner: str | None, *, is_local: bool) -> None:
        """A client is there, perhaps to stream. Args: owner: None where it has no cookie."""
        source = StreamSource(owner, is_local)
        is_sent = is_local or self._are_visitors_sent
        self._streams[client] = _Stream(source, is_sent, TokenBucket(FIRED_PER_S, self._clock))

    def disconnect(self, client: str) -> None:
        """The client is gone, and its stream with it."""
        self.stream_ended(client)
        self._streams.pop(client, None)

    def set_rules(self, client: str, rules: tuple[Rule, ...]) -> bool:
        """Let a page's rules hold from now on; those that it had already go on as they are.

        Returns: whether their effect "send" counts.
        """
        stream = self._streams.get(client)
        if stream is None:
            return False
        stream.of_page = rules
        known = {watch.rule: watch for watch, is_of_host in stream.watches if not is_of_host}
        of_host = [each for each in stream.watches if each[1]]
        stream.watches = [*of_host, *((known.get(rule) or RuleWatch(rule), False) for rule in rules)]
        return self.may_send(is_local=stream.source.is_local)

    def stream_began(self, client: str) -> None:
        """A client sends frames; may be called for each of them."""
        stream = self._streams.get(client)
        if stream is not None and not stream.id:
            of_host = self._rules if stream.is_sent else ()
            stream.watches = [
                *((RuleWatch(rule), True) for rule in of_host),
                *((RuleWatch(rule), False) for rule in stream.of_page),
            ]
            stream.id = secrets.token_urlsafe(9)

    def stream_ended(self, client: str) -> None:
        """It sends no more frames."""
        stream = self._streams.get(client)
        if stream is not None and stream.id:
            ended = StreamEnded(stream.id)
            stream.id = ""
            if stream.is_sent:
                for delivery in self._of_frames:
                    delivery.offer(ended)

    def observe(self, client: str, captured_s: float, result: FrameResult, _jpeg: bytes) -> None:
        """Take a result; an Observer of the scheduler."""
        stream = self._streams.get(client)
        if stream is None or not stream.id:
            return
        at_s = self._clock() - result.timings_ms.get("total", 0.0) / 1000
        for watch, is_of_host in stream.watches:
            faces = watch.see(captured_s, result.faces)
            if faces is not None and stream.budget.take():
                self._fire(client, stream, watch.rule, faces, at_s, is_of_host=is_of_host)
        if stream.is_sent and self._of_frames:
            frame = StreamFrame(stream.id, at_s, result.faces)
            for delivery in self._of_frames:
                delivery.offer(frame)

    def _fire(
        self,
        client: str,
        stream: _Stream,
        rule: Rule,
        faces: tuple[int, ...],
        at_s: float,
        *,
        is_of_host: bool,
    ) -> None:
        fired = Fired(secrets.token_urlsafe(12), stream.id, rule, faces, at_s, self._today(), is_of_host)
        self._notify(client, "rule", {"rule": rule.title, "sound": SOUND in rule.effects})
        if MARKER in rule.effects and (moment := self._moments.moment(client)) is not None:
            self._marking.offer(RuleMarker(client, moment, rule.title))
        if SEND in rule.effects and stream.is_sent:
            for delivery in self._deliveries:
                delivery.offer(fired)
        self._feed.publish(fired, stream.source)
