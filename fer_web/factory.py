"""Composition root: builds every object and wires it up. Tests pass fakes in."""

import logging
import mimetypes
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from flask import Flask, request
from flask_socketio import SocketIO

from fer_web.analysis.folders.folder_test_store import FolderTests, TestedWith
from fer_web.analysis.stills.images import ImageLimits
from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.analysis.stills.stills import MAX_STILL_FACES, StillAnalyser
from fer_web.analysis.videos.video_reader import VideoLimits
from fer_web.analysis.videos.video_service import VideoService, build_video_service
from fer_web.analysis.videos.video_worker import VideoTools
from fer_web.history.json_reader import MAX_IMPORT_BYTES
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import HistoryRepository, open_history
from fer_web.history.retention import Retention
from fer_web.inference.classifier import Classifier
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.models import Model, open_model, options_of
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.inference.results import FrameResult
from fer_web.realtime.admission import SocketAdmission
from fer_web.realtime.connections import Connections
from fer_web.realtime.events import StreamEvents
from fer_web.realtime.scheduler import FrameScheduler
from fer_web.realtime.stream_recorder import StreamRecordings
from fer_web.realtime.streams import StreamRegistry
from fer_web.realtime.transport import StrictPacket, limit_packets
from fer_web.realtime.unadmitted import UnadmittedConnections
from fer_web.realtime.watch_events import SocketOutlet, WatchEvents
from fer_web.realtime.watching import WatchHub
from fer_web.secret_file import load_secret
from fer_web.serving.modes import EngineConcurrency, InTurn, ServingMode, serving_mode
from fer_web.serving.periodic import TICK_S, PeriodicTask, PeriodicTasks
from fer_web.settings import ROOT, Settings
from fer_web.sharing.addresses import checked_public_url
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import KeyBook
from fer_web.sharing.link_store import DatabaseLinkStore
from fer_web.sharing.links import LinkBook
from fer_web.sharing.plain_network import PlainNetwork
from fer_web.sharing.types import ShareNetwork
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.vendor_files import BLAZEFACE_PATH, check_browser_modules
from fer_web.vision.faces import build_detector, resolve_detector
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker
from fer_web.web.api.analysis_access import MAX_WAITING_IMAGES, AnalysisAccess, ClientQuota, quota_key_of
from fer_web.web.api.folder_tests import API as FOLDER_TESTS_PATH
from fer_web.web.api.folder_tests import folder_test_api_blueprint
from fer_web.web.api.keys import keys_api_blueprint
from fer_web.web.api.predict import PREDICT_PATH, predict_api_blueprint
from fer_web.web.api.service import service_api_blueprint
from fer_web.web.api.sessions import history_api_blueprint
from fer_web.web.api.sessions_access import HistoryAccess
from fer_web.web.api.share import share_api_blueprint
from fer_web.web.api.share_access import ShareAccess
from fer_web.web.api.video_access import VideoAccess
from fer_web.web.api.videos import API as VIDEOS_PATH
from fer_web.web.api.videos import video_api_blueprint
from fer_web.web.auth.api_keys import RequestKeys
from fer_web.web.auth.owners import Owners
from fer_web.web.auth.visitors import VisitorAccess
from fer_web.web.error_handlers import register_error_handlers
from fer_web.web.firewall.middleware import FORM_BYTES, BodyBound, SecurityMiddleware, SecurityRules
from fer_web.web.pages.analyze import analyze_pages_blueprint
from fer_web.web.pages.api_reference import api_pages_blueprint
from fer_web.web.pages.history import history_pages_blueprint
from fer_web.web.pages.live import PageOptions, pages_blueprint
from fer_web.web.pages.trust import trust_blueprint
from fer_web.web.pages.watch import watch_pages_blueprint
from fer_web.web.request_values import IMPORT_PATH

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Application:
    """A server that is ready to serve."""

    flask: Flask
    socketio: SocketIO
    scheduler: FrameScheduler
    streams: StreamRegistry
    mode: ServingMode
    history: HistoryRepository
    recorder: Recorder
    retention: Retention
    owners: Owners
    watching: WatchHub
    links: LinkBook
    visitors: VisitorRegistry
    authenticator: Authenticator
    periodic: PeriodicTasks
    network: ShareNetwork | None
    analysis: AnalysisAccess
    keys: KeyBook
    image_turns: InTurn
    videos: VideoService

    def close(self) -> None:
        """Store what is being recorded and end the threads that work for the server."""
        self.periodic.stop()
        self.watching.stop()
        self.videos.stop()
        self.recorder.stop()
        self.retention.stop()
        self.image_turns.stop()
        self.history.close()


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
    model = open_model(settings.model, options_of(settings))
    for warning in model.warnings:
        _log.warning("%s: %s.", model.info.name, warning)
    detector = resolve_detector(settings.detector, BLAZEFACE_PATH)
    if pipelines is None:
        pipelines = [
            build_pipeline(settings, model.new_classifier(), detector) for _ in range(settings.worker_count)
        ]
    history = open_history(settings.database_url, settings.data_dir)
    history.mark_interrupted()
    recorder = Recorder(history, _recording_model(settings, model.info, detector), 2 * settings.max_clients)
    mode = serving_mode(settings.async_mode)
    secret = load_secret(settings.data_dir)
    keys = KeyBook(DatabaseKeyStore(history.engine))
    request_keys = RequestKeys(keys, mode.run_waiting)
    owners = Owners(secret, request_keys.owner)
    links, visitors = (
        LinkBook(DatabaseLinkStore(history.engine), run_waiting=mode.run_waiting),
        VisitorRegistry(),
    )
    authenticator = Authenticator(secret, links, visitors)
    visitor_access = VisitorAccess(authenticator, links, visitors, key_of_request=request_keys.key)
    access = HistoryAccess(
        history, owners, mode.run_waiting, settings.retention_days, visitor_access.admission
    )
    image_turns = InTurn(mode, MAX_WAITING_IMAGES)
    analysis = AnalysisAccess(
        owners,
        mode.run_waiting,
        image_turns,
        ClientQuota(lambda: quota_key_of(visitor_access.admission())),
        analyser or build_analyser(settings, model, detector),
        visitor_access.admission,
    )
    video_tools = video_tools or _video_tools(settings, model, detector)
    videos = build_video_service(settings.data_dir, video_tools, history)
    share = ShareAccess(links, visitors, access, network or _plain_network(settings))
    options = PageOptions(settings, model.info, detector, visitor_access.admission)
    flask_app = _build_flask(settings, options, visitor_access, share)
    flask_app.register_blueprint(trust_blueprint(network))
    flask_app.register_blueprint(video_api_blueprint(_video_access(settings, analysis, videos)))
    flask_app.register_blueprint(api_pages_blueprint(options, owners))
    flask_app.register_blueprint(
        folder_test_api_blueprint(
            analysis, FolderTests(TestedWith(model.info.name, model.info.model_hash, detector))
        )
    )
    flask_app.register_blueprint(keys_api_blueprint(keys, owners, mode.run_waiting))
    flask_app.register_blueprint(service_api_blueprint(model.info))
    flask_app.register_blueprint(predict_api_blueprint(analysis, model.info))
    socketio = _build_socketio(settings, flask_app, mode)
    flask_app.wsgi_app = SecurityMiddleware(  # type: ignore[method-assign]
        flask_app.wsgi_app, _security_rules(settings, flask_app, network, owners)
    )
    concurrency = EngineConcurrency(socketio.server.eio, mode)

    def owner_of_request() -> str | None:
        return owners.owner_of(request.cookies)

    def sample(client: str, captured_s: float, result: FrameResult, _jpeg: bytes) -> None:
        recorder.sample(client, captured_s, result)

    connections = Connections(socketio)
    watching = WatchHub(SocketOutlet(socketio, connections), concurrency, owner_of_request, links.get)
    links.subscribe(watching.link_changed)
    scheduler = FrameScheduler(concurrency, pipelines, observers=(sample, watching.observe))
    streams = StreamRegistry(lambda: new_stream_state(settings), settings.max_clients)
    recordings = StreamRecordings(recorder, concurrency, owner_of_request, time.monotonic)
    admission = SocketAdmission(authenticator, visitors)
    events = StreamEvents(
        socketio, streams, scheduler, recordings, watching, admission, settings.max_frames_per_s
    )
    events.register()
    WatchEvents(socketio, watching, connections, admission).register()
    scheduler.start()
    recorder.open()
    concurrency.spawn(lambda: recordings.announce(events.send_notice))
    concurrency.spawn(watching.run)
    tasks = _periodic_tasks(links, UnadmittedConnections(socketio.server), videos, concurrency)
    periodic = PeriodicTasks(tasks, concurrency.new_event())
    concurrency.spawn(periodic.run)
    retention = Retention(history, settings.retention_days)
    retention.open()
    videos.open()
    return Application(
        flask_app,
        socketio,
        scheduler,
        streams,
        mode,
        history,
        recorder,
        retention,
        owners,
        watching,
        links,
        visitors,
        authenticator,
        periodic,
        network,
        analysis,
        keys,
        image_turns,
        videos,
    )


