"""The shipped nginx configuration before two real processes, one of which is killed while cameras record."""

import configparser
import subprocess
import threading
import time

import pytest
import requests
import socketio
import trustme
from sqlalchemy import create_engine, text

from fer_web.settings import settings_from
from fer_web.vision.frames import encode_jpeg
from tests.scale.processes import OPTIONS, TOKEN, environment_of
from tests.support.callers import WAIT_S
from tests.support.faces import camera_frame_bgr
from tests.support.nginx import NginxServer, adapted, require_program
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.servers import ROOT, ServerProcess

CAMERAS = 6


class Camera:
    """A page that records through nginx, and connects again when it must, as the real one does."""

    def __init__(self, url):
        self.url = url
        self.saved = 0
        self.session = None
        self.sessions = set()
        self.answered_s = 0.0
        self.first_s = 0.0  # when this connection's first frame was answered
        self.errors = []
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        browser = requests.Session()
        browser.get(url, timeout=WAIT_S)
        self._cookie = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.end()

    def end(self):
        self._must_end.set()
        self._thread.join(WAIT_S)

    def _run(self):
        while not self._must_end.is_set():
            try:
                self._stream()
            except Exception as exc:  # the connection is lost: whatever it is called
                self.errors.append(repr(exc))
                time.sleep(0.2)

    def _stream(self):
        client = socketio.Client(reconnection=False, request_timeout=5)
        client.on("saved", self._on_saved)
        client.connect(self.url, headers={"Cookie": self._cookie}, transports=["websocket"], wait_timeout=5)
        try:
            answer = client.call("record", {"on": True, "session": self.session}, timeout=10)
            self.session = answer["session"]
            self.sessions.add(self.session)
            jpeg, seq = encode_jpeg(camera_frame_bgr(), 80), 0
            while not self._must_end.wait(0.1):
                seq += 1
                header = {"seq": seq, "captured_ms": time.monotonic() * 1000}
                self._frame(client, (header, jpeg))
                self.answered_s = time.monotonic()
                self.first_s = self.answered_s if seq == 1 else self.first_s
            client.call("stop", {}, timeout=10)
        finally:
            client.disconnect()

    def _frame(self, client, arguments):
        """Wait for the answer, as long as the connection lives: `call` would wait on."""
        is_answered = threading.Event()
        client.emit("frame", arguments, callback=lambda *_answer: is_answered.set())
        while not is_answered.wait(0.05):
            if not client.connected:
                raise ConnectionError("The connection is lost.")

    def _on_saved(self, news):
        if news["session"] == self.session:
            self.saved = max(self.saved, news["samples"])


def test_the_shipped_configuration_is_one_with_tls_too(tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("fer.example.org")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "chain")
    path = tmp_path / "nginx.conf"
    path.write_text(adapted(44300, (5001, 5002), tmp_path, (tmp_path / "chain", tmp_path / "key")))
    checked = subprocess.run(
        [require_program(), "-t", "-p", str(tmp_path), "-c", str(path)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_the_unit_starts_what_is_there_with_settings_that_exist():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(ROOT / "examples" / "deploy" / "fer-web@.service")
    program = unit["Service"]["ExecStart"].split()
    assert (ROOT / program[1]).exists()
    variables = dict(each.split("=", 1) for each in unit["Service"]["Environment"].split())
    variables["FER_DATA_DIR"] = "data"
    assert settings_from([*program[2:-1], "5001"], variables).proxies == 1


@pytest.mark.alone
def test_a_killed_process_costs_no_acknowledged_sample_and_its_cameras_go_on_at_the_other():
    with PostgresServer() as postgres, RedisServer() as redis:
        database = postgres.new_database()
        environment = environment_of(database, redis.url)
        with (
            ServerProcess(*OPTIONS, environment=environment) as one,
            ServerProcess(*OPTIONS, environment=environment) as other,
            NginxServer((one.port, other.port)) as nginx,
        ):
            cameras = [Camera(nginx.url) for _ in range(CAMERAS)]
            for camera in cameras:
                camera.__enter__()
            try:
                until(lambda: all(camera.saved > 3 for camera in cameras), cameras)
                # One address, so one process has them all.
                victim = max((one, other), key=lambda server: server.cpu_s)
                killed_s = time.monotonic()
                victim.kill()
                until(lambda: all(camera.answered_s > killed_s + 0.5 for camera in cameras), cameras)
                print(
                    f"all cameras went on after {max(camera.first_s for camera in cameras) - killed_s:.1f} s"
                )
                saved = [camera.saved for camera in cameras]
                until(
                    lambda: all(
                        camera.saved > before + 3 for camera, before in zip(cameras, saved, strict=True)
                    ),
                    cameras,
                )
            finally:
                for camera in cameras:
                    camera.end()
            # Each went on with its session, and what was acknowledged is there.
            assert [len(camera.sessions) for camera in cameras] == [1] * CAMERAS
            for camera in cameras:
                assert stored(database, camera.session) >= camera.saved
            answer = requests.get(f"{nginx.url}/?host={TOKEN}", timeout=WAIT_S, allow_redirects=False)
            assert answer.status_code == 302
        assert TOKEN not in nginx.log


def until(is_so, cameras):
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, [(camera.saved, camera.errors[-3:]) for camera in cameras]
        time.sleep(0.05)


def stored(database, session):
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    query = (
        "SELECT count(*) FROM samples JOIN sessions ON sessions.key = samples.session WHERE sessions.id = :id"
    )
    with engine.connect() as connection:
        count = connection.execute(text(query), {"id": session}).scalar_one()
    engine.dispose()
    return count
