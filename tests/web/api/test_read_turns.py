"""Who reads long sessions takes turns; answers come in parts."""

import json
import threading
import time

import numpy as np
import pytest

from fer_web.errors import OverloadedError
from fer_web.labels import EMOTIONS
from fer_web.serving.modes import serving_mode
from fer_web.web.api import read_turns, sessions_json
from fer_web.web.api.read_turns import MAX_READS, MAX_READS_OF_CLIENT, MAX_WAITING_READS, ReadTurns
from fer_web.web.api.sessions_json import samples_to_wire
from tests.support.sample_tables import random_table


class Readers:
    """Threads that read until they may end; counts those that run."""

    def __init__(self):
        self.turns = ReadTurns(threading.Semaphore)
        self.running = []
        self.may_end = threading.Event()
        self.threads = []

    def begin(self, client, count):
        for _ in range(count):
            thread = threading.Thread(target=self._read, args=(client,))
            thread.start()
            self.threads.append(thread)

    def _read(self, client):
        with self.turns.taken(client):
            self.running.append(client)
            assert self.may_end.wait(60)

    def wait_for(self, count):
        end_s = time.monotonic() + 60
        while len(self.running) < count:
            assert time.monotonic() < end_s
            time.sleep(0.01)

    def end(self):
        self.may_end.set()
        for thread in self.threads:
            thread.join(60)


@pytest.fixture
def readers():
    made = Readers()
    yield made
    made.end()


def test_one_client_has_two_places_and_leaves_one_to_others(readers):
    readers.begin("a", 10)
    readers.wait_for(MAX_READS_OF_CLIENT)
    readers.begin("b", 1)
    readers.wait_for(MAX_READS)
    time.sleep(0.1)
    assert sorted(readers.running) == ["a", "a", "b"]
    readers.end()
    assert len(readers.running) == 11
    assert readers.turns._clients == {}, "nothing is kept of who read"


def test_too_many_that_wait_are_refused_and_others_are_not(readers, monkeypatch):
    monkeypatch.setattr(read_turns, "MAX_WAITING_READS", 1)
    readers.begin("a", MAX_READS_OF_CLIENT + 1)
    end_s = time.monotonic() + 60
    while readers.turns._clients.get("a", (None, 0))[1] < MAX_READS_OF_CLIENT + 1:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    with pytest.raises(OverloadedError, match="under way"), readers.turns.taken("a"):
        pass
    with readers.turns.taken("b"):
        pass
    assert MAX_WAITING_READS > 1


def test_an_error_gives_the_place_back(readers):
    for _ in range(3 * MAX_READS):
        with pytest.raises(ZeroDivisionError), readers.turns.taken("a"):
            raise ZeroDivisionError
    assert readers.turns._clients == {}


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_locks_of_both_modes_have_places(mode):
    turns = ReadTurns(serving_mode(mode).new_lock)
    with turns.taken("a"), turns.taken("a"), turns.taken("b"):
        assert len(turns._clients) == 2


@pytest.mark.parametrize("rows", [0, 1, 20, 21])
@pytest.mark.parametrize("with_boxes", [True, False])
def test_parts_are_small_and_make_the_whole(rows, with_boxes, monkeypatch):
    monkeypatch.setattr(sessions_json, "_ROWS_OF_PART", 10)
    table = random_table(rows / 5, 1)
    parts = list(samples_to_wire(table, with_boxes=with_boxes))
    assert max(map(len, parts)) < 600
    read = json.loads(b"".join(parts))
    assert len(read["at_s"]) == len(read["sure"]) == len(read["scores"]["happy"]) == rows
    assert ("box" in read) == with_boxes
    assert np.allclose(read["at_s"], table.at_s, atol=1e-3)
    assert np.allclose(read["scores"]["sad"], table.scores[:, EMOTIONS.index("sad")], atol=1e-4)
