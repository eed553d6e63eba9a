"""Exports in the column layouts of other tools, so that scripts written for those can read a session.

Only what was measured is filled. A column that we cannot fill is there and empty, so that a script that names
it still runs; docs/history_exports.md lists them.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from fer_web.history.delimited_files import (
    Column,
    columns_of,
    constant,
    emptied,
    header_of,
    label_names,
    lines_of,
    missing_in,
    scores_of,
)
from fer_web.history.people import People
from fer_web.history.types import Marker, SampleTable, Session
from fer_web.inference.affect import valence_arousal
from fer_web.labels import EMOTIONS
from fer_web.metrics.spreadsheet_text import csv_cell, tab_cell

# Py-Feat 0.6, https://py-feat.org: the columns of a Fex table, without landmarks and identity vectors.
_PYFEAT_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 17, 20, 23, 24, 25, 26, 28, 43)
_PYFEAT_NAMES = dict(
    zip(EMOTIONS, ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), strict=True)
)
PYFEAT_COLUMNS = (
    Column("frame", "%d"),
    *(Column(f"FaceRect{side}", "%.6g") for side in ("X", "Y", "Width", "Height")),
    *(Column(name) for name in ("FaceScore", "Pitch", "Roll", "Yaw")),
    *(Column(f"AU{number:02d}") for number in _PYFEAT_AUS),
    *(Column(name, "%.6f") for name in _PYFEAT_NAMES.values()),
    Column("approx_time", "%s"),
    Column("Identity", "Person_%d"),
)

# OpenFace 2.2, https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format, without landmarks and shape.
_OPENFACE_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
OPENFACE_COLUMNS = (
    Column("frame", "%d"),
    Column("face_id", "%d"),
    Column("timestamp", "%.3f"),
    Column("confidence"),
    Column("success", "1"),
    *(Column(f"gaze_{eye}_{axis}") for eye in (0, 1) for axis in "xyz"),
    *(Column(f"gaze_angle_{axis}") for axis in "xy"),
    *(Column(f"pose_{kind}{axis}") for kind in "TR" for axis in "xyz"),
    *(Column(f"AU{number:02d}_r") for number in _OPENFACE_AUS),
    *(Column(f"AU{number:02d}_c") for number in sorted((*_OPENFACE_AUS, 28))),
    *(Column(f"emotion_{name}", "%.6f") for name in EMOTIONS),
    Column("emotion_label", "%s"),
)

# FaceReader's detailed log: its order and its names of our EMOTIONS.
_FACEREADER_NAMES = {
    "Neutral": "neutral",
    "Happy": "happy",
    "Sad": "sad",
    "Angry": "angry",
    "Surprised": "surprise",
    "Scared": "fear",
    "Disgusted": "disgust",
}
_NEGATIVE = [EMOTIONS.index(name) for name in ("sad", "angry", "fear", "disgust")]
FACEREADER_COLUMNS = (
    Column("Video Time", "%s"),
    *(Column(name, "%.6f") for name in _FACEREADER_NAMES),
    Column("Valence", "%.6f"),
    Column("Arousal", "%.6f"),
    Column("Participant Name", "%s"),
    Column("Event Marker", "%s"),
)


def pyfeat_csv(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """The columns of Py-Feat's Fex tables.

    Filled: frame (counts moments from 0), FaceRect* (parts of the frame's width and height, not pixels: sizes
    are not stored), the seven emotions, input (the session's name), approx_time and Identity (the person).
    Empty: FaceScore, Pitch, Roll, Yaw and the AUs. Left out: landmarks and identity vectors.
    """
    columns = (*PYFEAT_COLUMNS, Column("input", constant(csv_cell(session.name))))
    columns = emptied(columns, [_PYFEAT_NAMES[name] for name in missing_in(session)])
    yield header_of(columns).encode()
    moments, people = _Moments(first=0), People(session.people)
    for table in tables:
        values = (
            moments.of(table),
            *columns_of(table.box),
            *scores_of(session, table),
            [_minutes(at_s) for at_s in table.at_s.tolist()],
            people.merged(table).face.tolist(),
        )
        yield lines_of(columns, values)


def openface_csv(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """The columns of OpenFace's FeatureExtraction, with our scores after them: OpenFace names no emotions.

    Filled: frame (counts moments from 1), face_id, timestamp (s), success (1: each row is a face that was
    found), emotion_*. Empty: confidence (OpenFace's is that of its landmarks), gaze, pose, AUs. Left out:
    landmarks and shape parameters.
    """
    columns = emptied(OPENFACE_COLUMNS, [f"emotion_{name}" for name in missing_in(session)])
    yield header_of(columns).encode()
    moments, people = _Moments(first=1), People(session.people)
    for table in tables:
        values = (
            moments.of(table),
            people.merged(table).face.tolist(),
            table.at_s.tolist(),
            *scores_of(session, table),
            label_names(table),
        )
        yield lines_of(columns, values)


def facereader_log(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """FaceReader's detailed log: a head, then tab-separated lines.

    Filled: Video Time, the seven expressions, Valence (Happy less the highest of Sad, Angry, Scared and
    Disgusted, as FaceReader defines it), Arousal (derived from the expressions, and 0 where they are calm:
    FaceReader's, computed from action units, goes from 0 to 1), Participant Name (the person), Event Marker
    (markers since the line before).
    """
    yield _facereader_head(session)
    events, people = _Events(session.markers), People(session.people)
    missing = missing_in(session)
    columns = emptied(
        FACEREADER_COLUMNS, [name for name, ours in _FACEREADER_NAMES.items() if ours in missing]
    )
    for table in tables:
        valence = table.scores[:, EMOTIONS.index("happy")] - table.scores[:, _NEGATIVE].max(axis=1, initial=0)
        arousal = valence_arousal(table.scores)[:, 1].clip(0, 1)
        values = (
            [_clock(at_s) for at_s in table.at_s.tolist()],
            *scores_of(session, table, list(_FACEREADER_NAMES.values())),
            valence.tolist(),
            arousal.tolist(),
            [tab_cell(name) for name in people.names_of(table, "Face {}")],
            [events.until(at_s) for at_s in table.at_s.tolist()],
        )
        yield lines_of(columns, values, "\t")


def _facereader_head(session: Session) -> bytes:
    start = session.started_at
    lines = (
        "Video analysis detailed log",
        "",
        "Face Model\tGeneral",
        "Calibration\t-",
        f"Start time\t{start.month}/{start.day}/{start:%Y %H:%M:%S}.{start.microsecond // 1000:03d}",
        f"Filename\t{tab_cell(session.name)}",
        f"Frame rate\t{session.sample_hz:.9f}",
        "",
    )
    return ("".join(f"{line}\r\n" for line in lines) + header_of(FACEREADER_COLUMNS, "\t")).encode()


def _minutes(at_s: float) -> str:
    """mm:ss, as Py-Feat writes times; an hour is 60:00."""
    return f"{int(at_s) // 60:02d}:{int(at_s) % 60:02d}"


def _clock(at_s: float) -> str:
    """hh:mm:ss.mmm"""
    total_ms = round(at_s * 1000)
    minutes, rest_ms = divmod(total_ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest_ms // 1000:02d}.{rest_ms % 1000:03d}"


class _Moments:
    """Numbers the moments of a session; faces of one moment have the same number."""

    def __init__(self, first: int) -> None:
        self._number = first - 1
        self._at_s = math.nan  # differs from every time

    def of(self, table: SampleTable) -> list[int]:
        is_new = np.diff(table.at_s, prepend=self._at_s) != 0
        numbers: list[int] = (self._number + np.cumsum(is_new)).tolist()
        if numbers:
            self._number, self._at_s = numbers[-1], float(table.at_s[-1])
        return numbers


class _Events:
    """The texts of the markers, each handed out once."""

    def __init__(self, markers: Iterable[Marker]) -> None:
        self._waiting = sorted(markers, key=lambda marker: marker.at_s, reverse=True)

    def until(self, at_s: float) -> str:
        texts = []
        while self._waiting and self._waiting[-1].at_s <= at_s:
            texts.append(self._waiting.pop().text)
        return tab_cell("; ".join(texts))
