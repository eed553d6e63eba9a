"""The Socket.IO server, and what works beside its handlers."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, request
from flask_socketio import SocketIO

from fer_web.analysis.videos.video_service import Videos
from fer_web.errors import DatabaseError
from fer_web.factory.events import EventParts
from fer_web.factory.history import HistoryParts
from fer_web.factory.inference import InferenceParts, new_stream_state
from fer_web.factory.readiness import build_readiness
from fer_web.factory.sharing import SharingParts
from fer_web.factory.web import WebParts, max_message_bytes, security_rules
from fer_web.history.leases import RENEW_S
from fer_web.inference.results import FrameResult
from fer_web.metrics.server_metrics import ServerMetrics
from fer_web.realtime.admission import SocketAdmission
from fer_web.realtime.connections import Connections
from fer_web.realtime.events import ClientLimits, StreamEvents
from fer_web.realtime.reading_pace import ReadingPace
from fer_web.realtime.scheduler import FrameScheduler
from fer_web.realtime.stream_corrector import StreamCorrector
from fer_web.realtime.stream_recorder import StreamRecorder
from fer_web.realtime.stream_rules import StreamRules
from fer_web.realtime.streams import StreamRegistry
from fer_web.realtime.transport import StrictPacket, limit_packets
from fer_web.realtime.unadmitted import UnadmittedConnections
from fer_web.realtime.unfinished import UnfinishedEvents
from fer_web.realtime.watch_events import SocketOutlet, WatchEvents
from fer_web.realtime.watching import NAMESPACE, TELL_S, WatchHub
from fer_web.serving.message_bounds import MessageBounds
from fer_web.serving.modes import EngineConcurrency, ServingMode
from fer_web.serving.periodic import TICK_S, PeriodicRunner, PeriodicTask
from fer_web.serving.readiness import CHECK_S, Readiness
from fer_web.settings import Settings
from fer_web.sharing import shared_limits
from fer_web.sharing.keys import KeyBook
from fer_web.sharing.links import LinkBook
from fer_web.sharing.shared_limits import HeldPlaces, SharedLimits
from fer_web.web.api.operating import operating_blueprint
from fer_web.web.firewall.base_path import BasePath
from fer_web.web.firewall.middleware import SecurityMiddleware
from fer_web.web.firewall.request_log import RequestLog

_log = logging.getLogger(__name__)

REVOKED_S = 5.0
"""Videos of a key that was revoked are cancelled within this time."""

REFRESH_S = 1.0
"""Without Redis, other processes learn of a link's end within this time, from the database."""


@dataclass(frozen=True)
class RealtimeParts:
    """The parts that answer over Socket.IO."""

    socketio: SocketIO
    scheduler: FrameScheduler
    streams: StreamRegistry
    watching: WatchHub
    periodic: PeriodicRunner
    readiness: Readiness
    say_goodbye: Callable[[], None]


def build_realtime(
    settings: Settings,
    *,
    mode: ServingMode,
    inference: InferenceParts,
    history: HistoryParts,
    sharing: SharingParts,
    events: EventParts,
    web: WebParts,
    metrics: ServerMetrics,
) -> RealtimeParts:
    """Build the Socket.IO server, and start what works beside its handlers."""
    socketio = _build_socketio(settings, web.flask, mode)
    pace = limit_packets(socketio.server, settings.max_frames_per_s, settings.max_frame_bytes)
    # Outside of everything, Socket.IO's own handling of a request included.
    secured = SecurityMiddleware(web.flask.wsgi_app, security_rules(settings, web, sharing))
    logged = RequestLog(secured, count=metrics.request_answered, is_logging=settings.log_requests == "on")
    web.flask.wsgi_app = (  # type: ignore[method-assign]
        BasePath(logged, settings.base_path) if settings.base_path else logged
    )
    concurrency = EngineConcurrency(socketio.server.eio, mode)

    def owner_of_request() -> str | None:
        return sharing.owners.owner_of(request.cookies)

    def sample(client: str, captured_s: float, result: FrameResult, _jpeg: bytes) -> None:
        history.recorder.sample(client, captured_s, result)

    connections = Connections(socketio, pace)
    watching = WatchHub(
        SocketOutlet(socketio, connections),
        concurrency,
        owner_of_request,
        sharing.links.get,
        backplane=sharing.backplane,
    )
    sharing.links.subscribe(watching.link_changed)
    # Samples first: a rule's marker then lies within what is recorded.
    observers = (sample, watching.observe, events.hub.observe)
    scheduler = FrameScheduler(concurrency, inference.pipelines, observers=observers, metrics=metrics)
    streams = StreamRegistry(
        lambda: new_stream_state(settings),
        settings.max_clients,
        elsewhere=sharing.limits.places_of("streams"),
    )
    recordings = StreamRecorder(history.recorder, concurrency, owner_of_request, time.monotonic)
    admission = SocketAdmission(
        sharing.authenticator, sharing.visitors, lambda: sharing.owners.is_host(request), owner_of_request
    )
    stream_events = StreamEvents(
        socketio,
        streams,
        scheduler,
        recordings,
        StreamCorrector(streams, concurrency),
        watching,
        StreamRules(events.hub, owner_of_request),
        admission,
        ClientLimits(settings.max_frames_per_s, settings.max_frame_bytes),
        metrics,
        connections,
    )
    stream_events.register()
    _share_limits(settings, sharing.limits, streams, stream_events, pace)
    WatchEvents(socketio, watching, connections, admission).register()
    unadmitted = UnadmittedConnections(socketio.server)
    unfinished = UnfinishedEvents(socketio.server, connections.close_engine)
    watched = (unadmitted.end, unfinished.end, stream_events.end_idle, history.recorder.tell_late)
    tasks = _periodic_tasks(sharing.links, watched, web.videos, history, concurrency)
    tasks += _tasks_of_several(sharing, watching, concurrency)
    tasks.append(PeriodicTask(REVOKED_S, lambda: _end_revoked(web.videos, sharing.keys, concurrency)))
    readiness = build_readiness(settings, inference.model.info, history, scheduler, sharing.backplane)
    web.flask.register_blueprint(
        operating_blueprint(readiness, metrics, settings.metrics_token, has_proxies=settings.proxies > 0)
    )
    tasks.append(PeriodicTask(CHECK_S, lambda: _check(readiness, concurrency)))
    metrics.show("connections", "Socket.IO connections", lambda: len(socketio.server.eio.sockets))
    metrics.show("streams", "Streams that are served", lambda: len(streams))
    metrics.show("recordings", "Sessions that are being recorded", lambda: history.recorder.count)
    if sharing.backplane.is_shared:
        metrics.show("redis_connected", "Whether Redis answers", lambda: sharing.backplane.is_connected)
    periodic = PeriodicRunner(tasks, concurrency.new_event(), on_lag=metrics.hub_was_late)
    scheduler.start()
    history.recorder.open()
    concurrency.spawn(lambda: recordings.announce(stream_events.send_notice))
    concurrency.spawn(watching.run)
    concurrency.spawn(periodic.run)
    concurrency.spawn(sharing.backplane.run)
    return RealtimeParts(
        socketio=socketio,
        scheduler=scheduler,
        streams=streams,
        watching=watching,
        periodic=periodic,
        readiness=readiness,
        say_goodbye=lambda: connections.move_all(("/", NAMESPACE)) if settings.has_others else None,
    )


