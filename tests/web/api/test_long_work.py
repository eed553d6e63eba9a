"""Processes that read and import long sessions: the same answers, errors as here, and nothing left behind."""

import io
import json
import threading
import time

import psutil
import pytest

from fer_web.errors import ImportRefusedError, InternalError, NotFoundError
from fer_web.history.export import FORMATS, json_file
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.web.api import long_work
from fer_web.web.api.long_work import LONG_READS, LongWork
from fer_web.web.api.session_parts import PartsWanted, parts_of
from tests.support.postgres import PostgresServer
from tests.support.sample_tables import chunks, lifelike_table
from tests.support.sessions import session_with

WAIT_S = 60


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request):
    if request.param == "sqlite":
        yield ""
        return
    with PostgresServer() as postgres:
        yield postgres.new_database()


@pytest.fixture(scope="module")
def repository(database_url, tmp_path_factory):
    made = open_history(database_url, tmp_path_factory.mktemp("data"))
    made.folder = made.engine.url.database if database_url else made.engine.url.database.rpartition("/")[0]
    yield made
    made.close()


@pytest.fixture(scope="module")
def work(database_url, repository):
    return LongWork(database_url, repository.folder)


@pytest.fixture(scope="module")
def exported():
    table = lifelike_table(1500, 2)
    return b"".join(json_file(session_with(length_s=float(table.at_s[-1])), chunks(table)))


@pytest.fixture(scope="module")
def session(work, exported):
    return work.import_session(io.BytesIO(exported), "ann")


def children():
    return [each for each in psutil.Process().children() if "long_program" in " ".join(each.cmdline())]


def no_children():
    end_s = time.monotonic() + WAIT_S
    while children():
        assert time.monotonic() < end_s, children()
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("kind", ["samples", "summary", *FORMATS])
def test_a_process_answers_what_this_one_would(repository, work, session, kind):
    if kind in FORMATS:
        wanted = PartsWanted("export", session, "ann", format=kind)
    else:
        wanted = PartsWanted(kind, session, None, face=1, smoothing_s=0.5)
    there, here = b"".join(work.read(wanted)), b"".join(parts_of(repository, wanted))
    assert len(there) > 1000
    if kind != "parquet":  # which has a time of writing
        assert there == here
    assert no_children()


def test_thinned_samples_are_few(work, session):
    wanted = PartsWanted("samples", session, "ann", points=100, from_s=200.0, to_s=1200.0)
    read = json.loads(b"".join(work.read(wanted)))
    assert len(read["at_s"]) <= 2 * 100
    assert read["step_s"] == pytest.approx(10, abs=0.1)
    assert min(read["at_s"]) >= 200


@pytest.mark.parametrize(("who", "session_id"), [("bob", None), ("ann", "unknown")])
def test_what_is_not_there_is_told_as_here(work, session, who, session_id):
    with pytest.raises(NotFoundError, match="no such session"):
        next(work.read(PartsWanted("summary", session_id or session, who)))


@pytest.mark.parametrize("cut", [0, 1, 2_000_000])
def test_a_file_that_is_none_of_ours_is_refused_and_leaves_nothing(repository, work, exported, cut):
    before = repository.list_sessions(SessionFilter(), None).total
    with pytest.raises(ImportRefusedError):
        work.import_session(io.BytesIO(exported[:cut]), "ann")
    assert repository.list_sessions(SessionFilter(), None).total == before
    assert no_children()


def test_a_process_that_dies_is_told_and_gives_its_place_back(work, session, monkeypatch):
    monkeypatch.setattr(long_work, "_PROGRAM", "fer_web.no_such_module")
    for _ in range(LONG_READS + 1):
        with pytest.raises(InternalError, match="ended before its time"):
            next(work.read(PartsWanted("summary", session, "ann")))


def test_a_reader_that_goes_away_ends_its_process(work, session):
    parts = work.read(PartsWanted("export", session, "ann", format="csv"))
    next(parts)
    parts.close()
    assert no_children()


def test_readers_that_stand_still_hold_no_place(work, session):
    wanted = PartsWanted("export", session, "ann", format="csv")
    still = [work.read(wanted) for _ in range(LONG_READS + 2)]
    assert all(next(parts) for parts in still)
    done = threading.Thread(target=lambda: b"".join(work.read(wanted)))
    done.start()
    done.join(WAIT_S)
    assert not done.is_alive()
    for parts in still:
        parts.close()
    assert no_children()
