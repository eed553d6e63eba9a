"""Sample tables for tests."""

from dataclasses import replace

import numpy as np

from fer_web.history.sample_tables import rows_of
from fer_web.history.types import NOT_TOLD, SampleTable
from fer_web.labels import EMOTIONS


def table_of(rows):
    """A table from (at_s, face, label name or "unsure", confidence) rows, the rest of 1 shared out."""
    n = len(rows)
    label = np.array([0 if row[2] == "unsure" else EMOTIONS.index(row[2]) for row in rows], np.int8)
    confidence = np.array([row[3] if len(row) > 3 else 0.9 for row in rows], np.float32)
    scores = np.repeat((1 - confidence)[:, None] / 6, 7, axis=1)
    scores[np.arange(n), label] = confidence
    return SampleTable(
        at_s=np.array([row[0] for row in rows], np.float64),
        face=np.array([row[1] for row in rows], np.int32),
        box=np.tile(np.array([0.1, 0.2, 0.3, 0.4], np.float32), (n, 1)),
        scores=scores.astype(np.float32).reshape(n, 7),
        label=label,
        confidence=confidence,
        is_sure=np.array([row[2] != "unsure" for row in rows], np.bool_),
        rival=np.full(n, NOT_TOLD, np.int8),
        reason=np.full(n, NOT_TOLD, np.int8),
    )


def random_table(seconds, faces, sample_hz=5.0, seed=0):
    """Every face sampled all the time: seconds * faces * sample_hz rows in the order of time, then face."""
    rng = np.random.default_rng(seed)
    moments = round(seconds * sample_hz)
    n = moments * faces
    scores = rng.dirichlet(np.full(7, 0.4), n).astype(np.float32)
    is_sure = scores.max(axis=1) > 0.4
    others = np.random.default_rng((seed, 1))
    told = [np.where(is_sure, NOT_TOLD, others.integers(-1, 7, n)).astype(np.int8) for _ in range(2)]
    return SampleTable(
        at_s=np.repeat(np.arange(moments) / sample_hz + rng.uniform(0, 0.02, moments), faces),
        face=np.tile(np.arange(1, faces + 1, dtype=np.int32), moments),
        box=rng.uniform(-0.02, 0.9, (n, 4)).astype(np.float32),
        scores=scores,
        label=scores.argmax(axis=1).astype(np.int8),
        confidence=scores.max(axis=1),
        is_sure=is_sure,
        rival=told[0],
        reason=told[1],
    )


def lifelike_table(seconds, faces, sample_hz=5.0, seed=0):
    """The same, each face keeping an expression for about four seconds."""
    table = random_table(seconds, faces, sample_hz, seed)
    kept = np.arange(len(table)) // faces // round(4 * sample_hz) * round(4 * sample_hz) * faces
    kept = np.minimum(kept + table.face - 1, len(table) - 1)
    scores = (0.8 * table.scores[kept] + 0.2 * table.scores).astype(np.float32)
    label, confidence = scores.argmax(axis=1).astype(np.int8), scores.max(axis=1)
    return replace(table, scores=scores, label=label, confidence=confidence, is_sure=confidence > 0.4)


def chunks(table, size=2000):
    """The table in parts, as the repository hands it out."""
    for start in range(0, len(table), size):
        yield rows_of(table, slice(start, start + size))


def assert_equal_tables(left, right):
    """Every column equal, bit for bit."""
    for name in SampleTable.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
