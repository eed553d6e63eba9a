"""Tests of folders over HTTP: validate, call, reply. openapi/folder_tests.py describes it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, jsonify, request, url_for

from fer_web.analysis.folders.contact_sheet import contact_sheet
from fer_web.analysis.folders.folder_report import describe_folder, draw_confusions
from fer_web.analysis.folders.folder_scores import ImagePrediction, prediction_of
from fer_web.analysis.folders.folder_test import FolderTest
from fer_web.analysis.folders.folder_test_store import FolderTestStore, outcome_of
from fer_web.analysis.folders.labelled_images import LabelledImage, labelled_image
from fer_web.analysis.names import clean_file_name
from fer_web.analysis.stills.stills import FACES
from fer_web.errors import ImageError, InvalidValueError, JobStateError
from fer_web.web.answers import attachment, keep_private
from fer_web.web.api.analysis_access import AnalysisAccess
from fer_web.web.request_values import check_write, json_body

API: Final = "/api/v1/folder-tests"
_T = TypeVar("_T")
_NAMELESS: Final = "images"
_MAX_PATH: Final = 300
_EXAMPLE: Final = "curl -F image=@face.jpg 'ADDRESS?path=happy/face.jpg'"


def folder_test_api_blueprint(analysis: AnalysisAccess, tests: FolderTestStore) -> Blueprint:
    """Routes under API."""
    api = Blueprint("folder_test_api", __name__, url_prefix=API)
    api.after_request(keep_private)

    own = _OwnTests(analysis, tests)

    @api.post("")
    def begin() -> tuple[Response, int]:
        check_write()
        owner = analysis.check().owner
        body = json_body("faces", "name")
        name = clean_file_name(_text(body, "name", "")) or _NAMELESS
        test = analysis.call(tests.begin, owner, name, _faces(body), analysis.client_key())
        answer = jsonify(folder_test_to_wire(test))
        answer.headers["Location"] = url_for("folder_test_api.report", test_id=test.id)
        return answer, 201

    @api.post("/<test_id>/images")
    def add_image(test_id: str) -> Response:
        test = own.get(test_id)
        tests.check_room(test)
        image = _labelled(request.args.get("path", ""))
        with analysis.received_image(_EXAMPLE) as upload:
            prediction = _predict(analysis, image, upload.file, test.faces)
        return jsonify(prediction_to_wire(prediction, analysis.call(tests.add, test, prediction)))

    @api.delete("/<test_id>")
    def remove(test_id: str) -> tuple[str, int]:
        analysis.call(tests.remove, test_id, analysis.check().owner)
        return "", 204

    @api.get("/<test_id>")
    def report(test_id: str) -> Response:
        test = own.get(test_id)
        made = own.compute(lambda: _as_json({**folder_test_to_wire(test), **tests.report(test)}))
        return Response(made, mimetype="application/json")

    _add_file_routes(api, own)
    return api


@dataclass(frozen=True)
class _OwnTests:
    """The tests that belong to whoever makes the current request."""

    analysis: AnalysisAccess
    tests: FolderTestStore

    def get(self, test_id: str) -> FolderTest:
        return self.analysis.call(self.tests.get, test_id, self.analysis.check().owner)

    def compute(self, function: Callable[[], _T]) -> _T:
        with self.analysis.quota.taken():
            return self.analysis.compute(function)


def _add_file_routes(api: Blueprint, own: _OwnTests) -> None:
    @api.get("/<test_id>/report.txt")
    def report_text(test_id: str) -> Response:
        test = own.get(test_id)
        text = own.compute(lambda: describe_folder(own.tests.report(test)) + "\n")
        return attachment(text.encode(), "text/plain; charset=utf-8", "report.txt")

    @api.get("/<test_id>/confusion.png")
    def confusion(test_id: str) -> Response:
        test = own.get(test_id)
        drawn = own.compute(lambda: _confusion_png(own.tests.report(test)))
        return attachment(drawn, "image/png", "confusion.png")

    @api.get("/<test_id>/mistakes.jpg")
    def mistakes(test_id: str) -> Response:
        test = own.get(test_id)
        drawn = own.compute(lambda: _mistakes_jpeg(own.tests.mistakes(test)))
        return attachment(drawn, "image/jpeg", "mistakes.jpg")


def _text(body: dict[str, Any], name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} must be text; {type(value).__name__} came.")
    return value


def _faces(body: dict[str, Any]) -> str:
    faces = _text(body, "faces", FACES[0])
    if faces not in FACES:
        raise InvalidValueError(f"faces is {faces!r:.60}; allowed: {', '.join(FACES)}.")
    return faces


def _labelled(path: str) -> LabelledImage:
    if not path or len(path) > _MAX_PATH:
        raise InvalidValueError(
            f"path has {len(path)} characters; 1 to {_MAX_PATH} are allowed. It says which expression the "
            "image shows. Example: path=happy/1.jpg"
        )
    return labelled_image(path)


def _predict(analysis: AnalysisAccess, image: LabelledImage, file: Any, faces: str) -> ImagePrediction:
    """Predict an image; one that cannot be read counts apart, as in the command's report."""
    try:
        return prediction_of(image, analysis.compute(analysis.analyser.analyse, file, faces).result)
    except ImageError as exc:
        # Without its traceback, which would keep the image in memory.
        return ImagePrediction(image, error=type(exc)(str(exc)))


def _as_json(report: dict[str, Any]) -> str:
    """The text, piece by piece: made at once, 40 MB of it would hold up every other thread for a second."""
    return "".join(json.JSONEncoder().iterencode(report))


def _confusion_png(report: dict[str, Any]) -> bytes:
    if not report["scored"]:
        raise JobStateError("No image could be scored yet: there is nothing to draw.")
    file = io.BytesIO()
    draw_confusions(file, report)
    return file.getvalue()


def _mistakes_jpeg(found: list[ImagePrediction]) -> bytes:
    file = io.BytesIO()
    contact_sheet(found).save(file, "JPEG", quality=88)
    return file.getvalue()


def folder_test_to_wire(test: FolderTest) -> dict[str, Any]:
    """A test as JSON, without its scores."""
    return {
        "id": test.id,
        "name": test.name,
        "faces": test.faces,
        "images": len(test.predictions),
        "created_at": test.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def prediction_to_wire(prediction: ImagePrediction, images: int) -> dict[str, Any]:
    """Return what was said of one image, as JSON."""
    return {
        "images": images,
        "path": prediction.image.path.as_posix(),
        "expression": prediction.image.expression,
        "outcome": outcome_of(prediction),
        "label": prediction.label,
        "confidence": prediction.confidence if prediction.label else None,
        "sure": prediction.is_sure if prediction.label else None,
        "original_label": prediction.original_label,
        "faces": prediction.faces,
        "error": prediction.error.to_wire() if prediction.error else None,
    }
