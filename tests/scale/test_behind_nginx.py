"""The shipped nginx configuration before two real processes, one of which is killed while cameras record."""

import configparser
import contextlib
import subprocess
import time

import pytest
import requests
import trustme
from sqlalchemy import create_engine, text

from fer_web.settings import settings_from
from tests.scale.cameras import Camera, Watcher, cookie_of, new_browser, until, watch_link
from tests.support.callers import WAIT_S
from tests.support.nginx import NginxServer, adapted, require_program
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.servers import ROOT, ServerProcess
from tests.support.several_processes import OPTIONS, TOKEN, environment_of

CAMERAS, WATCHERS = 6, 4


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
                until(lambda: all(camera.last_s > killed_s + 0.5 for camera in cameras), cameras)
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


@pytest.mark.alone
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_restarting_one_after_the_other_costs_no_acknowledged_sample_and_no_page(mode):
    with PostgresServer() as postgres, RedisServer() as redis, contextlib.ExitStack() as stack:
        database = postgres.new_database()
        environment = environment_of(database, redis.url, mode)
        servers = [stack.enter_context(ServerProcess(*OPTIONS, environment=environment)) for _ in range(2)]
        ports = [server.port for server in servers]
        nginx = stack.enter_context(NginxServer(ports))
        host = new_browser(nginx.url, f"/?host={TOKEN}")
        link = watch_link(host)
        cameras = [Camera(nginx.url, cookie_of(host)), *(Camera(nginx.url) for _ in range(CAMERAS - 1))]
        watchers = [Watcher(nginx.url, cookie_of(new_browser(nginx.url, link))) for _ in range(WATCHERS)]
        pages = [*cameras, *watchers]
        for page in pages:
            stack.enter_context(page)
        until(lambda: all(camera.saved > 3 for camera in cameras), pages)
        until(lambda: all(watcher.views > 3 for watcher in watchers), pages)
        for number in range(2):
            stopped_s = time.monotonic()
            assert servers[number].stop() == 0
            print(f"{mode}: a process ended within {time.monotonic() - stopped_s:.1f} s")
            until_all_go_on(pages)
            moved = [page.first_s - stopped_s for page in pages if page.first_s > stopped_s]
            print(f"{mode}: {len(moved)} pages went on after {max(moved, default=0):.1f} s at most")
            # 2 s on a machine that has nothing else to do.
            assert max(moved, default=0) < 10
            servers[number] = stack.enter_context(
                ServerProcess(*OPTIONS, port=ports[number], environment=environment)
            )
        saved = [camera.saved for camera in cameras]
        until(lambda: all(each.saved > before for each, before in zip(cameras, saved, strict=True)), pages)
        for page in pages:
            page.end()
        # All moved once or twice, and were asked to.
        assert all(set(page.reasons) == {"moving"} for page in pages), [page.reasons for page in pages]
        assert [len(camera.sessions) for camera in cameras] == [1] * CAMERAS
        assert [camera.problems for camera in cameras] == [[]] * CAMERAS
        assert all(stored(database, camera.session) >= camera.saved for camera in cameras)
        listed = host.get(f"{nginx.url}/api/v1/sessions", timeout=WAIT_S).json()["sessions"]
        assert {session["state"] for session in listed} == {"finished"}


def until_all_go_on(pages):
    """Wait until each had something since now."""
    now_s = time.monotonic()
    until(lambda: all(page.last_s > now_s for page in pages), pages)


def stored(database, session):
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    query = (
        "SELECT count(*) FROM samples JOIN sessions ON sessions.key = samples.session WHERE sessions.id = :id"
    )
    with engine.connect() as connection:
        count = connection.execute(text(query), {"id": session}).scalar_one()
    engine.dispose()
    return count
