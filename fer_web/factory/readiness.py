"""What must hold before the server is sent work."""

import shutil

from sqlalchemy import text

from fer_web.backplane.types import Backplane
from fer_web.errors import DiskFullError
from fer_web.factory.history import HistoryParts
from fer_web.inference.model_info import ModelInfo
from fer_web.realtime.scheduler import FrameScheduler
from fer_web.serving.readiness import Readiness
from fer_web.serving.stop_signals import is_closing
from fer_web.settings import Settings
from fer_web.storage.database import reading
from fer_web.storage.disk_reserve import RESERVE_BYTES


def build_readiness(
    settings: Settings,
    model: ModelInfo,
    history: HistoryParts,
    scheduler: FrameScheduler,
    backplane: Backplane,
) -> Readiness:
    """The checks of /readyz."""

    def check_database() -> str:
        with reading(history.repository.engine) as connection:
            connection.execute(text("SELECT 1")).scalar_one()
        return "it answers"

    def check_disk() -> str:
        free = shutil.disk_usage(settings.data_dir).free
        if free < RESERVE_BYTES:
            raise DiskFullError(f"{free / 1e6:.0f} MB are free for {settings.data_dir}; 100 MB are needed.")
        return f"{free / 1e9:.1f} GB are free for {settings.data_dir}"

    checks = {
        "database": check_database,
        "disk": check_disk,
        "workers": scheduler.check_workers,
        "model": lambda: f"{model.name} is loaded",  # without it, the server would not have started
    }
    return Readiness(checks, is_closing, missing=lambda: () if backplane.is_connected else ("redis",))
