"""The page that analyses files."""

from flask import Blueprint, Response, make_response, render_template

from fer_web import __version__
from fer_web.analysis.folders.labelled_images import NAMES
from fer_web.analysis.stills.images import SUFFIXES
from fer_web.analysis.videos.video_kinds import VIDEO_SUFFIXES
from fer_web.settings import Settings
from fer_web.web.answers import keep_private
from fer_web.web.pages.live import PageOptions


def analyze_pages_blueprint(options: PageOptions, settings: Settings) -> Blueprint:
    """/analyze."""
    pages = Blueprint("analyze_pages", __name__)
    limits = {
        "max_image_bytes": settings.max_image_bytes,
        "max_video_bytes": settings.max_video_bytes,
        "folder_names": {expression: list(names) for expression, names in NAMES.items()},
        "image_suffixes": list(SUFFIXES),
        "video_suffixes": list(VIDEO_SUFFIXES),
    }

    @pages.get("/analyze")
    def analyze() -> Response:
        wire = {**options.to_wire(), **limits}
        return keep_private(make_response(render_template("analyze.html", options=wire, version=__version__)))

    return pages
