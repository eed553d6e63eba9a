"""Names and merges; what is stored is the same for SQLite and PostgreSQL."""

import csv
import io
import json

import pytest

from fer_web.errors import ImportRefusedError, InvalidValueError, NotFoundError
from fer_web.history.export import FORMATS
from fer_web.history.json_reader import read_export
from fer_web.history.people import People, check_people
from fer_web.history.session_texts import MAX_PEOPLE, MAX_PERSON_NAME
from fer_web.history.types import Person
from tests.support.new_sessions import new_session, sample
from tests.support.sample_tables import table_of
from tests.support.sessions import session_with

THREE = [sample(0.0, 1), sample(0.0, 2), sample(0.2, 3)]


@pytest.fixture
def session(repository):
    made = repository.open_session(new_session("A film"))
    repository.add_batch(made.id, THREE)
    return made


def people(faces):
    return [(each.face, each.name, each.person) for each in faces]


def test_people_follow_merges_to_their_end():
    known = People([Person(5, "Bob", 3), Person(3, "", 1), Person(1), Person(7, "Ann")])
    assert [known.person_of(face) for face in (1, 3, 5, 7, 9)] == [1, 1, 1, 7, 9]
    assert [known.name_of(face) for face in (1, 3, 5, 7, 9)] == ["Bob", "Bob", "Bob", "Ann", ""]
    assert sorted(known.faces_like(3)) == [1, 3, 5]
    table = table_of([(0.0, 5, "happy"), (0.2, 9, "sad"), (0.2, 7, "sad")])
    assert known.merged(table).face.tolist() == [1, 9, 7]
    assert known.names_of(table, "Face {}") == ["Bob", "Face 9", "Ann"]
    assert table.face.tolist() == [5, 9, 7]


def test_a_name_goes_to_the_person_and_can_be_taken_away(repository, session):
    repository.update_person(session.id, "ann", 3, same_as=1)
    assert people(repository.update_person(session.id, "ann", 3, name=" Ann ")) == [
        (1, "Ann", 1), (2, "", 2), (3, "Ann", 1),
    ]  # fmt: skip
    repository.update_person(session.id, "ann", 1, name="")
    assert {each.name for each in repository.list_faces(session.id, "ann")} == {""}
    assert repository.get_session(session.id, "ann").people == (Person(3, "", 1),)


def test_a_merge_counts_one_person_until_it_is_undone(repository, session):
    repository.update_person(session.id, "ann", 3, same_as=2)
    repository.update_person(session.id, "ann", 2, same_as=1)
    assert repository.get_session(session.id, "ann").faces == 1
    assert len(repository.read_samples(session.id, "ann", face=2)) == 3
    assert repository.read_samples(session.id, "ann").face.tolist() == [1, 2, 3]
    repository.add_batch(session.id, [sample(0.4, 4)])
    assert repository.get_session(session.id, "ann").faces == 2
    repository.update_person(session.id, "ann", 2, same_as=2)
    assert repository.get_session(session.id, "ann").faces == 3
    assert [face for face, _, person in people(repository.list_faces(session.id, "ann")) if person == 2] == [
        2, 3,
    ]  # fmt: skip


def test_merges_in_a_circle_are_refused_and_change_nothing(repository, session):
    repository.update_person(session.id, "ann", 3, same_as=1)
    with pytest.raises(InvalidValueError, match="circle"):
        repository.update_person(session.id, "ann", 1, same_as=3)
    assert repository.get_session(session.id, "ann").people == (Person(3, "", 1),)


@pytest.mark.parametrize(
    ("face", "changes"),
    [(9, {"same_as": 1}), (1, {"same_as": 9}), (1, {"same_as": 2**40}), (2**40, {"name": "x"})],
)
def test_a_face_that_is_not_there_is_refused(repository, session, face, changes):
    with pytest.raises(NotFoundError, match="no face"):
        repository.update_person(session.id, "ann", face, **changes)


