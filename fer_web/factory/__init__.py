"""Composition root: builds every object and passes it to those that use it. Tests pass fakes in.

Only app.py, commands, benchmarks and tests import this package; each module builds one part of the server.
It may import every package but commands.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask
from flask.helpers import get_debug_flag
from flask_socketio import SocketIO

from fer_web import __version__
from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.analysis.videos.video_service import Videos
from fer_web.analysis.videos.video_worker import VideoTools
from fer_web.backplane.types import Backplane
from fer_web.events.hub import EventHub
from fer_web.factory.events import build_events
from fer_web.factory.history import build_history
from fer_web.factory.inference import build_inference
from fer_web.factory.realtime import build_realtime
from fer_web.factory.sharing import build_backplane, build_sharing
from fer_web.factory.web import build_web
from fer_web.history.recorder import Recorder
from fer_web.history.repository import HistoryRepository
from fer_web.history.retention import Retention
from fer_web.inference.pipeline import Pipeline
from fer_web.metrics.server_metrics import ServerMetrics
from fer_web.realtime.scheduler import FrameScheduler
from fer_web.realtime.streams import StreamRegistry
from fer_web.realtime.watching import WatchHub
from fer_web.serving.modes import InTurn, ServingMode, serving_mode
from fer_web.serving.periodic import PeriodicRunner
from fer_web.serving.readiness import Readiness
from fer_web.settings import Settings
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.keys import KeyBook
from fer_web.sharing.links import LinkBook
from fer_web.sharing.shared_limits import SharedLimits
from fer_web.sharing.types import ShareNetwork
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.storage.leader import Leader
from fer_web.vendor_files import check_browser_modules
from fer_web.web.api.analysis_access import AnalysisAccess
from fer_web.web.auth.owners import Owners
from fer_web.web.pages.page_files import CurrentFiles


@dataclass(frozen=True)
class Application:
    """A server that is ready to serve."""

    flask: Flask
    socketio: SocketIO
    mode: ServingMode
    scheduler: FrameScheduler
    streams: StreamRegistry
    watching: WatchHub
    periodic: PeriodicRunner
    readiness: Readiness
    history: HistoryRepository
    recorder: Recorder
    events: EventHub
    retention: Retention
    leader: Leader
    owners: Owners
    links: LinkBook
    visitors: VisitorRegistry
    authenticator: Authenticator
    keys: KeyBook
    network: ShareNetwork | None
    backplane: Backplane
    analysis: AnalysisAccess
    image_turns: InTurn
    videos: Videos
    say_goodbye: Callable[[], None]
    """Asks clients to go on at another process, where there is one."""

    def close(self) -> None:
        """Store what is being recorded and end the threads that work for the server."""
        with contextlib.ExitStack() as parts:  # each, also where one before it fails
            parts.callback(self.history.close)
            parts.callback(self.image_turns.stop)
            parts.callback(self.leader.leave)
            parts.callback(self.retention.stop)
            parts.callback(self.recorder.stop)
            parts.callback(self.events.stop)
            parts.callback(self.videos.stop)
            parts.callback(self.watching.stop)
            parts.callback(self.backplane.stop)
            parts.callback(self.periodic.stop)


def create_application(
    settings: Settings,
    pipelines: Sequence[Pipeline] | None = None,
    network: ShareNetwork | None = None,
    analyser: SharedAnalyser | None = None,
    video_tools: VideoTools | None = None,
) -> Application:
    """Build the server.

    Args:
        pipelines: one for each worker; built from the settings by default.
        network: where others reach the server; None where it is not shared.
        analyser: of images that are sent over HTTP; built from the settings by default.
        video_tools: for videos that are sent over HTTP; built from the settings by default.
    Raises: FerWebError: a file is missing or does not fit; the text names it and the command that mends it.
    """
    check_browser_modules()
    page_files = CurrentFiles(is_bundled=not get_debug_flag())
    mode = serving_mode(settings.async_mode)
    inference = build_inference(settings, pipelines=pipelines, analyser=analyser, video_tools=video_tools)
    metrics = ServerMetrics(__version__)
    limits = SharedLimits(build_backplane(settings, mode))
    history = build_history(settings, inference=inference, metrics=metrics, limits=limits)
    sharing = build_sharing(
        settings, database=history.repository.engine, mode=mode, network=network, limits=limits
    )
    events = build_events(settings, mode=mode, history=history)
    web = build_web(
        settings,
        mode=mode,
        inference=inference,
        history=history,
        sharing=sharing,
        events=events,
        page_files=page_files,
    )
    realtime = build_realtime(
        settings,
        mode=mode,
        inference=inference,
        history=history,
        sharing=sharing,
        events=events,
        web=web,
        metrics=metrics,
    )
    history.retention.open()
    events.hub.open()
    web.videos.open()
    return Application(
        flask=web.flask,
        socketio=realtime.socketio,
        mode=mode,
        scheduler=realtime.scheduler,
        streams=realtime.streams,
        watching=realtime.watching,
        periodic=realtime.periodic,
        readiness=realtime.readiness,
        history=history.repository,
        recorder=history.recorder,
        events=events.hub,
        retention=history.retention,
        leader=history.leader,
        owners=sharing.owners,
        links=sharing.links,
        visitors=sharing.visitors,
        authenticator=sharing.authenticator,
        keys=sharing.keys,
        network=network,
        backplane=sharing.backplane,
        analysis=web.analysis,
        image_turns=web.image_turns,
        videos=web.videos,
        say_goodbye=realtime.say_goodbye,
    )