def _plain_network(settings: Settings) -> PlainNetwork | None:
    if settings.is_loopback and not settings.public_url:
        return None
    public_url = checked_public_url(settings.public_url) if settings.public_url else ""
    return PlainNetwork(settings.host, settings.port, public_url)


def _periodic_tasks(
    links: LinkBook, unadmitted: UnadmittedConnections, videos: VideoService, concurrency: EngineConcurrency
) -> list[PeriodicTask]:
    def forget_old() -> None:
        # Beside the others: a database that is locked holds it up, and links must end in time.
        concurrency.spawn(links.forget_old)

    def expire_videos() -> None:
        concurrency.spawn(lambda: concurrency.run_waiting(videos.jobs.expire))

    return [
        PeriodicTask(TICK_S, links.announce_expired),
        PeriodicTask(1.0, unadmitted.end),
        PeriodicTask(3600.0, forget_old),
        PeriodicTask(600.0, expire_videos),
    ]


def _recording_model(settings: Settings, model: ModelInfo, detector: str) -> RecordingModel:
    options = {
        "detector": detector,
        "smoothing_s": settings.smoothing_s,
        "search_interval_s": settings.search_interval_s,
        "max_faces": settings.max_faces,
        **model.options,
    }
    return RecordingModel(model.name, model.model_hash, settings.record_hz, options)


