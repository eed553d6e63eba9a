"""What operators ask: does it live, is it ready, what does it do."""

import re
import time

import pytest
import requests
import socketio

from fer_web.errors import DatabaseError
from fer_web.serving.readiness import STALE_S, Readiness
from fer_web.vision.frames import encode_jpeg
from tests.support.clients import send
from tests.support.faces import astronaut_bgr
from tests.support.servers import ServerProcess
from tests.support.shared_application import Shared

TOKEN = "a-token-of-the-monitor"


@pytest.fixture
def shared(tmp_path):
    opened = Shared(tmp_path, metrics_token=TOKEN)
    yield opened
    opened.close()


def wait_until_ready(browser):
    end_s = time.monotonic() + 60
    while (answer := browser.get("/readyz")).status_code != 200:
        assert time.monotonic() < end_s, answer.text
        time.sleep(0.05)
    return answer


def test_live_and_ready_are_for_everybody_and_reasons_for_this_machine(shared):
    phone = shared.browser()
    assert phone.get("/livez").json == {"status": "ok"}
    host = wait_until_ready(shared.host)
    assert host.json["failed"] == []
    assert set(host.json["checks"]) == {"database", "disk", "workers", "model", "draining"}
    assert "data" in host.json["checks"]["disk"]
    assert set(phone.get("/readyz").json["checks"].values()) == {"ok"}


def test_database_that_fails_makes_it_not_ready_and_tells_the_network_no_reason(shared):
    wait_until_ready(shared.host)
    shared.application.readiness._checks["database"] = lambda: (_ for _ in ()).throw(
        DatabaseError("db.internal")
    )
    shared.application.readiness.check("database")
    near, far = shared.host.get("/readyz"), shared.browser().get("/readyz")
    assert (near.status_code, far.status_code) == (503, 503)
    assert near.json["failed"] == far.json["failed"] == ["database"]
    assert "db.internal" in near.json["checks"]["database"]
    assert "db.internal" not in far.text
    assert shared.browser().get("/livez").status_code == 200


def test_metrics_are_for_this_machine_or_who_has_the_token(shared):
    assert shared.host.get("/metrics").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = shared.browser().client.get("/metrics", headers=headers)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")
    read = shared.browser().client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert read.status_code == 200
    assert read.content_type.startswith("text/plain; version=0.0.4")


def test_without_a_token_nobody_of_the_network_reads_metrics(tmp_path):
    shared = Shared(tmp_path)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        assert shared.browser().client.get("/metrics", headers=headers).status_code == 403
    shared.close()


def test_behind_proxies_the_address_of_this_machine_is_no_proof(tmp_path):
    shared = Shared(tmp_path, proxies=1, metrics_token=TOKEN)
    local = shared.browser("127.0.0.1")
    assert local.get("/livez").status_code == 200
    assert local.get("/readyz").json["checks"].keys()
    assert local.get("/metrics").status_code == 403
    assert local.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert local.get("/").status_code == 400, "other pages must come through the proxy"
    shared.close()


def test_check_that_hangs_fails_after_a_while_and_is_not_begun_twice():
    now_s = [0.0]
    readiness = Readiness({"database": lambda: "it answers"}, lambda: False, lambda: now_s[0])
    assert not readiness.conditions()["database"].is_ok
    readiness.check("database")
    assert readiness.conditions()["database"].is_ok
    readiness._checking["database"].acquire()
    now_s[0] = STALE_S + 1
    readiness.check("database")
    assert readiness.conditions()["database"].text == "no answer for 16 s"


def test_server_that_ends_is_not_ready():
    readiness = Readiness({}, lambda: True)
    assert not readiness.conditions()["draining"].is_ok


def numbers(text):
    return {
        name: float(value)
        for name, value in re.findall(r"^(fer_\S+(?:\{.*\})?) ([0-9.e+-]+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_real_server_counts_frames_and_samples_and_names_nobody(mode):
    with ServerProcess("--async-mode", mode, "--log-format", "json", "--log-requests", "on") as server:
        cookies = requests.get(server.url, timeout=60).cookies
        with socketio.SimpleClient(request_timeout=60) as client:
            header = "; ".join(f"{each.name}={each.value}" for each in cookies)
            client.connect(server.url, headers={"Cookie": header}, transports=["websocket"], wait_timeout=60)
            session = client.call("record", {"on": True, "name": "Anna"}, timeout=60)["session"]
            for seq in range(4):
                send(client, encode_jpeg(astronaut_bgr()), seq)
                time.sleep(0.25)
            send(client, b"no picture", 9)
            client.receive(timeout=60)
            answer = requests.get(f"{server.url}/metrics", timeout=60)
            requests.get(f"{server.url}/history/{session}?token=abc", timeout=60)
        found = numbers(answer.text)
        assert found['fer_frames_total{outcome="analysed",reason=""}'] == 4
        assert found['fer_frames_total{outcome="failed",reason="bad_frame"}'] == 1
        assert found['fer_stage_seconds_count{stage="classify"}'] == 4
        assert found["fer_frames_in_flight"] == 0
        assert found["fer_connections"] == found["fer_recordings"] == found["fer_streams"] == 1
        assert found["fer_history_samples_total"] >= 1
        assert found["fer_hub_lag_seconds_count"] >= 1
        assert found['fer_http_requests_total{status="200"}'] >= 1
        assert answer.headers["X-Request-Id"]
        for secret in ("Anna", session, "127.0.0.1", *(each.value for each in cookies)):
            assert secret not in answer.text
        assert requests.get(f"{server.url}/readyz", timeout=60).json()["ready"]
        wanted = server.wait_for_line(r'"path": "/history/\*"')
        assert wanted
        addresses = server.data_dir / "addresses.txt"
        assert addresses.stat().st_mode & 0o077 == 0
        assert "/?host=" in addresses.read_text()
    output = "".join(server.output)
    assert session not in output
    assert "?host=" not in output
