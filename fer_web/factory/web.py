"""The pages and the HTTP API, with the middleware before them."""

import mimetypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, render_template

from fer_web.analysis.folders.folder_test_rows import FolderTestRows
from fer_web.analysis.folders.folder_test_store import FolderTestStore, TestedWith
from fer_web.analysis.videos.job_store import DatabaseJobStore
from fer_web.analysis.videos.shared_service import build_shared_video_service
from fer_web.analysis.videos.video_service import Videos, build_video_service
from fer_web.factory.events import EventParts
from fer_web.factory.history import HistoryParts
from fer_web.factory.inference import InferenceParts
from fer_web.factory.sharing import SharingParts
from fer_web.history.json_reader import MAX_IMPORT_BYTES
from fer_web.realtime.protocol import MAX_IN_FLIGHT
from fer_web.serving.modes import InTurn, ServingMode
from fer_web.settings import ROOT, Settings
from fer_web.sharing.addresses import checked_public_url
from fer_web.sharing.plain_network import PlainNetwork
from fer_web.sharing.shared_limits import SharedLimits
from fer_web.web.api.analysis_access import MAX_WAITING_IMAGES, AnalysisAccess, ClientQuota, quota_key_of
from fer_web.web.api.events import EventsAccess, events_api_blueprint
from fer_web.web.api.folder_tests import API as FOLDER_TESTS_PATH
from fer_web.web.api.folder_tests import folder_test_api_blueprint
from fer_web.web.api.keys import keys_api_blueprint
from fer_web.web.api.long_work import LongWork
from fer_web.web.api.predict import PREDICT_PATH, predict_api_blueprint
from fer_web.web.api.read_turns import ReadTurns
from fer_web.web.api.received_files import FORM_BYTES
from fer_web.web.api.service import service_api_blueprint
from fer_web.web.api.sessions import history_api_blueprint
from fer_web.web.api.sessions_access import HistoryAccess
from fer_web.web.api.share import share_api_blueprint
from fer_web.web.api.share_access import ShareAccess
from fer_web.web.api.video_access import VideoAccess
from fer_web.web.api.videos import API as VIDEOS_PATH
from fer_web.web.api.videos import video_api_blueprint
from fer_web.web.error_handlers import register_error_handlers
from fer_web.web.firewall.middleware import BodyBound, SecurityRules
from fer_web.web.languages import register_languages
from fer_web.web.pages.analyze import analyze_pages_blueprint
from fer_web.web.pages.api_reference import api_pages_blueprint
from fer_web.web.pages.history import history_pages_blueprint
from fer_web.web.pages.live import PageOptions, pages_blueprint
from fer_web.web.pages.page_files import CurrentFiles
from fer_web.web.pages.trust import trust_blueprint
from fer_web.web.pages.watch import watch_pages_blueprint
from fer_web.web.request_values import IMPORT_PATH


@dataclass(frozen=True)
class WebParts:
    """The parts that answer over HTTP."""

    flask: Flask
    page_files: CurrentFiles
    analysis: AnalysisAccess
    image_turns: InTurn
    videos: Videos


def build_web(
    settings: Settings,
    *,
    mode: ServingMode,
    inference: InferenceParts,
    history: HistoryParts,
    sharing: SharingParts,
    events: EventParts,
    page_files: CurrentFiles,
) -> WebParts:
    """Build the pages and the HTTP API, with the middleware before them."""
    admission = sharing.access.admission
    image_turns = InTurn(mode, MAX_WAITING_IMAGES)
    limits = sharing.limits
    quota = ClientQuota(
        lambda: quota_key_of(admission()), lambda: limits.counts_elsewhere("images"), limits.tell
    )
    analysis = AnalysisAccess(
        owners=sharing.owners,
        run_waiting=mode.run_waiting,
        run_in_turn=image_turns,
        quota=quota,
        analyser=inference.analyser,
        admission=admission,
    )
    sessions = HistoryAccess(
        repository=history.repository,
        owners=sharing.owners,
        run_waiting=mode.run_waiting,
        retention_days=settings.retention_days,
        admission=admission,
        turns=ReadTurns(mode.new_lock),
        long_work=LongWork(settings.database_url, settings.data_dir),
    )
    videos = _build_videos(settings, inference, history, limits)
    limits.share_counts("images", quota.by_client)
    limits.share_counts("videos", videos.jobs.waiting)
    app = _build_flask(settings)
    page_files.register(app)
    register_languages(app)
    sharing.access.register(app)
    for blueprint in _blueprints(settings, mode, inference, sharing, events, analysis, sessions, videos):
        app.register_blueprint(blueprint)
    sharing.owners.register(app)
    register_error_handlers(app)
    return WebParts(
        flask=app, page_files=page_files, analysis=analysis, image_turns=image_turns, videos=videos
    )


