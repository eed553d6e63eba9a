"""The page and the files it loads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, render_template, send_file

from fer_web import __version__
from fer_web.inference.model_info import ModelInfo
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from fer_web.sharing.types import Admission
from fer_web.vendor_files import BROWSER_MODULES, media_type

ACK_TIMEOUT_MS = 3000
MAX_FPS = 30


@dataclass(frozen=True)
class PageOptions:
    """The page has to know this about the server, and about who opens it.

    max_in_flight: frames that a browser may send before the first of them is answered.
    admission: what a link lets who makes the current request do.
    """

    settings: Settings
    model: ModelInfo
    detector: str
    max_in_flight: int
    admission: Callable[[], Admission] = lambda: Admission(is_local=True)

    def to_wire(self) -> dict[str, Any]:
        """As JSON-ready values, read by static/js/shared/options.js."""
        return {
            "emotions": list(EMOTIONS),
            "max_frame_bytes": self.settings.max_frame_bytes,
            "max_frame_pixels": self.settings.max_frame_pixels,
            "max_in_flight": self.max_in_flight,
            "max_fps": MAX_FPS,
            "ack_timeout_ms": ACK_TIMEOUT_MS,
            "model": {
                "name": self.model.name,
                "hash": self.model.model_hash[:12],
                "unsure_below": self.model.unsure_below,
                "is_calibrated": self.model.is_calibrated,
                "missing": list(self.model.missing),
                "heatmaps": self.model.heatmaps,
                "no_heatmaps": self.model.no_heatmaps,
            },
            "detector": self.detector,
            "smoothing_s": self.settings.smoothing_s,
            "max_faces": self.settings.max_faces,
            "record": self.settings.recording == "on",
            "retention_days": self.settings.retention_days,
            "visitor": _visitor_to_wire(self.admission()),
        }


def _visitor_to_wire(admission: Admission) -> dict[str, str] | None:
    """Tell by which link a visitor came; None for somebody at this machine."""
    link = admission.link
    return None if admission.is_local or link is None else {"name": link.name, "kind": link.kind}


def pages_blueprint(options: PageOptions) -> Blueprint:
    """Routes of the live page."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def live() -> str:
        return render_template("index.html", options=options.to_wire(), version=__version__)

    @pages.get("/vendor/<name>")
    def vendor(name: str) -> Response:
        if name not in BROWSER_MODULES:
            abort(404)
        return send_file(BROWSER_MODULES[name], mimetype=media_type(name))

    return pages
