"""The database, what records into it and what removes old sessions."""

from dataclasses import dataclass

from fer_web.factory.inference import InferenceParts
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import HistoryRepository, open_history
from fer_web.history.retention import Retention
from fer_web.inference.model_info import ModelInfo
from fer_web.metrics.server_metrics import ServerMetrics
from fer_web.settings import Settings
from fer_web.sharing.shared_limits import HeldPlaces, SharedLimits
from fer_web.storage.leader import Leader, leader_of


@dataclass(frozen=True)
class HistoryParts:
    """The parts that store sessions."""

    repository: HistoryRepository
    recorder: Recorder
    retention: Retention
    leader: Leader


def build_history(
    settings: Settings, *, inference: InferenceParts, metrics: ServerMetrics, limits: SharedLimits
) -> HistoryParts:
    """Open the database, and build what records into it and removes what is old."""
    repository = open_history(settings.database_url, settings.data_dir)
    repository.mark_interrupted()
    model = _recording_model(settings, inference.model.info, inference.detector)
    recorder = Recorder(
        repository,
        model,
        2 * settings.max_clients,
        on_batch=metrics.batch_stored,
        lets_go=settings.has_others,
        elsewhere=limits.places_of("recordings"),
    )
    limits.share_places("recordings", HeldPlaces(2 * settings.max_clients, recorder.held, recorder.withdraw))
    leader = leader_of(repository.engine)
    return HistoryParts(
        repository=repository,
        recorder=recorder,
        retention=Retention(repository, settings.retention_days, leads=leader.leads),
        leader=leader,
    )


def _recording_model(settings: Settings, model: ModelInfo, detector: str) -> RecordingModel:
    options = {
        "detector": detector,
        "smoothing_s": settings.smoothing_s,
        "search_interval_s": settings.search_interval_s,
        "max_faces": settings.max_faces,
        **model.options,
    }
    return RecordingModel(model.name, model.model_hash, settings.record_hz, options)
