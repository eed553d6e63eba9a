"""Analysing one image over HTTP: validate, call, reply. openapi/predict.py describes it."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Final

import cv2
from flask import Blueprint, Response

from fer_web.analysis.stills.annotation import annotate
from fer_web.analysis.stills.still_analyser import AnalysedStill
from fer_web.analysis.stills.still_formats import CSV_COLUMNS, csv_rows, still_to_wire
from fer_web.analysis.stills.stills import FACES
from fer_web.errors import ImageTooLargeError
from fer_web.inference.model_info import ModelInfo
from fer_web.metrics.spreadsheet_text import neutral_text
from fer_web.web.answers import attachment, keep_private
from fer_web.web.api.analysis_access import AnalysisAccess
from fer_web.web.request_values import choice_argument, flag_argument

PREDICT_PATH: Final = "/api/v1/predict"
MAX_JPEG_SIDE: Final = 65_500
"""OpenCV's; the format itself ends at 65,535."""

_EXAMPLE: Final = f"curl -F image=@face.jpg ADDRESS{PREDICT_PATH}"

Answer = Callable[[AnalysedStill, str | None, ModelInfo], Response]


def predict_api_blueprint(analysis: AnalysisAccess, model: ModelInfo) -> Blueprint:
    """POST PREDICT_PATH."""
    api = Blueprint("predict_api", __name__)

    @api.post(PREDICT_PATH)
    def predict() -> Response:
        analysis.check_admission()
        faces, wanted = choice_argument("faces", FACES), choice_argument("format", tuple(_ANSWERS))
        heatmap = flag_argument("heatmap")

        def answer() -> Response:
            found = analysis.analyser.analyse(upload.file, faces, heatmap)
            return _ANSWERS[wanted](found, upload.name, model)

        with analysis.received_image(_EXAMPLE) as upload:
            return keep_private(analysis.compute(answer))

    return api


def _as_json(found: AnalysedStill, name: str | None, model: ModelInfo) -> Response:
    wire = {
        "file": name,
        **still_to_wire(found.result, found.picture.remarks),
        "model": {"name": model.name, "hash": model.model_hash},
    }
    return Response(json.dumps(wire), mimetype="application/json")


def _as_csv(found: AnalysedStill, name: str | None, _model: ModelInfo) -> Response:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(CSV_COLUMNS)
    table.writerows(csv_rows(neutral_text(name or ""), found.result))
    return _file_of(text.getvalue().encode(), "text/csv; charset=utf-8", name, "csv")


def _as_jpeg(found: AnalysedStill, name: str | None, _model: ModelInfo) -> Response:
    height, width = found.picture.frame_bgr.shape[:2]
    if max(height, width) > MAX_JPEG_SIDE:
        raise ImageTooLargeError(
            f"The image is {width}x{height} pixels, a JPEG has {MAX_JPEG_SIDE} in a row. Scale it down."
        )
    _, jpeg = cv2.imencode(".jpg", annotate(found.picture.frame_bgr, found.result.faces))
    return _file_of(jpeg.tobytes(), "image/jpeg", name, "jpg")


_ANSWERS: Final[dict[str, Answer]] = {"json": _as_json, "csv": _as_csv, "annotated": _as_jpeg}


def _file_of(data: bytes, content_type: str, name: str | None, suffix: str) -> Response:
    """Make a file to save, under a name that every file system takes."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", (name or "").rpartition(".")[0] or name or "").strip("-")[:60]
    return attachment(data, content_type, f"{stem or 'image'}-faces.{suffix}")
