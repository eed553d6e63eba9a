"""The page for those whom a link lets watch."""

from collections.abc import Callable

from flask import Blueprint, Response, make_response, render_template

from fer_web import __version__
from fer_web.errors import LinkNeededError
from fer_web.sharing.types import Admission
from fer_web.web.answers import keep_private
from fer_web.web.pages.live import PageOptions


def watch_pages_blueprint(
    options: PageOptions, admit: Callable[[], Admission], is_host: Callable[[], bool]
) -> Blueprint:
    """/watch, and /overlay for other programs that show what is watched over their own picture.

    Args:
        admit: what the client of the current request may do; raises ShareError.
        is_host: whether the host makes it.
    """
    pages = Blueprint("watch_pages", __name__)

    @pages.get("/watch")
    def watch() -> Response:
        link = admit().link
        if link is None or link.kind != "watch":
            raise LinkNeededError(
                "Watching takes a link. Ask the host for one that lets you watch, and open it here."
            )
        wire = {**options.to_wire(), "visitor": {"kind": link.kind, "name": link.name}}
        # It is shown as long as the link is open, and not a moment longer.
        return keep_private(make_response(render_template("watch.html", options=wire, version=__version__)))

    @pages.get("/overlay")
    def overlay() -> Response:
        if not (admit().may_watch or is_host()):
            raise LinkNeededError(
                "The overlay takes a link to watch, with /overlay at its end. At this machine the host's "
                "address does too: /overlay before its ?host=."
            )
        return keep_private(make_response(render_template("overlay.html", options=options.to_wire())))

    return pages
