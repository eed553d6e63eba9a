"""Videos sent to one of two servers, on PostgreSQL: a worker does them, and both servers know."""

import time

import pytest

from tests.support.callers import HOST, WAIT_S, Caller
from tests.support.job_workers import environment_of_worker, running_worker
from tests.support.made_videos import still, write_video
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.several_processes import environment_of, two_servers

VIDEOS, FRAMES = "/api/v1/videos", 20


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """What servers and workers share: the variables of both."""
    with PostgresServer() as postgres, RedisServer() as redis:
        shared = environment_of(postgres.new_database(), redis.url)
        yield shared | {
            "FER_JOB_WORKERS": redis.url,
            "FER_JOB_FILES": str(tmp_path_factory.mktemp("videos")),
        }


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def pair(request, service):
    with two_servers(service | {"FER_ASYNC_MODE": request.param}) as both:
        yield both


@pytest.fixture
def browser(pair):
    made = Caller(pair[0], HOST)
    made.ask("GET", "/")
    return made


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.avi", [still("happy")] * FRAMES)
    return path.read_bytes()


def sent(browser, clip):
    answer = browser.session.post(
        f"{browser.url}{VIDEOS}?annotated=1",
        data=clip,
        headers={"Content-Type": "video/x-msvideo"},
        timeout=WAIT_S,
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def video_of(browser, job):
    answer = browser.ask("GET", f"{VIDEOS}/{job}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_worker_does_what_one_was_sent_and_the_other_gives_it_out(pair, service, browser, clip):
    elsewhere, stranger = browser.at(pair[1]), Caller(pair[1], HOST)
    job = sent(browser, clip)
    assert video_of(elsewhere, job)["state"] == "queued", "no worker is there yet"
    assert elsewhere.ask("DELETE", f"{VIDEOS}/{sent(browser, clip)}").status_code == 204
    worker = environment_of_worker(FER_DETECTOR="haar", **service)
    end_s = time.monotonic() + WAIT_S
    with running_worker(worker):
        while (video := video_of(elsewhere, job))["state"] not in ("finished", "failed"):
            assert time.monotonic() < end_s, video
            time.sleep(0.1)
    assert (video["state"], video["frames"]) == ("finished", FRAMES), video
    for asked in (browser, elsewhere):
        assert len(asked.ask("GET", f"{VIDEOS}/{job}/table.csv").text.splitlines()) == FRAMES + 1
        assert len(asked.ask("GET", f"{VIDEOS}/{job}/annotated").content) > 1000
        assert asked.ask("GET", f"/api/v1/sessions/{video['session']}").status_code == 200
    stranger.ask("GET", "/")
    assert stranger.ask("GET", f"{VIDEOS}/{job}").status_code == 404
    assert elsewhere.ask("DELETE", f"{VIDEOS}/{job}").status_code == 204
    assert browser.ask("GET", f"{VIDEOS}/{job}").status_code == 404
