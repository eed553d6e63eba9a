"""Signals to a real server that records, in both modes: one, several at once, and one that it cannot obey."""

import os
import signal
import subprocess
import sys
import time

import pytest
import requests
import socketio

from fer_web.analysis.videos import video_worker
from fer_web.history import recorder, retention
from fer_web.history.repository import open_history
from fer_web.serving import modes, stop_signals
from fer_web.vision.frames import encode_jpeg
from tests.support.clients import send
from tests.support.faces import camera_frame_bgr
from tests.support.servers import ROOT, ServerProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")


def recorded_samples(server, seconds=2):
    """Record with a client that stays connected; returns it, and the session's id."""
    client = socketio.Client(reconnection=False, request_timeout=60)
    cookies = requests.get(server.url, timeout=60).cookies
    headers = {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)}
    client.connect(server.url, headers=headers, transports=["websocket"], wait_timeout=60)
    session_id = client.call("record", {"on": True})["session"]
    jpeg, end_s, seq = encode_jpeg(camera_frame_bgr(), 80), time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        seq += 1
        send(client, jpeg, seq)
    return client, session_id


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_hang_up_and_further_signals_while_closing_finish_what_is_recorded(tmp_path, mode):
    with ServerProcess("--async-mode", mode, data_dir=tmp_path) as server:
        client, session_id = recorded_samples(server)
        for number, pause_s in (
            (signal.SIGHUP, 0.05),
            (signal.SIGTERM, 0.0),
            (signal.SIGINT, 0.1),
            (signal.SIGTERM, 0),
        ):
            os.kill(server.pid, number)
            time.sleep(pause_s)
        assert server._process.wait(60) == 0
        client.disconnect()
    assert server.output[-1] == "Stopped.\n"
    assert "Traceback" not in "".join(server.output)
    history = open_history("", tmp_path)
    stored = history.get_session(session_id, None)
    assert stored.state == "finished"
    assert stored.samples >= 4
    history.close()


def program(code, *numbers):
    """Run a program that says `ready`, send it signals, and return its status and what it said."""
    running = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    assert running.stdout.readline() == "ready\n"
    for number in numbers:
        running.send_signal(number)
        time.sleep(0.05)
    said, _ = running.communicate(timeout=60)
    return running.returncode, said


def test_closing_that_hangs_is_ended_at_its_deadline():
    code = """
import time
from fer_web.serving import stop_signals
stop_signals.CLOSE_TIMEOUT_S = 0.3
stop_signals.stop_on_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    time.sleep(60)
"""
    status, said = program(code, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    assert status == 1
    assert said == "fer-web did not close within 0 s and was ended. What was saved is safe.\n"


def test_signals_before_serving_raise_once():
    code = """
import time
from fer_web.serving.stop_signals import stop_on_signals
stop_on_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("closed")
"""
    assert program(code, signal.SIGHUP, signal.SIGINT, signal.SIGTERM) == (0, "closed\n")


def test_hang_up_that_nohup_ignores_stays_ignored():
    code = """
import signal, time
from fer_web.serving.stop_signals import stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stop_on_signals()
print("ready", flush=True)
time.sleep(0.5)
print("still there")
"""
    assert program(code, signal.SIGHUP) == (0, "still there\n")


def test_deadline_is_longer_than_what_closing_waits_for():
    waits_s = [part.STOP_TIMEOUT_S for part in (modes, recorder, retention, video_worker)]
    assert sum(waits_s) < stop_signals.CLOSE_TIMEOUT_S
