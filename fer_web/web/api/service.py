"""Serves what the server says of itself over HTTP. openapi/service.py describes it."""

from flask import Blueprint, Response, jsonify

from fer_web import __version__
from fer_web.inference.model_info import ModelInfo
from fer_web.web.api.openapi import PREFIX, build_document
from fer_web.web.request_values import site_path


def service_api_blueprint(model: ModelInfo) -> Blueprint:
    """Routes of the server's health, also under /healthz where many monitors ask, and of its document."""
    api = Blueprint("service_api", __name__)
    document = build_document()

    @api.get("/healthz")
    @api.get(f"{PREFIX}/health")
    def health() -> Response:
        return jsonify(status="ok", version=__version__, model={"name": model.name, "hash": model.model_hash})

    @api.get(f"{PREFIX}/openapi.json")
    def openapi() -> Response:
        return jsonify({**document, "servers": [{"url": site_path("/")}]})

    return api
