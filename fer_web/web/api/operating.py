"""Serves what operators ask: does it live, is it ready, what does it do. docs/operating.md describes it."""

import hmac

from flask import Blueprint, Response, jsonify, request

from fer_web.errors import ForbiddenError
from fer_web.metrics.server_metrics import TEXT_FORMAT, ServerMetrics
from fer_web.serving.readiness import Readiness
from fer_web.sharing.loopback import is_loopback
from fer_web.web.answers import keep_private


def operating_blueprint(
    readiness: Readiness, metrics: ServerMetrics, token: str, *, has_proxies: bool
) -> Blueprint:
    """Routes outside of /api: monitors have names of their own for them.

    Args:
        token: lets others than this machine read the metrics; empty: nobody.
        has_proxies: then what comes from this machine's address may have been sent by anybody.
    """
    api = Blueprint("operating", __name__)
    api.after_request(keep_private)

    def is_local() -> bool:
        return not has_proxies and is_loopback(request.remote_addr)

    @api.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    @api.get("/readyz")
    def readyz() -> tuple[Response, int]:
        conditions = readiness.conditions()
        is_ready = all(each.is_ok for each in conditions.values())
        # Reasons name folders and hosts: they are for this machine.
        checks = {
            name: each.text if is_local() else ("ok" if each.is_ok else "failed")
            for name, each in conditions.items()
        }
        failed = [name for name, each in conditions.items() if not each.is_ok]
        found = jsonify(ready=is_ready, failed=failed, degraded=[*readiness.missing()], checks=checks)
        return found, 200 if is_ready else 503

    @api.get("/metrics")
    def show_metrics() -> Response:
        if not (is_local() or _has_token(token)):
            raise ForbiddenError(
                "Metrics are for the server's own machine, or for who sends FER_METRICS_TOKEN as "
                "Authorization: Bearer TOKEN."
            )
        return Response(metrics.text(), content_type=TEXT_FORMAT)

    return api


def _has_token(token: str) -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and kind.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
