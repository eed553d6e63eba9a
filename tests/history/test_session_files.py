import codecs
import io

import numpy as np
import pytest

from fer_web.errors import ImportRefusedError
from fer_web.history.export import csv_file, json_file
from fer_web.history.session_files import read_session
from fer_web.history.types import Person
from tests.support.sample_tables import assert_equal_tables, random_table
from tests.support.sessions import session_with

PEOPLE = (Person(1, "=Ann"), Person(2, "", 1), Person(3, 'Bo "B", esq.'))
TABLE = random_table(6, 3)


def json_export(session=None):
    return b"".join(json_file(session or session_with(), [TABLE]))


def csv_export(session=None, table=TABLE):
    return b"".join(csv_file(session or session_with(people=PEOPLE), [table] if len(table) else []))


def read(data):
    return read_session(io.BytesIO(data))


def saved_by(encoding, data, mark=b""):
    return mark + data.decode().encode(encoding)


SAVED = {
    "utf-8": ("utf-8", b""),
    "utf-8 with a mark": ("utf-8", codecs.BOM_UTF8),
    "utf-16, as PowerShell's > writes": ("utf-16-le", codecs.BOM_UTF16_LE),
    "utf-16 of big ends": ("utf-16-be", codecs.BOM_UTF16_BE),
    "utf-16 without a mark": ("utf-16-le", b""),
    "utf-16 of big ends without a mark": ("utf-16-be", b""),
    "utf-32": ("utf-32-le", codecs.BOM_UTF32_LE),
}


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize("export", [json_export, csv_export])
def test_an_export_is_read_in_each_encoding(saved, export):
    encoding, mark = SAVED[saved]
    session, table = read(saved_by(encoding, export(session_with(name="Ünï 😀 film")), mark))
    assert len(table) == len(TABLE)
    assert session.name == "Ünï 😀 film" or export is csv_export


def test_a_json_export_in_utf_16_has_equal_rows():
    _, table = read(saved_by("utf-16-le", json_export(), codecs.BOM_UTF16_LE))
    assert_equal_tables(table, TABLE)


def test_a_csv_export_is_read_back_as_exactly_as_it_was_written():
    session, table = read(csv_export())
    np.testing.assert_allclose(table.at_s, TABLE.at_s, atol=5.1e-4)
    np.testing.assert_allclose(table.scores, TABLE.scores, atol=1e-6)
    np.testing.assert_allclose(table.box, TABLE.box, rtol=1e-5)
    for name in ("face", "label", "is_sure"):
        np.testing.assert_array_equal(getattr(table, name), getattr(TABLE, name))
    assert abs((session.started_at - session_with().started_at).total_seconds()) < 0.002
    assert session.sample_hz == pytest.approx(5, rel=0.1)
    assert session.people == PEOPLE


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_csv_that_a_spreadsheet_saved_again_is_read(separator):
    lines = csv_export(session_with()).decode().splitlines()
    cells = [[cell.replace(".", ",") for cell in line.split(",")] for line in lines]
    for row in cells[1:]:
        row[1] = row[1].replace(",", ".")
    again = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in cells)
    _, table = read(codecs.BOM_UTF8 + again.encode())
    np.testing.assert_allclose(table.scores, TABLE.scores, atol=1e-6)


def test_a_csv_export_is_stored_by_each_database(repository):
    session, table = read(csv_export())
    stored = repository.import_session(session, "ann", [table])
    assert (stored.samples, stored.faces, stored.source) == (len(TABLE), 2, "csv")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"at_s,utc\r\n1,2", "lacks the column 'face'"),
        (b"hello", "lacks the column"),
        (csv_export(table=random_table(0, 1)), "no sample"),
        (csv_export().replace(b",disgust,0", b",joyful,0"), "cannot be"),
        (csv_export()[:-400] + b"\r\n1,2,3", "cannot be"),
        (codecs.BOM_UTF16_LE + csv_export().decode().encode("utf-16-le")[:-1], "whole text"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8\x00\xd8", "whole text"),
        (b"\x89PNG\r\n\x1a\n", "JSON"),
        (b"", "JSON"),
    ],
)
def test_what_is_no_export_is_refused_in_words(data, said):
    with pytest.raises(ImportRefusedError, match=said) as caught:
        read(data)
    assert "Export" in str(caught.value) or "exported" in str(caught.value)
