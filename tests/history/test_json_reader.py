import io
import json
import tracemalloc
from dataclasses import replace

import ijson
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_web.errors import ImportRefusedError
from fer_web.history import json_reader as importing
from fer_web.history.export import AFFECT_COLUMNS, JSON_COLUMNS, TOLD_COLUMNS, json_file
from fer_web.history.json_reader import read_export
from fer_web.history.types import NOT_TOLD, Marker, SampleTable
from fer_web.labels import EMOTIONS
from tests.support.sample_tables import assert_equal_tables, chunks, random_table, table_of
from tests.support.sessions import session_with


def export_of(table, session=None, size=2000):
    return b"".join(json_file(session or session_with(), chunks(table, size)))


def read(data):
    return read_export(io.BytesIO(data))


def changed(change):
    """An export of two samples after `change` did something to it."""
    data = json.loads(export_of(table_of([(0.0, 1, "happy"), (0.2, 1, "sad")])))
    change(data)
    return json.dumps(data).encode()


def test_an_export_is_read_back_equal():
    table = random_table(40, 3)
    session, read_table = read(export_of(table))
    assert_equal_tables(read_table, table)
    for name in ("name", "state", "source", "started_at", "length_s", "notes", "sample_hz", "settings"):
        assert getattr(session, name) == getattr(session_with(), name)
    assert tuple(session.tags) == session_with().tags
    assert [(marker.at_s, marker.text) for marker in session.markers] == [(1.5, "laughs")]


@pytest.mark.parametrize(("version", "columns"), [(1, 16), (2, 20), (3, 22)])
def test_a_file_of_an_older_version_is_read_with_what_it_has(version, columns):
    def as_older(data):
        data.update(schema_version=version, columns=data["columns"][:columns])
        data["samples"] = [row[:columns] for row in data["samples"]]

    old, new = read(changed(as_older))[1], read(changed(lambda data: None))[1]
    if version < 3:
        new = replace(new, rival=np.full(len(new), NOT_TOLD), reason=np.full(len(new), NOT_TOLD))
    assert_equal_tables(old, new)


def test_what_is_derived_is_made_anew_and_not_believed():
    def lie(data):
        data["samples"][0][16:20] = [-1, 1, 0.5, "fear"]

    assert_equal_tables(read(changed(lie))[1], read(changed(lambda data: None))[1])


@pytest.mark.parametrize("value", ["0.5", None, True, [1]])
def test_a_derived_value_of_another_kind_is_refused(value):
    with pytest.raises(ImportRefusedError, match="sample 1 does not hold 22 values"):
        read(changed(lambda data: data["samples"][1].__setitem__(ALL_COLUMNS.index("arousal"), value)))


def test_an_export_without_samples_is_read_back():
    assert len(read(export_of(random_table(0, 1)))[1]) == 0


def test_an_export_is_stored_equal_by_each_database(repository):
    table = random_table(500, 3)
    table.at_s[:] = table.at_s.round(3)
    marker = Marker("", 1.5, "<b>laughs</b> 😀")
    first = repository.import_session(session_with(name='"A" % film', markers=(marker,)), "ann", [table])
    exported = b"".join(json_file(first, repository.iter_samples(first.id, "ann", chunk=700)))
    session, read_table = read(exported)
    second = repository.import_session(session, "bob", [read_table])
    assert_equal_tables(repository.read_samples(second.id, "bob"), table)
    again = b"".join(json_file(second, repository.iter_samples(second.id, "bob")))
    assert again.replace(second.id.encode(), b"") == exported.replace(first.id.encode(), b"")


@pytest.mark.parametrize("rows", [1, 4999, 5000, 5001, 10_000])
def test_any_number_of_samples_is_read_back(rows):
    table = random_table(rows / 5, 1)
    assert_equal_tables(read(export_of(table))[1], table)


