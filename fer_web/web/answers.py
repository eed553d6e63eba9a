"""What many answers share: nobody keeps them, they are compressed, or a browser saves them as a file."""

import gzip
from typing import Any, Final, TypeVar

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

NO_STORE: Final = ("Cache-Control", "no-store")
"""Neither a browser nor a proxy keeps the answer: it is for one requester alone."""

_R = TypeVar("_R", bound=BaseResponse)


def keep_private(response: _R) -> _R:
    """Add NO_STORE to an answer; also fit for `after_request`."""
    response.headers.set(*NO_STORE)
    return response


def compressed(response: _R, content: bytes | None = None) -> _R:
    """Send an answer as gzip to who takes that.

    Args: content: the answer's body, compressed already; compressed now by default.
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.set_data(gzip.compress(response.get_data(), 5) if content is None else content)
        response.headers["Content-Encoding"] = "gzip"
    return response


def compressed_page(response: _R) -> _R:
    """Compress HTML; fit for `after_request`.

    A compressed page tells by its length what in it is alike. No page shows text of its address beside a
    secret, so nobody can try out secrets this way.
    """
    return compressed(response) if response.mimetype == "text/html" else response


def attachment(content: Any, media_type: str, name: str) -> Response:
    """Make an answer that a browser saves as a file and does not show.

    Args:
        content: bytes, or an iterable of them.
        name: ASCII, fit for every file system.
    """
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
