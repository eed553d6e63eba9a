"""Headers that many answers share: nobody keeps them, or a browser saves them as a file."""

from typing import Any, Final, TypeVar

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

NO_STORE: Final = ("Cache-Control", "no-store")
"""Neither a browser nor a proxy keeps the answer: it is for one requester alone."""

_R = TypeVar("_R", bound=BaseResponse)


def keep_private(response: _R) -> _R:
    """Add NO_STORE to an answer; also fit for `after_request`."""
    response.headers.set(*NO_STORE)
    return response


def attachment(content: Any, media_type: str, name: str) -> Response:
    """Make an answer that a browser saves as a file and does not show.

    Args:
        content: bytes, or an iterable of them.
        name: ASCII, fit for every file system.
    """
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
