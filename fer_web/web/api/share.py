"""Sharing over HTTP, for the person at this machine: validate, call, reply. docs/security.md says who may."""

from flask import Blueprint, Response, jsonify

from fer_web.errors import ForbiddenError, InvalidValueError, NotFoundError, ProtocolError
from fer_web.sharing.types import Link
from fer_web.web.answers import keep_private
from fer_web.web.api.share_access import ShareAccess
from fer_web.web.api.share_json import address_to_wire, link_to_wire, qr_svg, visitor_to_wire
from fer_web.web.request_values import check_write, is_write, json_body, whole_argument

API = "/api/v1/share"
DEFAULT_HOURS = 12.0


def share_api_blueprint(share: ShareAccess) -> Blueprint:
    """Routes under API."""
    api = Blueprint("share_api", __name__, url_prefix=API)

    @api.before_request
    def check() -> None:
        if not share.history.owners.requester().is_host:
            raise ForbiddenError(
                "Only the person at this machine may share. Open the address that the server printed last "
                "when it started; it has ?host= in it."
            )
        if is_write():
            check_write()

    api.after_request(keep_private)
    _add_overview(api, share)
    _add_link_routes(api, share)
    _add_code_route(api, share)
    _add_ending_routes(api, share)
    return api


def _add_overview(api: Blueprint, share: ShareAccess) -> None:
    @api.get("")
    def overview() -> Response:
        reason, network = share.refusal(), share.network
        return jsonify(
            can_share=reason is None,
            reason=reason,
            addresses=[address_to_wire(each) for each in network.addresses()] if network else [],
            fingerprint=network.fingerprint if network else None,
            links=[_wire(share, link) for link in share.links.all()],
            visitors=[visitor_to_wire(visitor) for visitor in share.visitors.all()],
        )


def _add_link_routes(api: Blueprint, share: ShareAccess) -> None:
    @api.post("/links")
    def create() -> tuple[Response, int]:
        body = json_body("kind", "name", "hours", "session", "video")
        if not {"kind", "name"} <= body.keys():
            raise ProtocolError("A link needs kind and name.")
        if not isinstance(body.get("session", ""), str):
            raise ProtocolError("session must be the id of a session, as text.")
        link = share.create(
            body["kind"],
            body["name"],
            hours=body.get("hours", DEFAULT_HOURS),
            session=body.get("session"),
            video=body.get("video", False),
        )
        return jsonify(_wire(share, link)), 201

    @api.patch("/links/<link_id>")
    def update(link_id: str) -> Response:
        body = json_body("video")
        if "video" not in body:
            raise ProtocolError("Of a link, video can be changed. Send it.")
        return jsonify(_wire(share, share.links.set_video(link_id, body["video"])))

    @api.delete("/links/<link_id>")
    def revoke(link_id: str) -> Response:
        json_body()
        return jsonify(_wire(share, share.links.revoke(link_id)))


def _add_code_route(api: Blueprint, share: ShareAccess) -> None:
    @api.get("/links/<link_id>/qr.svg")
    def code(link_id: str) -> Response:
        urls = share.urls(share.links.get(link_id))
        if not urls:
            raise NotFoundError("This link has no code: it is not open, or the machine is on no network.")
        chosen = whole_argument("address", low=0, high=10_000) or 0
        if chosen >= len(urls):
            raise InvalidValueError(f"address is {chosen}; this link has the addresses 0 to {len(urls) - 1}.")
        return Response(qr_svg(urls[chosen]), mimetype="image/svg+xml")


def _add_ending_routes(api: Blueprint, share: ShareAccess) -> None:
    @api.delete("/visitors/<visitor_id>")
    def remove(visitor_id: str) -> Response:
        json_body()
        share.visitors.remove(visitor_id)
        return jsonify({})

    @api.post("/stop")
    def stop() -> Response:
        json_body()
        share.links.stop()
        return jsonify({})


def _wire(share: ShareAccess, link: Link) -> dict[str, object]:
    visitors = sum(visitor.link == link.id for visitor in share.visitors.all())
    return link_to_wire(link, now_s=share.clock(), visitors=visitors, urls=share.urls(link))