def _share_limits(
    settings: Settings,
    limits: SharedLimits,
    streams: StreamRegistry,
    events: StreamEvents,
    pace: ReadingPace,
) -> None:
    limits.share_places("streams", HeldPlaces(settings.max_clients, streams.held, events.withdraw))
    if limits.backplane.is_shared:
        limits.share_counts("senders", pace.present)
        pace.processes_with = lambda person: limits.processes_with("senders", person)


def _end_revoked(videos: Videos, keys: KeyBook, concurrency: EngineConcurrency) -> None:
    def end() -> None:
        try:
            videos.jobs.cancel_of({f"key {key_id}" for key_id in keys.revoked_ids()})
        except DatabaseError as exc:
            _log.warning("Whether keys were revoked is not known: %s", exc)

    if any(key.startswith("key ") for key in videos.jobs.client_keys()):
        concurrency.spawn(lambda: concurrency.run_waiting(end))


def _check(readiness: Readiness, concurrency: EngineConcurrency) -> None:
    for name in readiness.names:  # beside each other: one that hangs holds up no other
        concurrency.spawn(lambda name=name: concurrency.run_waiting(readiness.check, name))  # type: ignore[misc]


def _build_socketio(settings: Settings, app: Flask, mode: ServingMode) -> SocketIO:
    message_bytes = max_message_bytes(settings)
    socketio = SocketIO(
        app,
        async_mode=mode.name,
        max_http_buffer_size=message_bytes,
        # A client that vanishes, or never finishes a message, is gone after at most twice this.
        ping_interval=10,
        ping_timeout=10,
        manage_session=False,
        serializer=StrictPacket,
        # The middleware has checked the origin, by rules that know of proxies; [] sends no CORS headers.
        cors_allowed_origins=[],
    )
    mode.prepare(socketio.server.eio, MessageBounds(message_bytes))
    return socketio


def _periodic_tasks(
    links: LinkBook,
    watched: Sequence[Callable[[], None]],
    videos: Videos,
    history: HistoryParts,
    concurrency: EngineConcurrency,
) -> list[PeriodicTask]:
    """Args: watched: look after the connections about once a second."""

    def forget_old() -> None:
        if concurrency.run_waiting(history.leader.leads):
            links.forget_old()

    def expire_videos() -> None:
        concurrency.spawn(lambda: concurrency.run_waiting(videos.jobs.expire))

    def renew_leases() -> None:
        concurrency.spawn(lambda: concurrency.run_waiting(history.recorder.renew_leases))

    return [
        PeriodicTask(TICK_S, links.announce_expired),
        *(PeriodicTask(1.0, look) for look in watched),
        # Beside the others: a database that is locked holds it up, and links must end in time.
        PeriodicTask(3600.0, lambda: concurrency.spawn(forget_old)),
        PeriodicTask(600.0, expire_videos),
        PeriodicTask(RENEW_S, renew_leases),
    ]


def _tasks_of_several(
    sharing: SharingParts, watching: WatchHub, concurrency: EngineConcurrency
) -> list[PeriodicTask]:
    """What keeps several processes in step, also while Redis is away."""
    shared = sharing.shared_visitors
    if shared is None:
        return []

    def refresh() -> None:
        sharing.links.refresh()
        shared.refresh()

    return [
        PeriodicTask(REFRESH_S, lambda: concurrency.spawn(refresh)),
        PeriodicTask(TELL_S, shared.tell),
        PeriodicTask(shared_limits.TELL_S, sharing.limits.tell),
        PeriodicTask(TELL_S, watching.tell_others),
    ]
