"""Which of several processes leads, by a real PostgreSQL."""

import subprocess
import sys
import time

import pytest

from fer_web.storage.database import open_engine
from fer_web.storage.leader import leader_of
from tests.support.servers import ROOT

WAIT_S = 60

LEADS_UNTIL_KILLED = """
import sys, threading
from pathlib import Path
from fer_web.storage.database import open_engine
from fer_web.storage.leader import leader_of
leader = leader_of(open_engine(sys.argv[1], Path(".")))
print(leader.leads(), flush=True)
threading.Event().wait()
"""


@pytest.fixture
def leaders(postgres, tmp_path):
    url = postgres.new_database()
    engines = [open_engine(url, tmp_path) for _ in range(2)]
    pair = [leader_of(engine) for engine in engines]
    yield pair
    for leader, engine in zip(pair, engines, strict=True):
        leader.leave()
        engine.dispose()


def until_leads(leader):
    end_s = time.monotonic() + WAIT_S
    while not leader.leads():
        assert time.monotonic() < end_s, "nobody leads"
        time.sleep(0.02)


def test_one_leads_until_it_leaves(leaders):
    one, other = leaders
    assert [one.leads(), other.leads(), one.leads()] == [True, False, True]
    one.leave()
    assert [other.leads(), one.leads()] == [True, False]


def test_one_whose_connection_was_cut_asks_again(postgres, leaders):
    one, other = leaders
    assert one.leads()
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
    )
    until_leads(other)
    assert one.leads() is False


def test_when_the_process_that_leads_is_killed_another_one_takes_over(postgres, tmp_path):
    url = postgres.new_database()
    first = subprocess.Popen(
        [sys.executable, "-c", LEADS_UNTIL_KILLED, url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    engine = open_engine(url, tmp_path)
    leader = leader_of(engine)
    try:
        assert first.stdout.readline() == "True\n"
        assert leader.leads() is False
    finally:
        first.kill()
        first.wait(WAIT_S)
        first.stdout.close()
    until_leads(leader)
    leader.leave()
    engine.dispose()


def test_without_a_database_nobody_leads_and_later_somebody_does(postgres, leaders):
    one, other = leaders
    assert one.leads()
    with postgres.stopped():
        assert [one.leads(), other.leads()] == [False, False]
    assert [one.leads(), other.leads()] == [True, False]


def test_with_sqlite_the_one_process_leads(tmp_path):
    engine = open_engine("", tmp_path)
    assert leader_of(engine).leads() is True
    engine.dispose()
