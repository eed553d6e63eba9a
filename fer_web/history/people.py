"""Who is who in a session: names of people, and faces that show the same person.

A face is a track of the tracker, and somebody who leaves and comes back may get a new one. Samples keep their
face's number; what people say about it is a mapping beside them, so that it can be undone.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select, update

from fer_web.errors import InvalidValueError, NotFoundError
from fer_web.history.session_texts import MAX_PEOPLE, check_person_name
from fer_web.history.types import Person, SampleTable
from fer_web.storage.schema import faces, people, sessions

_FACE_NUMBERS = range(2**31)


class People:
    """The people of a session. Pure."""

    def __init__(self, known: Iterable[Person]) -> None:
        """Args: known: without circles of `same_as`."""
        self._known = {person.face: person for person in known}
        self._persons: dict[int, int] = {}
        for face in self._known:
            self._find_person(face)
        self._names: dict[int, str] = {}
        # The name of the face that stands for the person comes before those of faces merged into it.
        for person in sorted(self._known.values(), key=lambda each: (each.same_as is not None, each.face)):
            if person.name:
                self._names.setdefault(self.person_of(person.face), person.name)

    def person_of(self, face: int) -> int:
        """Number of the person: that of the face at the end of the merges."""
        return self._persons.get(face, face)

    def name_of(self, face: int) -> str:
        """What the person of this face is called; empty where nobody wrote a name."""
        return self._names.get(self.person_of(face), "")

    def faces_like(self, face: int) -> tuple[int, ...]:
        """This face and those that show the same person."""
        person = self.person_of(face)
        return tuple({face, person, *(each for each, other in self._persons.items() if other == person)})

    def merged(self, table: SampleTable) -> SampleTable:
        """The samples with the number of the person in place of the face's."""
        found, position = np.unique(table.face, return_inverse=True)
        numbers = np.array([self.person_of(face) for face in found.tolist()], np.int32)
        return replace(table, face=numbers[position])

    def names_of(self, table: SampleTable, unnamed: str = "") -> list[str]:
        """The name for each sample. `unnamed`: stands for it, with {} for the person's number."""
        found, position = np.unique(table.face, return_inverse=True)
        names = [self.name_of(face) or unnamed.format(self.person_of(face)) for face in found.tolist()]
        return [names[each] for each in position.tolist()]

    def _find_person(self, face: int) -> None:
        way = [face]
        while (person := self._known.get(way[-1])) is not None and person.same_as is not None:
            way.append(self._persons.get(person.same_as, person.same_as))
        self._persons |= dict.fromkeys(way, way[-1])


def check_people(known: Iterable[Person]) -> None:
    """Raises InvalidValueError: too many, a face twice, a name that is not allowed, merges in a circle."""
    by_face: dict[int, Person] = {}
    for person in known:
        check_person_name(person.name)
        if person.face in by_face:
            raise InvalidValueError(f"Face {person.face} is named twice. Name it once.")
        by_face[person.face] = person
    if len(by_face) > MAX_PEOPLE:
        raise InvalidValueError(f"{len(by_face)} people came; {MAX_PEOPLE} are allowed.")
    for face in by_face:
        _check_ends(by_face, face)


def _check_ends(by_face: dict[int, Person], face: int) -> None:
    seen = {face}
    while (person := by_face.get(face)) is not None and person.same_as is not None:
        face = person.same_as
        if face in seen:
            raise InvalidValueError(
                f"Face {face} is the same as itself in a circle. Merge faces one way only."
            )
        seen.add(face)


def people_of(connection: Connection, key: int) -> tuple[Person, ...]:
    """What people said about the faces of the session with this key, by number."""
    query = select(people).where(people.c.session == key).order_by(people.c.face)
    return tuple(Person(row.face, row.name, row.same_as) for row in connection.execute(query))


def insert_people(connection: Connection, key: int, known: Iterable[Person]) -> None:
    """Store checked people of a session that has none."""
    rows = [{"session": key, **vars(person), "name": check_person_name(person.name)} for person in known]
    if rows:
        connection.execute(insert(people), rows)


def save_person(
    connection: Connection, session: Row[Any], face: int, *, name: str | None, same_as: int | None
) -> None:
    """Change what is said about a face; None leaves it. See HistoryRepository.update_person.

    Args: session: its row, read in this transaction.
    """
    known = {person.face: person for person in people_of(connection, session.key)}
    # A face of a session that runs may be named before its first sample is stored.
    _check_face(connection, session, face, may_come=session.state == "running" and same_as is None)
    if name is not None:
        person = People(known.values()).person_of(face)
        known[person] = replace(known.get(person, Person(person)), name=check_person_name(name))
        _store(connection, session.key, known[person])
    if same_as is not None:
        _check_face(connection, session, same_as)
        wanted = None if same_as == face else same_as
        known[face] = replace(known.get(face, Person(face)), same_as=wanted)
        _store(connection, session.key, known[face])
    check_people(known.values())
    if same_as is not None:
        count_people(connection, session.key)


def _check_face(connection: Connection, session: Row[Any], face: int, *, may_come: bool = False) -> None:
    is_number = face in _FACE_NUMBERS
    here = select(faces.c.face).where(faces.c.session == session.key, faces.c.face == face)
    if not is_number or not (may_come or connection.execute(here).first()):
        raise NotFoundError(f"There is no face {face} in this session.")


def _store(connection: Connection, key: int, person: Person) -> None:
    connection.execute(delete(people).where(people.c.session == key, people.c.face == person.face))
    if person.name or person.same_as is not None:
        insert_people(connection, key, [person])


def count_people(connection: Connection, key: int) -> None:
    """Count faces that show the same person once."""
    known = People(people_of(connection, key))
    numbers = connection.execute(select(faces.c.face).where(faces.c.session == key)).scalars()
    count = len({known.person_of(face) for face in numbers})
    connection.execute(update(sessions).where(sessions.c.key == key).values(faces=count))
