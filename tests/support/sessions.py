"""Sessions for tests."""

import datetime

from fer_web.history.types import Marker, Session

STARTED = datetime.datetime(2026, 3, 4, 5, 6, 7, 890_000, datetime.UTC)


def session_with(**changes):
    """A finished session."""
    values = {
        "id": "abc123",
        "owner": "someone",
        "name": "A film",
        "state": "finished",
        "source": "camera",
        "started_at": STARTED,
        "length_s": 60.0,
        "faces": 2,
        "samples": 0,
        "strip": (None,) * 60,
        "notes": "Two lines\nof notes",
        "tags": ("film", "evening"),
        "model_name": "flagship",
        "model_hash": "0123abcd",
        "sample_hz": 5.0,
        "settings": {"smoothing_s": 0.25},
        "markers": (Marker("m1", 1.5, "laughs"),),
    }
    return Session(**{**values, **changes})
