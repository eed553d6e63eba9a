import csv

import numpy as np
import pytest

from fer_web.history.profiles import (
    FACEREADER_COLUMNS,
    OPENFACE_COLUMNS,
    PYFEAT_COLUMNS,
    facereader_log,
    openface_csv,
    pyfeat_csv,
)
from fer_web.history.types import Marker
from fer_web.labels import EMOTIONS
from tests.support.sample_tables import chunks, random_table, table_of
from tests.support.servers import ROOT
from tests.support.sessions import session_with

TABLE = table_of(
    [(0.0, 1, "happy", 0.9), (0.0, 2, "sad", 0.8), (0.2, 1, "neutral", 0.7), (3661.25, 2, "fear", 0.6)]
)


def read(write, session=None, table=TABLE, size=3):
    text = b"".join(write(session or session_with(), chunks(table, size))).decode()
    return text.split("\r\n")


def rows(lines, delimiter=","):
    return list(csv.DictReader(lines, delimiter=delimiter))


def test_pyfeat_fills_what_was_measured():
    found = rows(read(pyfeat_csv))
    assert [row["frame"] for row in found] == ["0", "0", "1", "2"]
    assert [row["Identity"] for row in found] == ["Person_1", "Person_2", "Person_1", "Person_2"]
    assert [row["approx_time"] for row in found] == ["00:00", "00:00", "00:00", "61:01"]
    assert found[0]["happiness"] == "0.900000"
    assert found[1]["sadness"] == "0.800000"
    assert found[3]["fear"] == "0.600000"
    assert [found[0][f"FaceRect{side}"] for side in ("X", "Y", "Width", "Height")] == [
        "0.1",
        "0.2",
        "0.3",
        "0.4",
    ]
    assert found[0]["input"] == "A film"
    assert {found[0][name] for name in ("AU01", "AU43", "Pitch", "FaceScore")} == {""}


def test_pyfeat_emotions_are_in_our_order_under_their_names():
    names = [c.name for c in PYFEAT_COLUMNS if c.pattern == "%.6f"]
    assert names == ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    assert [name[:3] for name in names] == [{"happy": "hap"}.get(e, e[:3]) for e in EMOTIONS]


def test_openface_fills_what_was_measured():
    found = rows(read(openface_csv))
    assert list(found[0])[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert [row["frame"] for row in found] == ["1", "1", "2", "3"]
    assert [row["face_id"] for row in found] == ["1", "2", "1", "2"]
    assert [row["timestamp"] for row in found] == ["0.000", "0.000", "0.200", "3661.250"]
    assert {row["success"] for row in found} == {"1"}
    assert found[0]["emotion_happy"] == "0.900000"
    assert found[0]["emotion_label"] == "happy"
    assert {found[0][name] for name in ("confidence", "gaze_0_x", "pose_Rz", "AU45_r", "AU28_c")} == {""}


def test_openface_has_its_17_intensities_and_18_presences():
    names = [column.name for column in OPENFACE_COLUMNS]
    assert sum(name.startswith("AU") and name.endswith("_r") for name in names) == 17
    assert sum(name.startswith("AU") and name.endswith("_c") for name in names) == 18


def test_facereader_is_its_detailed_log():
    markers = (
        Marker("a", 0.1, "laughs\tout"),
        Marker("b", 0.15, "=1+1"),
        Marker("c", 9999.0, "after the end"),
    )
    lines = read(facereader_log, session_with(name="=A film", markers=markers))
    assert lines[0] == "Video analysis detailed log"
    assert "Start time\t3/4/2026 05:06:07.890" in lines
    assert "Filename\t'=A film" in lines
    found = rows(lines[lines.index("") + 7 :], "\t")
    assert list(found[0])[:8] == [
        "Video Time", "Neutral", "Happy", "Sad", "Angry", "Surprised", "Scared", "Disgusted",
    ]  # fmt: skip
    assert [row["Video Time"] for row in found] == [
        "00:00:00.000",
        "00:00:00.000",
        "00:00:00.200",
        "01:01:01.250",
    ]
    assert found[0]["Happy"] == "0.900000"
    assert found[1]["Sad"] == "0.800000"
    assert found[3]["Scared"] == "0.600000"
    assert [row["Participant Name"] for row in found] == ["Face 1", "Face 2", "Face 1", "Face 2"]
    assert [row["Event Marker"] for row in found] == ["", "", "laughs out; =1+1", ""]
    assert [float(row["Arousal"]) for row in found] == pytest.approx(
        [0.51 * 0.9 + 1.94 * 0.1 / 6, 0.0, 0.27, 0.4], abs=1
    )


def test_facereader_valence_is_happy_less_the_strongest_negative_one():
    table = random_table(20, 1)
    lines = read(facereader_log, table=table)
    found = rows(lines[lines.index("") + 7 :], "\t")
    worst = np.max([table.scores[:, EMOTIONS.index(e)] for e in ("sad", "angry", "fear", "disgust")], axis=0)
    expected = table.scores[:, EMOTIONS.index("happy")] - worst
    np.testing.assert_allclose([float(row["Valence"]) for row in found], expected, atol=1e-6)


@pytest.mark.parametrize(
    "column", [c.name for c in (*PYFEAT_COLUMNS, *OPENFACE_COLUMNS, *FACEREADER_COLUMNS) if c.pattern]
)
def test_every_filled_column_is_documented(column):
    assert f"`{column}`" in (ROOT / "docs" / "history_exports.md").read_text()
