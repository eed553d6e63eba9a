import csv
import io
import json
import tracemalloc

import numpy as np
import pyarrow.parquet
import pytest

from fer_web.errors import InvalidValueError
from fer_web.history import parquet
from fer_web.history.csv_reader import read_csv
from fer_web.history.export import CSV_COLUMNS, FORMATS, export_format, file_name
from fer_web.history.json_reader import LOCAL_LIMITS
from fer_web.inference.affect import valence_arousal
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS
from fer_web.metrics.spreadsheet_text import csv_cell, neutral_text, tab_cell
from tests.support.sample_tables import assert_equal_tables, chunks, random_table, table_of
from tests.support.servers import ROOT
from tests.support.sessions import session_with


def exported(name, session, tables):
    return b"".join(FORMATS[name].write(session, tables))


def csv_rows(name, session, tables):
    return list(csv.DictReader(io.StringIO(exported(name, session, tables).decode(), newline="")))


def test_csv_has_one_line_for_each_face_and_sample_with_the_documented_columns():
    table = table_of([(0.0, 1, "happy", 0.9), (0.2, 1, "unsure", 0.4), (0.2, 2, "sad", 0.8)])
    rows = csv_rows("csv", session_with(), [table])
    assert [row["at_s"] for row in rows] == ["0.000", "0.200", "0.200"]
    assert [row["utc"] for row in rows][:2] == ["2026-03-04T05:06:07.890Z", "2026-03-04T05:06:08.090Z"]
    assert [row["face"] for row in rows] == ["1", "1", "2"]
    assert rows[0]["session"] == "abc123"
    assert (rows[0]["label"], rows[0]["sure"], rows[1]["sure"]) == ("happy", "1", "0")
    assert [float(rows[0][side]) for side in ("left", "top", "width", "height")] == [0.1, 0.2, 0.3, 0.4]
    assert sum(float(rows[0][emotion]) for emotion in EMOTIONS) == pytest.approx(1, abs=1e-5)
    assert float(rows[2]["confidence"]) == pytest.approx(0.8)


def test_csv_has_what_is_derived_from_the_scores():
    table = table_of([(0.0, 1, "happy", 0.6), (0.2, 1, "neutral", 1.0)])
    table.scores[0] = 0
    table.scores[0, [EMOTIONS.index("happy"), EMOTIONS.index("surprise")]] = 0.6, 0.4
    first, second = csv_rows("csv", session_with(), [table])
    assert (first["valence"], first["arousal"]) == ("0.646000", "0.574000")
    assert (first["intensity"], first["second"]) == ("1.000000", "surprise")
    assert (second["valence"], second["intensity"], second["second"]) == ("0.000000", "0.000000", "")


def test_what_the_network_could_not_name_is_empty_in_every_table():
    session = session_with(settings={"missing": ["disgust", "fear"]})
    table = table_of([(0.0, 1, "happy", 0.6), (0.2, 1, "neutral", 1.0)])
    (first, _) = csv_rows("csv", session, [table])
    assert (first["disgust"], first["fear"], first["happy"][:4]) == ("", "", "0.60")
    (first, _) = csv_rows("pyfeat", session, [table])
    assert (first["disgust"], first["fear"], first["happiness"][:4]) == ("", "", "0.60")
    (first, _) = csv_rows("openface", session, [table])
    assert (first["emotion_fear"], first["emotion_happy"][:4]) == ("", "0.60")
    log = exported("facereader", session, [table]).decode().split("\r\n")
    names, cells = (line.split("\t") for line in log[-4:-2])
    row = dict(zip(names, cells, strict=True))
    assert (row["Scared"], row["Disgusted"], row["Happy"][:4]) == ("", "", "0.60")
    read = pyarrow.parquet.read_table(io.BytesIO(exported("parquet", session, [table])))
    assert read["fear"].to_pylist() == [None, None]
    assert read["happy"].to_pylist()[0] == pytest.approx(0.6)


def test_a_table_with_empty_expressions_is_read_back():
    session = session_with(settings={"missing": ["disgust", "fear"]})
    table = table_of([(0.0, 1, "happy", 0.6), (0.2, 1, "neutral", 1.0)])
    table.scores[:, [EMOTIONS.index("disgust"), EMOTIONS.index("fear")]] = 0
    text = exported("csv", session, [table]).decode()
    read, back = read_csv(io.BytesIO(text.encode()), LOCAL_LIMITS)
    assert read.settings == {"missing": ["disgust", "fear"]}
    np.testing.assert_allclose(back.scores, table.scores, atol=1e-5)


@pytest.mark.parametrize("name", ["csv", "pyfeat", "openface", "facereader"])
def test_text_formats_without_samples_have_only_their_header(name):
    text = exported(name, session_with(), []).decode()
    assert text.endswith("\r\n")
    assert len(exported(name, session_with(), chunks(random_table(2, 1)))) > len(text)


@pytest.mark.parametrize("column", [column.name for column in CSV_COLUMNS])
def test_every_csv_column_is_documented(column):
    assert f"`{column}`" in (ROOT / "docs" / "history_exports.md").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_documented(name):
    assert f"`{name}`" in (ROOT / "docs" / "history_exports.md").read_text()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff20"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(start):
    text = f'{start}cmd|"/c calc"'
    assert neutral_text(text) == f"'{text}"
    row = next(csv.reader(io.StringIO(csv_cell(text), newline="")))
    assert row == [f"'{text}"]
    assert tab_cell(text)[0] == "'"
    assert "\t" not in tab_cell(text)