def build_pipeline(settings: Settings, classifier: Classifier, detector: str) -> Pipeline:
    """A pipeline for one worker, with interpreters of its own."""
    # The workers are the parallelism; OpenCV's own threads would only fight them for the cores.
    cv2.setNumThreads(1)
    return Pipeline(
        build_detector(detector, BLAZEFACE_PATH),
        classifier,
        FrameLimits(settings.max_frame_bytes, settings.max_frame_pixels),
    )


def build_analyser(settings: Settings, model: Model, detector: str) -> SharedAnalyser:
    """The analyser of images; it opens its own interpreters with the first one."""

    def build() -> StillAnalyser:
        searching = build_detector(detector, BLAZEFACE_PATH, for_stills=True)
        return StillAnalyser(model.new_classifier(), searching, MAX_STILL_FACES)

    return SharedAnalyser(build, ImageLimits.from_settings(settings))


def _video_tools(settings: Settings, model: Model, detector: str) -> VideoTools:
    def open_pipeline() -> tuple[Pipeline, StreamState]:
        return build_pipeline(settings, model.new_classifier(), detector), new_stream_state(settings)

    limits = VideoLimits.from_settings(settings)
    return VideoTools(limits, model.info, settings.record_hz, settings.smoothing_s, open_pipeline)


def _video_access(settings: Settings, analysis: AnalysisAccess, videos: VideoService) -> VideoAccess:
    return VideoAccess(analysis, videos.jobs, videos.scratch, settings.max_video_bytes, FORM_BYTES)


def new_stream_state(settings: Settings) -> StreamState:
    """The memory of a stream that begins."""
    return StreamState(
        FaceTracker(search_interval_s=settings.search_interval_s, max_faces=settings.max_faces),
        ScoreSmoother(settings.smoothing_s),
    )


def _build_flask(
    settings: Settings, options: PageOptions, visitor_access: VisitorAccess, share: ShareAccess
) -> Flask:
    # Windows takes this from the registry, where it is often text/plain; browsers then refuse modules.
    mimetypes.add_type("text/javascript", ".js")
    app = Flask("fer_web", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    # Expressions keep the model's order, which a confusion's rows and columns have too.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = settings.max_frame_bytes
    visitor_access.register(app)
    app.register_blueprint(pages_blueprint(options))
    app.register_blueprint(analyze_pages_blueprint(options, settings))
    app.register_blueprint(history_pages_blueprint(options, share.history))
    app.register_blueprint(history_api_blueprint(share.history))
    app.register_blueprint(share_api_blueprint(share))
    app.register_blueprint(watch_pages_blueprint(options, visitor_access.admission))
    share.history.owners.register(app)
    register_error_handlers(app)
    return app


def _security_rules(
    settings: Settings, app: Flask, network: ShareNetwork | None, owners: Owners
) -> SecurityRules:
    return SecurityRules(
        max_body_bytes=_max_message_bytes(settings),
        body_bounds=_body_bounds(settings),
        hosts=network.hosts if network else None,
        public_url=settings.public_url,
        proxies=settings.proxies,
        is_from_host=owners.is_from_host,
        plain_http_page=app.jinja_env.get_template("plain_http.html").render if settings.is_shared else None,
    )


def _body_bounds(settings: Settings) -> tuple[BodyBound, ...]:
    image_bytes = settings.max_image_bytes + FORM_BYTES
    return (
        BodyBound("POST", IMPORT_PATH, MAX_IMPORT_BYTES),
        BodyBound("POST", PREDICT_PATH, image_bytes),
        BodyBound("POST", FOLDER_TESTS_PATH, image_bytes),
        BodyBound("POST", VIDEOS_PATH, settings.max_video_bytes + FORM_BYTES),
    )


def _build_socketio(settings: Settings, app: Flask, mode: ServingMode) -> SocketIO:
    max_message_bytes = _max_message_bytes(settings)
    socketio = SocketIO(
        app,
        async_mode=mode.name,
        max_http_buffer_size=max_message_bytes,
        # A client that vanishes, or never finishes a message, is gone after at most twice this.
        ping_interval=10,
        ping_timeout=10,
        manage_session=False,
        serializer=StrictPacket,
        # The middleware has checked the origin, by rules that know of proxies; [] sends no CORS headers.
        cors_allowed_origins=[],
    )
    mode.prepare(socketio.server.eio, max_message_bytes)
    limit_packets(socketio.server, settings.max_frames_per_s)
    return socketio


def _max_message_bytes(settings: Settings) -> int:
    # Twice the frame limit, so that a frame a little over it gets a clear answer instead of a cut connection.
    return 2 * settings.max_frame_bytes
