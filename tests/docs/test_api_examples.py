"""The examples of docs/api.md and of examples/, run as they stand there against a real server."""

import json
import os
import subprocess
import sys

import cv2
import pytest
import requests

from tests.support.browser.chromium import require_tool
from tests.support.documents import blocks_of
from tests.support.faces import astronaut_bgr, camera_frame_bgr
from tests.support.made_videos import write_video
from tests.support.servers import ROOT, ServerProcess

API = "docs/api.md"
ADDRESS = "http://127.0.0.1:5000"


@pytest.fixture(scope="module")
def server():
    with ServerProcess() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the examples name, and curl set to fail where the server refuses."""
    made = tmp_path_factory.mktemp("api")
    cv2.imwrite(str(made / "photo.jpg"), astronaut_bgr())
    write_video(made / "clip.avi", [camera_frame_bgr()] * 10)
    (made / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    return made


def run(program, text, server, folder, *arguments):
    """Run a text as a program of bash or Python, with our server in it; returns what it printed."""
    text = text.replace(ADDRESS, server.url).replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        [*program, text, *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CURL_HOME": str(folder),
            "FER_DATA_DIR": str(server.data_dir),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shell(text, server, folder):
    require_tool("curl")
    return run(["bash", "-euo", "pipefail", "-c"], text, server, folder)


def test_the_commands_for_pictures(server, folder):
    first, _ = blocks_of(API, "Requests", "sh")
    printed = shell(first, server, folder)
    assert '"status":"ok"' in printed
    assert '"label": "happy"' in printed
    assert '"method": "cam"' in printed
    assert "left,top" in printed
    assert cv2.imread(str(folder / "annotated.jpg")) is not None


def test_the_commands_with_a_key(server, folder):
    _, second = blocks_of(API, "Requests", "sh")
    printed = shell(second, server, folder)
    assert '"state":"queued"' in printed
    assert "laptop" in printed
    assert "fer_" not in printed


def test_the_program_in_python(server, folder):
    program = (ROOT / "examples" / "http_client.py").read_text()
    key = shell(".venv/bin/python -m fer_web keys create program | head -n 1", server, folder).strip()
    printed = run([sys.executable, "-c"], program, server, folder, key)
    assert "happy" in printed.splitlines()[0]
    assert "'happy': 1.0" in printed.splitlines()[1]


def test_a_key_that_a_command_revokes_is_refused_by_the_server_that_runs(server, folder):
    made = json.loads(shell(".venv/bin/python -m fer_web keys create brief --json", server, folder))
    headers = {"Authorization": f"Bearer {made['key']}"}
    ask = lambda: requests.get(f"{server.url}/api/v1/sessions", headers=headers, timeout=60)  # noqa: E731
    assert ask().status_code == 200
    shell(f".venv/bin/python -m fer_web keys revoke {made['id']}", server, folder)
    assert ask().json()["error"]["code"] == "key_revoked"


def test_the_example_streams_a_video(server, folder):
    (line,) = blocks_of(API, "Stream from a script", "sh")
    printed = shell(line.replace("examples/", f"{ROOT}/examples/"), server, folder)
    assert printed.count("happy") == 10


def test_the_example_says_when_there_is_nothing_to_stream(server, folder):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "stream_client.py", server.url, folder / "nothing.avi"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "No frame comes from" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Streams a camera or a video file: python"),
        (("http://127.0.0.1:9", "clip.avi"), "No fer-web answers"),
    ],
)
def test_the_example_says_what_is_wrong_with_its_arguments(folder, arguments, told):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "stream_client.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False)
    assert told in done.stderr