def _build_videos(
    settings: Settings, inference: InferenceParts, history: HistoryParts, limits: SharedLimits
) -> Videos:
    def elsewhere() -> Counter[str]:
        return limits.counts_elsewhere("videos")

    engine = history.repository.engine
    if settings.job_workers:
        files = settings.job_folder
        return build_shared_video_service(files, engine, settings.job_workers, waiting_elsewhere=elsewhere)
    return build_video_service(
        settings.data_dir,
        inference.video_tools,
        history.repository,
        jobs_kept=DatabaseJobStore(engine),
        waiting_elsewhere=elsewhere,
    )


def _blueprints(
    settings: Settings,
    mode: ServingMode,
    inference: InferenceParts,
    sharing: SharingParts,
    events: EventParts,
    analysis: AnalysisAccess,
    sessions: HistoryAccess,
    videos: Videos,
) -> Iterator[Blueprint]:
    model = inference.model.info
    options = PageOptions(settings, model, inference.detector, MAX_IN_FLIGHT, sharing.access.admission)
    tests = FolderTestStore(
        TestedWith(model.name, model.model_hash, inference.detector),
        rows=FolderTestRows(sessions.repository.engine),
    )
    network = sharing.network or _plain_network(settings)
    yield pages_blueprint(options)
    yield analyze_pages_blueprint(options, settings)
    yield history_pages_blueprint(options, sessions)
    yield watch_pages_blueprint(options, sharing.access.admission, lambda: sharing.owners.requester().is_host)
    yield api_pages_blueprint(options, sharing.owners)
    yield trust_blueprint(sharing.network, settings.retention_days)
    yield history_api_blueprint(sessions)
    yield share_api_blueprint(ShareAccess(sharing.links, sharing.visitors, sessions, network))
    yield video_api_blueprint(VideoAccess(analysis, videos.jobs, videos.scratch, settings.max_video_bytes))
    yield folder_test_api_blueprint(analysis, tests)
    yield events_api_blueprint(
        EventsAccess(
            feed=events.feed,
            hub=events.hub,
            keys=sharing.keys,
            open_to_keys=events.config.keys,
            owners=sharing.owners,
            admission=sharing.access.admission,
            key_of_request=sharing.key_of_request,
            run_waiting=mode.run_waiting,
        )
    )
    yield keys_api_blueprint(sharing.keys, sharing.owners, mode.run_waiting)
    yield service_api_blueprint(model)
    yield predict_api_blueprint(analysis, model)


def _plain_network(settings: Settings) -> PlainNetwork | None:
    if settings.is_loopback and not settings.public_url:
        return None
    public_url = checked_public_url(settings.public_url) if settings.public_url else ""
    return PlainNetwork(settings.host, settings.port, public_url, base_path=settings.base_path)


def _build_flask(settings: Settings) -> Flask:
    # Windows takes this from the registry, where it is often text/plain; browsers then refuse modules.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("video/webm", ".webm")
    app = Flask("fer_web", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    # Expressions keep the model's order, which a confusion's rows and columns have too.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = settings.max_frame_bytes
    return app


def security_rules(settings: Settings, web: WebParts, sharing: SharingParts) -> SecurityRules:
    def plain_http_page(environ: dict[str, Any]) -> str:
        with web.flask.request_context(environ):
            return render_template("plain_http.html")

    return SecurityRules(
        max_body_bytes=max_message_bytes(settings),
        body_bounds=_body_bounds(settings),
        hosts=sharing.network.hosts if sharing.network else None,
        public_url=settings.public_url,
        proxies=settings.proxies,
        is_from_host=sharing.owners.is_from_host,
        plain_http_page=plain_http_page if settings.is_shared else None,
    )


def _body_bounds(settings: Settings) -> tuple[BodyBound, ...]:
    image_bytes = settings.max_image_bytes + FORM_BYTES
    return (
        BodyBound("POST", IMPORT_PATH, MAX_IMPORT_BYTES),
        BodyBound("POST", PREDICT_PATH, image_bytes),
        BodyBound("POST", FOLDER_TESTS_PATH, image_bytes),
        BodyBound("POST", VIDEOS_PATH, settings.max_video_bytes + FORM_BYTES),
    )


def max_message_bytes(settings: Settings) -> int:
    # Twice the frame limit, so that a frame a little over it gets a clear answer instead of a cut connection.
    return 2 * settings.max_frame_bytes
