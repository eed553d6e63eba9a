"""The page about the HTTP API: the OpenAPI document to read, and the host's keys."""

import re

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup, escape

from fer_web import __version__
from fer_web.sharing.keys import MAX_KEY_NAME
from fer_web.web.answers import keep_private
from fer_web.web.api.openapi import build_document
from fer_web.web.api.openapi.reference import areas_of
from fer_web.web.auth.owners import Owners
from fer_web.web.languages import current_language
from fer_web.web.pages.live import PageOptions

FROM_ELSEWHERE = """\
KEY=fer_...
curl https://ADDRESS:5443/api/v1/predict \\
  --cacert fer-web-authority.crt \\
  -H "Authorization: Bearer $KEY" \\
  -F image=@photo.jpg"""


def api_pages_blueprint(options: PageOptions, owners: Owners) -> Blueprint:
    """/api."""
    pages = Blueprint("api_pages", __name__)
    document = build_document()

    @pages.get("/api")
    def api() -> Response:
        url = request.url_root.rstrip("/")
        page = render_template(
            "api.html",
            options=options.to_wire(),
            version=__version__,
            is_host=owners.requester().is_host,
            url=url,
            introduction=document["info"]["description"].split("\n\n"),
            areas=areas_of(document, url),
            schemas=document["components"]["schemas"],
            from_elsewhere=FROM_ELSEWHERE,
            max_key_name=MAX_KEY_NAME,
        )
        return keep_private(make_response(page))

    pages.add_app_template_filter(with_code, "with_code")
    return pages


def with_code(text: str) -> Markup:
    """Text of the document whose `parts in backticks` are code, escaped; on other pages marked as English."""
    marked = Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
    return marked if current_language() == "en" else Markup('<span lang="en">{}</span>').format(marked)
