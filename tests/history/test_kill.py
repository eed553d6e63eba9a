"""What is left when the process is killed at any moment: all that was acknowledged, most of the rest."""

import json
import multiprocessing
import random
import sqlite3
import statistics
import time

from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.storage.database import SQLITE_FILE
from tests.support.recording_process import record_until_killed

KILLS = 50
AT_ONCE = 10
FACES = 3
USUALLY_LOST_S = 1.0
"""The median; a batch is half a second. One of ten that write to a disk may wait longer."""


class Victim:
    """A recording process and what it said."""

    def __init__(self, folder, context):
        self.folder = folder
        self._log_path = folder.with_suffix(".log")
        self._log_path.touch()
        self._process = context.Process(target=record_until_killed, args=(folder, self._log_path))
        self._process.start()

    def lines(self):
        return [json.loads(line) for line in self._log_path.read_text().splitlines() if line.endswith("}")]

    def wait_until_ready(self):
        deadline = time.monotonic() + 300
        while not any("ready" in line for line in self.lines()):
            assert self._process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self):
        self._process.kill()
        self._process.join(60)
        self._process.close()


def kill_all_at_random(victims, rng):
    """Kill each at a moment of its own within its first seconds."""
    start_s = time.monotonic()
    moments = sorted((rng.uniform(0.0, 3.0), number) for number in range(len(victims)))
    for at_s, number in moments:
        time.sleep(max(0.0, start_s + at_s - time.monotonic()))
        victims[number].kill()


def check_what_is_left(victim):
    """All that was acknowledged is there, the file is whole; returns `saved` lines, and lost seconds."""
    lines = victim.lines()
    saved = [line for line in lines if line.get("event") == "saved"]
    taken_s = max((line["taken_s"] for line in lines if "taken_s" in line), default=0.0)
    with sqlite3.connect(victim.folder / SQLITE_FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    history = open_history("", victim.folder)
    lost_s = []
    (ready,) = [line["ready"] for line in lines if "ready" in line]
    stored = {each.id for each in history.list_sessions(SessionFilter(), "ann").sessions}
    for session_id in ready:
        if session_id not in stored:
            # A row comes with its first sample.
            assert not [line for line in saved if line["session"] == session_id]
            lost_s.append(taken_s)
            continue
        times = history.read_samples(session_id, "ann").at_s
        counted = history.get_session(session_id, "ann")
        assert counted.samples == len(times), "counts and samples are one transaction"
        assert len(times) % FACES == 0, "a frame is stored with all its faces"
        for line in (line for line in saved if line["session"] == session_id):
            assert (times <= line["until_s"] + 1e-9).sum() >= line["samples"], line
        last_s = times[-1] if len(times) else 0.0
        lost_s.append(taken_s - last_s)
    assert history.mark_interrupted() == len(stored)
    assert {history.get_session(session_id, "ann").state for session_id in stored} <= {"interrupted"}
    history.close()
    return saved, lost_s


def test_kill_at_random_moments_keeps_every_acknowledged_sample(tmp_path):
    rng = random.Random(4)
    # Each is a fork of a process that has imported everything: fifty starts cost no more than one.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.recording_process"])
    acknowledged, lost_s = 0, []
    for group in range(KILLS // AT_ONCE):
        victims = [Victim(tmp_path / f"{group}-{number}", context) for number in range(AT_ONCE)]
        for victim in victims:
            victim.wait_until_ready()
        kill_all_at_random(victims, rng)
        for saved, lost in map(check_what_is_left, victims):
            acknowledged += len(saved)
            lost_s += lost
    assert acknowledged > KILLS, "most were killed while they recorded"
    assert statistics.median(lost_s) <= USUALLY_LOST_S, sorted(lost_s)
