"""Rules, and the receivers of the events that they make."""

from dataclasses import dataclass
from pathlib import Path

from fer_web.events.events_file import EventsConfig, read_events_file
from fer_web.events.feed import EventFeed
from fer_web.events.hub import EventHub
from fer_web.factory.history import HistoryParts
from fer_web.serving.modes import ServingMode
from fer_web.settings import Settings


@dataclass(frozen=True)
class EventParts:
    """The parts that evaluate rules and tell receivers."""

    config: EventsConfig
    feed: EventFeed
    hub: EventHub


def build_events(settings: Settings, *, mode: ServingMode, history: HistoryParts) -> EventParts:
    """Read the events file where there is one, and build what evaluates rules. Raises FerWebError."""
    config = read_events_file(Path(settings.events)) if settings.events else EventsConfig()
    feed = EventFeed(mode.new_queue)
    hub = EventHub(
        rules=config.rules,
        deliveries=config.deliveries,
        feed=feed,
        moments=history.recorder,
        notify=history.recorder.tell,
        are_visitors_sent=config.are_visitors_sent,
    )
    return EventParts(config, feed, hub)
