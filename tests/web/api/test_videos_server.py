"""Real servers that are killed, or stopped, while they have videos."""

import time

import pytest
import requests

from tests.support.made_videos import numbered_frames, write_video
from tests.support.servers import ServerProcess

WAIT_S = 300


class Browser:
    """A browser whose cookies outlive the server."""

    def __init__(self):
        self.session = requests.Session()

    def open(self, server):
        self.url, self.session.headers["Origin"] = f"{server.url}/api/v1/videos", server.url
        self.history = f"{server.url}/api/v1/sessions"
        self.session.get(server.url, timeout=60)
        return self

    def send(self, data):
        answer = self.session.post(
            f"{self.url}?annotated=1", data=data, headers={"Content-Type": "video/x-msvideo"}, timeout=60
        )
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def videos(self):
        return {each["id"]: each for each in self.session.get(self.url, timeout=60).json()["videos"]}

    def wait_for(self, job, *states):
        end_s = time.monotonic() + WAIT_S
        while (video := self.videos()[job])["state"] not in states:
            assert time.monotonic() < end_s, video
            time.sleep(0.1)
        return video


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    short = write_video(folder / "short.avi", numbered_frames(10))
    long = write_video(folder / "long.avi", list(numbered_frames(20)) * 12)
    return short.read_bytes(), long.read_bytes()


@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_videos_are_there_after_a_server_has_ended_and_go_on(tmp_path, clips, mode, how):
    short, long = clips
    options = ("--async-mode", mode, "--detector", "haar", "--workers", "1")
    with ServerProcess(*options, data_dir=tmp_path) as server:
        browser = Browser().open(server)
        done = browser.send(short)
        session = browser.wait_for(done, "finished")["session"]
        runs, waits = browser.send(long), browser.send(short)
        browser.wait_for(runs, "running")
        getattr(server, how)()
    with ServerProcess(*options, data_dir=tmp_path) as server:
        browser.open(server)
        assert browser.videos().keys() == {done, runs, waits}
        assert browser.videos()[done]["session"] == session
        table = browser.session.get(f"{browser.url}/{done}/table.csv", timeout=60)
        assert table.text.startswith("at_s")
        sessions = {browser.wait_for(job, "finished", "failed")["session"] for job in (runs, waits)}
        assert None not in sessions
        assert browser.session.get(browser.history, timeout=60).json()["total"] == 3
        assert browser.session.delete(f"{browser.url}/{done}", timeout=60).status_code == 204
    with ServerProcess(*options, data_dir=tmp_path) as server:
        assert browser.open(server).videos().keys() == {runs, waits}
