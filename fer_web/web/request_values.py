"""Checks what came with a request: bodies and the values of an address."""

import datetime
import json
import math
from collections.abc import Sequence
from typing import Any

from flask import request

from fer_web.errors import InvalidValueError, ProtocolError

SESSIONS_PATH = "/api/v1/sessions"
OPERATING_PATHS = ("/livez", "/readyz", "/metrics")
"""Monitors ask here, often without a proxy, a link or a name for the server."""
IMPORT_PATH = f"{SESSIONS_PATH}/import"
_JSON = "application/json"
_BYTES = "application/octet-stream"


def site_path(path: str) -> str:
    """Return a path of ours as browsers see it: below --base-path where there is one."""
    return f"{request.script_root}{path}"


def is_write() -> bool:
    """Tell whether the current request would change something."""
    return request.method not in ("GET", "HEAD", "OPTIONS")


def check_write() -> None:
    """Refuse a write that is not announced as JSON: another site's form cannot announce that (CSRF).

    Nor can it announce bytes, as which a file is imported. The middleware has checked where the write comes
    from. Raises: ProtocolError.
    """
    if request.mimetype != _JSON and not (request.path == IMPORT_PATH and request.mimetype == _BYTES):
        raise ProtocolError(
            f"The body must be {_JSON}; {request.mimetype[:60] or 'no type'} came. Set Content-Type."
        )


def json_body(*allowed: str) -> dict[str, Any]:
    """The body's object, {} where it is empty.

    Raises: ProtocolError: it is no object, has other keys than `allowed`, or holds null.
    """
    try:
        body = json.loads(request.get_data(cache=False) or b"{}")
    except (ValueError, RecursionError) as exc:
        raise ProtocolError("The body is no JSON text. Send an object such as {}.") from exc
    if not isinstance(body, dict):
        raise ProtocolError(f"The body must be an object; {type(body).__name__} came.")
    unknown = sorted(body.keys() - set(allowed))
    if unknown:
        raise ProtocolError(f"The body has {unknown[0]!r:.60}; allowed: {', '.join(allowed) or 'nothing'}.")
    empty = sorted(name for name, value in body.items() if value is None)
    if empty:
        raise ProtocolError(f"{empty[0]} is null. Leave it out to keep what is stored.")
    return body


def seconds_of(value: object) -> float:
    """A time in seconds from a body. Raises ProtocolError: it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"at_s must be a number of seconds; {type(value).__name__} came.")
    try:
        return float(value)
    except OverflowError as exc:
        raise ProtocolError("at_s is too large a number.") from exc


def face_of(value: object) -> int:
    """A face's number from a body. Raises ProtocolError: it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProtocolError(f"same_as must be the number of a face; {type(value).__name__} came.")
    return value


def number_argument(name: str, default: float, *, low: float, high: float) -> float:
    """A number from the address. Raises InvalidValueError: it is none, or out of range."""
    text = request.args.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise InvalidValueError(f"{name} is {text!r:.60}; allowed: {low:g} to {high:g}.")
    return number


def whole_argument(name: str, *, low: int, high: int) -> int | None:
    """A whole number from the address; None where it is absent. Raises InvalidValueError."""
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and low <= int(text) <= high):
        raise InvalidValueError(f"{name} is {text!r:.60}; allowed: {low} to {high}.")
    return int(text)


def flag_argument(name: str) -> bool:
    """Tell whether the address has name=1. Raises InvalidValueError: it has something else."""
    text = request.args.get(name, "0")
    if text not in ("0", "1"):
        raise InvalidValueError(f"{name} is {text!r:.60}; allowed: 0 and 1.")
    return text == "1"


def choice_argument(name: str, allowed: Sequence[str]) -> str:
    """One of `allowed`, the first where the address says nothing. Raises InvalidValueError."""
    text = request.args.get(name, allowed[0])
    if text not in allowed:
        raise InvalidValueError(f"{name} is {text!r:.60}; allowed: {', '.join(allowed)}.")
    return text


def day_argument(name: str, *, days_later: int = 0) -> datetime.datetime | None:
    """The UTC midnight that begins a day YYYY-MM-DD, or a later one; None where it is absent."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text) + datetime.timedelta(days=days_later)
    except (ValueError, OverflowError) as exc:
        raise InvalidValueError(f"{name} is {text!r:.60}; it must be a day such as 2026-03-31.") from exc
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)