FLOAT32 = st.floats(0, 1, width=32)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 10**9).map(lambda ms: ms / 1000),
        st.integers(0, 2**31 - 1),
        st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4),
        st.lists(FLOAT32, min_size=7, max_size=7),
        st.integers(0, 6),
        FLOAT32,
        st.booleans(),
        st.integers(-1, 6),
        st.integers(-1, 6),
    ),
    max_size=20,
    unique_by=lambda row: row[:2],
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(ROWS, TEXT, TEXT, st.integers(1, 9))
@settings(deadline=None)
def test_any_session_survives_export_and_import(rows, name, notes, size):
    table = table_from(sorted(rows, key=lambda row: row[:2]))
    session, read_table = read(export_of(table, session_with(name=name, notes=notes), size))
    assert_equal_tables(read_table, table)
    assert (session.name, session.notes) == (name, notes)


def table_from(rows):
    empty = random_table(0, 1)
    if not rows:
        return empty
    columns = zip(vars(empty).values(), zip(*rows, strict=True), strict=True)
    return SampleTable(*(np.array(values, like.dtype) for like, values in columns))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b"{}",
        b"\x00\xff\xfe",
        b"at_s,utc\r\n1,2",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"schema_version": 1} {}',
        b'{"schema_version": 1, "samples": NaN}',
        b'{"schema_version": 1e999}',
        b'{"schema_version": 99999999999999999999999}',
        b'{"\xff": 1}',
    ],
)
def test_what_is_no_export_is_refused(data):
    with pytest.raises(ImportRefusedError):
        read(data)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(part):
    data = export_of(random_table(20, 2))
    with pytest.raises(ImportRefusedError, match="complete JSON"):
        read(data[: int(len(data) * part)])


def test_a_newer_schema_says_which_is_understood():
    with pytest.raises(ImportRefusedError, match=r"schema_version 4.*reads up to 3.*Update"):
        read(changed(lambda data: data.update(schema_version=4)))


def test_a_newer_schema_is_told_even_when_nothing_else_is_as_today():
    with pytest.raises(ImportRefusedError, match="newer fer-web"):
        read(b'{"schema_version": 7, "blocks": {"a": [1, 2]}}')


@pytest.mark.parametrize("version", [0, -1, "1", None, True, 1.5, [1]])
def test_a_schema_version_that_is_none(version):
    with pytest.raises(ImportRefusedError, match="schema_version"):
        read(changed(lambda data: data.update(schema_version=version)))


ALL_COLUMNS = (*JSON_COLUMNS, *AFFECT_COLUMNS, *TOLD_COLUMNS)


def in_row(column, value):
    return lambda data: data["samples"][1].__setitem__(ALL_COLUMNS.index(column), value)


@pytest.mark.parametrize(
    "change",
    [
        *(in_row("at_s", value) for value in (-0.1, 1e9, "1", None, True)),
        *(in_row("face", value) for value in (-1, 1.5, 2**31, "1")),
        *(in_row("angry", value) for value in (-0.1, 1.1, None)),
        *(in_row("left", value) for value in (1e6, -1e6)),
        *(in_row("label", value) for value in ("joy", 3, None, "")),
        *(in_row("confidence", value) for value in (-1, 2)),
        *(in_row("sure", value) for value in (1, "true", None)),
        *(in_row("rival", value) for value in (1, "joy", False)),
        *(in_row("reason", value) for value in (1, "rain", [])),
        lambda data: data["samples"][1].append(0),
        lambda data: data["samples"][1].pop(),
        lambda data: data["samples"].__setitem__(1, {"at_s": 1}),
        lambda data: data["samples"].__setitem__(1, [[]] * 16),
    ],
)
def test_an_impossible_sample_is_named(change):
    with pytest.raises(ImportRefusedError, match="sample 1"):
        read(changed(change))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data["samples"].pop(), "holds 1 samples and says 2"),
        (lambda data: data.pop("sample_count"), "says None"),
        (lambda data: data.pop("samples"), "no samples"),
        (lambda data: data.update(samples=3), "no list"),
        (lambda data: data["samples"].append(data["samples"][1]), "a face has two samples at 0.2 s"),
        (lambda data: data["columns"].reverse(), "columns"),
        (lambda data: data.pop("columns"), "columns"),
        (lambda data: data.pop("session"), "session"),
        (lambda data: data.update(session=[]), "session"),
        (lambda data: data["session"].pop("markers"), "no markers"),
        (lambda data: data["session"].update(state="exploded"), "session"),
        (lambda data: data["session"].update(started_at="yesterday"), "session"),
        (lambda data: data["session"].update(started_at="2026-01-01T00:00:00"), "session"),
        (lambda data: data["session"].update(started_at="0001-01-01T00:00:00+14:00"), "session"),
        (lambda data: data["session"].update(length_s=None), "session"),
        (lambda data: data["session"].update(length_s=True), "session"),
        (lambda data: data["session"].update(model="m"), "session"),
        (lambda data: data["session"].update(settings=3), "session"),
        (lambda data: data["session"].update(markers=[3]), "session"),
        (lambda data: data["session"].update(notes="x" * 20_001), "more than any session"),
        (lambda data: data["session"].update(settings=[0] * 30_000), "more than any session"),
    ],
)
def test_a_broken_session_says_what_is_wrong(change, text):
    with pytest.raises(ImportRefusedError, match=text):
        read(changed(change))


