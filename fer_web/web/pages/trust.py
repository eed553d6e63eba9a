"""Lets a device trust this server's certificates: one page and one download, for everybody."""

from flask import Blueprint, Response, make_response, render_template, request

from fer_web.errors import NotFoundError
from fer_web.labels import EMOTIONS
from fer_web.sharing.types import ShareNetwork
from fer_web.web.answers import attachment, keep_private
from fer_web.web.request_values import site_path

CERTIFICATE_NAME = "fer-web-authority.crt"
_SYSTEMS = (
    ("android", ("Android",)),
    ("ios", ("iPhone", "iPad", "iPod")),
    ("windows", ("Windows",)),
    ("macos", ("Macintosh", "Mac OS X")),
    ("linux", ("Linux", "X11", "CrOS")),
)
"""Words of a User-Agent, in the order in which they decide."""


def trust_blueprint(network: ShareNetwork | None, retention_days: int) -> Blueprint:
    """Routes; `network` is None where nothing is shared, `retention_days` 0 where the history is kept."""
    pages = Blueprint("trust", __name__)

    @pages.get("/trust")
    def trust() -> Response:
        page = render_template(
            "trust.html",
            is_shared=network is not None,
            fingerprint=network.fingerprint if network else None,
            certificate_path=site_path(f"/trust/{CERTIFICATE_NAME}"),
            certificate_name=CERTIFICATE_NAME,
            systems=systems_of(request.user_agent.string),
            emotions=EMOTIONS,
            retention_days=retention_days,
        )
        return keep_private(make_response(page))

    @pages.get(f"/trust/{CERTIFICATE_NAME}")
    def certificate() -> Response:
        pem = network.authority_pem if network else None
        if pem is None:
            raise NotFoundError("This server has no authority of its own: there is nothing to trust.")
        return keep_private(attachment(pem, "application/x-x509-ca-cert", CERTIFICATE_NAME))

    return pages


def systems_of(user_agent: str) -> frozenset[str]:
    """Sections of the page for this browser: its system, and Firefox, which has a store of its own."""
    system = next((name for name, words in _SYSTEMS if any(word in user_agent for word in words)), None)
    is_firefox = "Firefox" in user_agent and system != "android"
    return frozenset(filter(None, (system, "firefox" if is_firefox else None)))