def test_a_face_may_be_named_before_its_first_sample_only_while_the_session_runs(repository, session):
    repository.update_person(session.id, "ann", 8, name="Early")
    repository.finish_session(session.id, 1.0)
    with pytest.raises(NotFoundError):
        repository.update_person(session.id, "ann", 9, name="Late")


@pytest.mark.parametrize("name", ["x" * (MAX_PERSON_NAME + 1), "a\nb", "\0"])
def test_a_name_that_is_not_allowed_is_refused(repository, session, name):
    with pytest.raises(InvalidValueError, match="name of a person"):
        repository.update_person(session.id, "ann", 1, name=name)


def test_there_are_not_more_people_than_allowed(repository, session):
    check_people(Person(face, "x") for face in range(MAX_PEOPLE))
    with pytest.raises(InvalidValueError, match=str(MAX_PEOPLE)):
        check_people(Person(face, "x") for face in range(MAX_PEOPLE + 1))
    with pytest.raises(InvalidValueError, match="twice"):
        check_people([Person(1, "x"), Person(1, "y")])


KNOWN = (Person(1, '=A,"b"'), Person(3, "", 1))
TABLE = table_of([(0.0, 1, "happy"), (0.0, 2, "sad"), (0.2, 3, "happy")])


def test_every_export_counts_merged_faces_as_one_person():
    session = session_with(people=KNOWN)
    files = {
        name: b"".join(each.write(session, [TABLE])).decode("utf-8", "replace")
        for name, each in FORMATS.items()
    }
    rows = list(csv.DictReader(io.StringIO(files["csv"], newline="")))
    assert [(row["face"], row["person"], row["name"]) for row in rows] == [
        ("1", "1", "'=A,\"b\""), ("2", "2", ""), ("3", "1", "'=A,\"b\""),
    ]  # fmt: skip
    assert [row["Identity"] for row in csv.DictReader(io.StringIO(files["pyfeat"]))] == [
        "Person_1", "Person_2", "Person_1",
    ]  # fmt: skip
    assert [row["face_id"] for row in csv.DictReader(io.StringIO(files["openface"]))] == ["1", "2", "1"]
    log = [line.split("\t")[-2] for line in files["facereader"].splitlines()[-3:]]
    assert log == ['\'=A,"b"', "Face 2", '\'=A,"b"']
    assert json.loads(files["json"])["session"]["people"] == [vars(person) for person in KNOWN]


def test_parquet_has_person_and_name():
    import pyarrow.parquet

    data = b"".join(FORMATS["parquet"].write(session_with(people=KNOWN), [TABLE]))
    columns = pyarrow.parquet.read_table(io.BytesIO(data)).to_pydict()
    assert (columns["person"], columns["name"]) == ([1, 2, 1], ['=A,"b"', "", '=A,"b"'])


def test_people_come_back_from_an_export(repository):
    data = b"".join(FORMATS["json"].write(session_with(people=KNOWN), [TABLE]))
    session, table = read_export(io.BytesIO(data))
    stored = repository.import_session(session, "bob", [table])
    assert (stored.people, stored.faces) == (KNOWN, 2)


@pytest.mark.parametrize(
    "bad", [{"face": "1", "name": "", "same_as": None}, {"face": 1, "same_as": None}, {"face": -1}, 7]
)
def test_an_import_with_people_that_cannot_be_is_refused(bad):
    data = json.loads(b"".join(FORMATS["json"].write(session_with(), [TABLE])))
    data["session"]["people"] = [bad]
    with pytest.raises(ImportRefusedError):
        read_export(io.BytesIO(json.dumps(data).encode()))


def test_an_import_with_a_circle_or_a_bad_name_is_refused(repository):
    for known in ((Person(1, "", 2), Person(2, "", 1)), (Person(1, 5),)):
        with pytest.raises(InvalidValueError):
            repository.import_session(session_with(people=known), "bob", [TABLE])
