"""The camera command as a process of its own: recorded, ended by signals, with streams that break."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from fer_web.commands.main import main
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from tests.support.faces import astronaut_bgr
from tests.support.servers import ROOT
from tests.support.stream_server import StreamServer, mpeg_ts


@pytest.fixture(scope="module")
def film():
    return mpeg_ts(astronaut_bgr(), count=15)


def start(tmp_path, url, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "fer_web", "camera", url, "--data-dir", str(tmp_path), "--json", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sessions(tmp_path):
    repository = open_history("", tmp_path)
    try:
        return [
            repository.get_session(each.id, None)
            for each in repository.list_sessions(SessionFilter(), None).sessions
        ]
    finally:
        repository.close()


def wait_for_samples(tmp_path, least=1):
    for _ in range(300):
        if (tmp_path / "history.sqlite3").exists() or list(tmp_path.glob("*.sqlite*")):
            found = sessions(tmp_path)
            if found and found[0].samples >= least:
                return
        time.sleep(0.2)
    raise AssertionError("nothing was recorded")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_what_was_recorded_is_kept(tmp_path, film, number):
    with StreamServer(film, ["runs"]) as server:
        process = start(tmp_path, server.url, "--name", "Rehearsal")
        wait_for_samples(tmp_path)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False)
    (session,) = sessions(tmp_path)
    report = json.loads(out)
    assert (report["session"], session.name, session.state) == (session.id, "Rehearsal", "finished")
    assert session.samples >= 1
    assert session.settings["camera"] == server.url


def test_a_stream_that_breaks_and_hangs_goes_on_in_the_same_session(tmp_path, film):
    with StreamServer(film, ["ends", "hangs", "runs"]) as server:
        process = start(tmp_path, server.url, "--duration", "8", "--timeout", "1")
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(out)["reconnects"] >= 2
    assert "is there again" in err
    (session,) = sessions(tmp_path)
    assert (session.state, session.length_s > 3) == ("finished", True)


@pytest.mark.parametrize("turn", ["refuses", "silent"])
def test_one_that_is_not_there_is_given_up_with_its_reason(tmp_path, film, turn):
    with StreamServer(film, [turn]) as server:
        process = start(tmp_path, server.url, "--wait", "3", "--timeout", "1")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "Nothing was recorded" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert sessions(tmp_path) == []


def test_the_page_shows_the_picture_to_this_machine_alone(tmp_path, film):
    with StreamServer(film, ["runs"]) as server:
        process = start(tmp_path, server.url, "--show")
        line = next(line for line in process.stderr if "is shown at" in line)
        url = re.search(r"shown at (http://127\.0\.0\.1:\d+/)", line)[1]
        assert b'<img src="/stream"' in urllib.request.urlopen(url, timeout=30).read()
        with urllib.request.urlopen(f"{url}stream", timeout=60) as stream:
            assert b"\xff\xd8\xff" in stream.read(3000)
        other = urllib.request.Request(url, headers={"Host": "evil.example:80"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(other, timeout=30)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("camera", ["file:///etc/passwd", "nothing", "rtsp://"])
def test_no_camera_is_refused_in_one_line(capsys, camera):
    assert main(["camera", camera], {}) == 1
    err = capsys.readouterr().err
    assert (err.count("\n"), "is no camera" in err) == (1, True)