def test_numbers_stay_numbers():
    table = random_table(3, 1)
    table.box[:] = -0.02
    assert {row["left"] for row in csv_rows("csv", session_with(), [table])} == {"-0.02"}


@pytest.mark.parametrize("name", ["csv", "pyfeat"])
def test_text_cells_of_a_session_are_neutralised(name):
    hostile = '=HYPERLINK("http://x","50%s"),\n'
    text = exported(name, session_with(id=hostile, name=hostile), [random_table(1, 1)]).decode()
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert f"'{hostile}" in cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_json_holds_all_of_the_session_and_a_count():
    table = random_table(10, 2)
    data = json.loads(exported("json", session_with(), chunks(table, 7)))
    assert data["schema_version"] == 3
    assert data["sample_count"] == len(data["samples"]) == len(table)
    assert data["session"]["started_at"] == "2026-03-04T05:06:07.890Z"
    assert data["session"]["markers"] == [{"at_s": 1.5, "text": "laughs"}]
    assert data["session"]["notes"] == "Two lines\nof notes"
    first = dict(zip(data["columns"], data["samples"][0], strict=True))
    assert first["label"] == EMOTIONS[table.label[0]]
    assert np.float32(first["angry"]) == table.scores[0, 0]
    valence, arousal = valence_arousal(table.scores[0])
    assert (first["valence"], first["arousal"]) == (
        pytest.approx(valence, abs=1e-3),
        pytest.approx(arousal, abs=1e-3),
    )
    for name, known in (("second", EMOTIONS), ("rival", EMOTIONS), ("reason", REASONS)):
        column = data["columns"].index(name)
        assert {None} < {row[column] for row in data["samples"]} <= {None, *known}


def test_json_without_samples_is_whole():
    assert json.loads(exported("json", session_with(), []))["samples"] == []


def test_parquet_holds_the_columns_of_the_csv_as_they_are_stored():
    table = random_table(30, 3)
    read = pyarrow.parquet.read_table(io.BytesIO(exported("parquet", session_with(), chunks(table, 100))))
    assert read.column_names == [column.name for column in CSV_COLUMNS]
    np.testing.assert_array_equal(read["happy"].to_numpy(), table.scores[:, EMOTIONS.index("happy")])
    np.testing.assert_array_equal(read["at_s"].to_numpy(), table.at_s)
    np.testing.assert_array_equal(read["sure"].to_numpy(), table.is_sure)
    assert read["label"].to_pylist() == [EMOTIONS[label] for label in table.label]
    assert read["utc"][0].as_py().tzinfo is not None
    np.testing.assert_array_equal(read["arousal"].to_numpy(), valence_arousal(table.scores)[:, 1])
    assert set(read["second"].to_pylist()) > {"", "happy"}
    assert read.schema.metadata[b"name"] == b"A film"


def test_parquet_without_samples_is_a_file_without_rows():
    assert pyarrow.parquet.read_table(io.BytesIO(exported("parquet", session_with(), []))).num_rows == 0


def test_parquet_without_pyarrow_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(parquet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidValueError, match=r"requirements-parquet\.txt"):
        export_format("parquet")


def test_the_file_that_the_message_names_pins_pyarrow():
    assert "pyarrow==" in (ROOT / "requirements-parquet.txt").read_text()


def test_unknown_format_lists_the_known_ones():
    with pytest.raises(InvalidValueError, match=r"'xls'.*csv, json, parquet, pyfeat, openface, facereader"):
        export_format("xls")


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("A film", "csv", "2026-03-04-050607-a-film.csv"),
        ("", "json", "2026-03-04-050607.json"),
        ('../../etc "x"\r\nA: b', "pyfeat", "2026-03-04-050607-etc-x-a-b-pyfeat.csv"),
        ("ž" * 200, "facereader", "2026-03-04-050607-facereader.txt"),
    ],
)
def test_file_name_is_safe_everywhere(name, wanted, expected):
    assert file_name(session_with(name=name), FORMATS[wanted]) == expected


@pytest.mark.parametrize("name", FORMATS)
def test_an_hour_of_five_faces_is_exported_in_constant_memory(name):
    hour = random_table(3600, 5)
    minute = random_table(60, 5)

    def peak_of(table):
        parts = chunks(table)
        tracemalloc.start()
        try:
            size = sum(len(part) for part in FORMATS[name].write(session_with(), parts))
            return tracemalloc.get_traced_memory()[1], size
        finally:
            tracemalloc.stop()

    peak_of(minute)
    (small, _), (large, size) = peak_of(minute), peak_of(hour)
    assert size > 1_000_000
    assert large < small + 30_000_000
    if name != "parquet":  # which collects 20,000 rows, so that they can be compressed
        assert large < small + 4_000_000


def test_chunks_make_no_difference():
    table = random_table(60, 3)
    for name in set(FORMATS) - {"parquet"}:
        assert exported(name, session_with(), chunks(table, 7)) == exported(name, session_with(), [table])
    rows = csv_rows("csv", session_with(), chunks(table, 7))
    assert_equal_tables(table, table)
    assert len(rows) == len(table)