def test_a_key_that_stands_twice_is_refused():
    data = export_of(random_table(1, 1))
    with pytest.raises(ImportRefusedError, match="twice"):
        read(data.replace(b'"sample_count"', b'"columns": [], "sample_count"'))


def test_samples_before_their_head_are_refused():
    with pytest.raises(ImportRefusedError, match="before its samples"):
        read(b'{"samples": [], "schema_version": 1}')


def test_unknown_keys_of_the_same_schema_are_passed_over():
    session, table = read(changed(lambda data: data["session"].update(mood={"a": [1, None, True]})))
    assert (session.name, len(table)) == ("A film", 2)


def test_samples_out_of_order_are_ordered():
    table = read(changed(lambda data: data["samples"].reverse()))[1]
    assert table.at_s.tolist() == [0.0, 0.2]
    assert [EMOTIONS[label] for label in table.label] == ["happy", "sad"]


def test_a_file_over_the_limits_is_refused(monkeypatch):
    data = export_of(random_table(60, 1))
    monkeypatch.setattr(importing, "MAX_IMPORT_SAMPLES", 10)
    with pytest.raises(ImportRefusedError, match="more than 10 samples"):
        read(data)
    monkeypatch.setattr(importing, "MAX_IMPORT_BYTES", 1000)
    with pytest.raises(ImportRefusedError, match="larger than 1000 bytes"):
        read(data)


def test_a_long_file_needs_little_more_memory_than_its_samples():
    file = io.BytesIO(export_of(random_table(3600, 3)))
    tracemalloc.start()
    try:
        _, table = read_export(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(table) == 54_000
    assert peak < 40_000_000 < len(file.getvalue()) * 6


def test_more_faces_than_a_page_can_show_are_refused(monkeypatch):
    table = table_of([(i / 10, i, "happy") for i in range(4)])
    monkeypatch.setattr(importing, "MAX_IMPORT_FACES", 4)
    assert len(read(export_of(table))[1]) == 4
    monkeypatch.setattr(importing, "MAX_IMPORT_FACES", 3)
    with pytest.raises(ImportRefusedError, match="more than 3 faces"):
        read(export_of(table))


@pytest.mark.parametrize("parser", ["python", "yajl2_c"])
@pytest.mark.parametrize("number", ["1" * 5000, "1" * 400, "1e999"])
@pytest.mark.parametrize("place", ["at_s", "length_s"])
def test_numbers_without_end_are_refused_by_each_parser(monkeypatch, parser, number, place):
    monkeypatch.setattr(importing.ijson, "basic_parse", ijson.get_backend(parser).basic_parse)
    data = export_of(table_of([(0.25, 1, "happy")]), session_with(length_s=0.75))
    old = b"[0.25" if place == "at_s" else b'"length_s": 0.75'
    new = old.replace(b"0.25", number.encode()).replace(b"0.75", number.encode())
    assert data.count(old) == 1
    with pytest.raises(ImportRefusedError):
        read(data.replace(old, new))
