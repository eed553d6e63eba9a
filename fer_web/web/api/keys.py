"""Keys of programs over HTTP, for the person at this machine. openapi/keys.py describes it."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, jsonify

from fer_web.errors import ForbiddenError, ProtocolError
from fer_web.sharing.keys import KeyBook
from fer_web.web.auth.owners import Owners
from fer_web.web.request_values import check_write, is_write, json_body

KEYS_PATH: Final = "/api/v1/keys"


def keys_api_blueprint(keys: KeyBook, owners: Owners, run_waiting: Callable[..., Any]) -> Blueprint:
    """Routes under KEYS_PATH."""
    api = Blueprint("keys_api", __name__, url_prefix=KEYS_PATH)

    @api.before_request
    def check() -> None:
        if not owners.requester().is_host:
            raise ForbiddenError(
                "Only the person at this machine makes and revokes keys. Open the address that the server "
                "printed when it started, or use python -m fer_web keys."
            )
        if is_write():
            check_write()

    @api.get("")
    def list_keys() -> Response:
        return jsonify(keys=[key.to_wire() for key in run_waiting(keys.all)])

    @api.post("")
    def create() -> tuple[Response, int]:
        body = json_body("name")
        if "name" not in body:
            raise ProtocolError("A key needs a name.")
        key, text = run_waiting(keys.create, body["name"])
        return jsonify({**key.to_wire(), "key": text}), 201

    @api.delete("/<key_id>")
    def revoke(key_id: str) -> tuple[str, int]:
        json_body()
        run_waiting(keys.revoke, key_id)
        return "", 204

    return api
