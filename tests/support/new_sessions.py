"""Sessions that begin, and their samples."""

import datetime

import numpy as np

from fer_web.history.types import NewSession, Sample

START = datetime.datetime(2026, 3, 4, 5, 6, 7, 891_000, datetime.UTC)
HAPPY, SAD = 3, 4


def new_session(name="", owner="ann", started_at=START, **changes):
    return NewSession(owner, name, started_at, "flagship", "abc", 5.0, {"smoothing_s": 0.25}, **changes)


def sample(at_s, face=1, label=HAPPY, is_sure=True):
    scores = tuple(float(np.float32(0.9 if i == label else 0.1 / 6)) for i in range(7))
    return Sample(at_s, face, (0.25, -0.5, 0.125, 0.5), scores, label, 0.75, is_sure)
