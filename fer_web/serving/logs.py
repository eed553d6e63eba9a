"""The server's log: lines of text or JSON, with time and request; at a bounded rate, and without what opens
anything."""

import contextvars
import datetime
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

from fer_web.rate_limit import TokenBucket

LINES_PER_S: Final = 10.0
"""Lines of one logger and level, on average: what a client can cause fills no disk."""

LINES_BURST: Final = 100
"""So many may come at once."""

_MAX_KINDS: Final = 500
"""Loggers and levels that are counted apart."""

_MAX_LINE: Final = 8000
"""Characters of a record that are written."""

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""Of the HTTP request that is being answered; empty outside of one."""

_SECRETS: Final = (
    (re.compile(r"(/l/)[^/\s?\"'#]+"), r"\1***"),
    (re.compile(r"([?&](?:host|token|key|sid|share|link)=)[^&\s\"'#]+"), r"\1***"),
    (re.compile(r"\b(bearer\s+)\S+", re.IGNORECASE), r"\1***"),
    (re.compile(r"\bfer_[A-Za-z0-9_-]{20,}"), "fer_***"),
    (re.compile(r"(\b(?:set-)?cookie:\s*).*", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\w+://[^/\s:@]*:)[^@\s]+@"), r"\1***@"),
)
"""Tokens of links, of the host and of programs, cookies, and passwords in addresses."""


def without_secrets(text: str) -> str:
    """The text with *** in the place of what opens something."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class BoundedRate(logging.Filter):
    """Leaves out lines of a logger and level that come too fast, and says how many with the next one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._buckets: dict[tuple[str, int], TokenBucket] = {}
        self._left_out: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging.Filter."""
        kind = (record.name, record.levelno) if len(self._buckets) < _MAX_KINDS else ("", 0)
        with self._lock:
            bucket = self._buckets.setdefault(kind, TokenBucket(LINES_PER_S, self._clock, LINES_BURST))
            if not bucket.take():
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return False
            record.left_out = self._left_out.pop(kind, 0)
        return True


class TextLines(logging.Formatter):
    """One record: time in UTC, level, logger, message, and the request where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter. Continued lines, as of a traceback, are indented: one head a record."""
        text = without_secrets(super().format(record))[:_MAX_LINE].replace("\n", "\n  ")
        request = f" [{found}]" if (found := request_id.get()) else ""
        return f"{_time_of(record)} {record.levelname} {record.name}: {text}{request}{_left_out(record)}"


class JsonLines(logging.Formatter):
    """One record as a line of JSON: time, level, logger, message; request, error, left_out where known."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        error = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        fields: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage())[:_MAX_LINE],
            "request": request_id.get(),
            "error": without_secrets(error or "")[:_MAX_LINE],
            "left_out": getattr(record, "left_out", 0),
        }
        fields.update(getattr(record, "facts", {}))
        return json.dumps({name: value for name, value in fields.items() if value != "" and value != 0})


def begin_log(log_format: str, stream: TextIO | None = None) -> None:
    """Let all loggers of the process write to a stream, standard error by default.

    Args: log_format: text or json.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(BoundedRate())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _time_of(record: logging.LogRecord) -> str:
    moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _left_out(record: logging.LogRecord) -> str:
    count = getattr(record, "left_out", 0)
    return f" ({count} lines of this kind before it were left out)" if count else ""
