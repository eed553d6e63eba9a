"""A real server with a network of somebody else's: seven scores, by the rules it was read with."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import requests
import socketio

from fer_web.labels import EMOTIONS
from fer_web.vision.frames import encode_jpeg
from tests.support import custom_networks as networks
from tests.support.clients import send
from tests.support.faces import astronaut_bgr
from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.servers import ROOT, ServerProcess

pytestmark = KERAS_WARNINGS


@pytest.mark.parametrize("async_mode", ["eventlet", "threading"])
def test_a_server_answers_with_seven_scores_of_a_foreign_network(tmp_path, async_mode):
    path = networks.save_keras(networks.sequential_48(), tmp_path)
    labels = ",".join(sorted(EMOTIONS))
    options = ("--model", str(path), "--labels", labels, "--scaling", "-1..1", "--async-mode", async_mode)
    with ServerProcess(*options, "--workers", "2") as server:
        with socketio.SimpleClient(request_timeout=60) as client:
            client.connect(server.url, transports=["websocket"], wait_timeout=60)
            replies = [send(client, encode_jpeg(astronaut_bgr()), seq) for seq in range(4)]
        page = requests.get(server.url, timeout=60).text
        log = "".join(server.output)
        assert server.stop(timeout_s=60) == 0  # with TensorFlow in it, Python takes seconds to end
    for reply in replies:
        (face,) = reply["faces"]
        assert list(face["scores"]) == list(EMOTIONS)
        assert sum(face["scores"].values()) == pytest.approx(1, abs=0.01)
    assert "model.keras: its confidence is not calibrated" in log
    assert "--labels" not in log
    assert "Its confidence is not calibrated" in page
    assert (
        json.loads(re.search(r'name="fer-options" content="([^"]*)"', page)[1].replace("&#34;", '"'))[
            "model"
        ]["name"]
        == "model.keras"
    )


@pytest.mark.parametrize("name", ["nothing.keras", "broken.h5"])
def test_a_server_refuses_a_broken_one_in_one_line(tmp_path, name):
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    run = subprocess.run(
        [
            sys.executable,
            "app.py",
            "--port",
            "0",
            "--model",
            str(tmp_path / name),
            "--data-dir",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert str(tmp_path / name) in run.stderr


def test_a_network_gives_a_stream_the_scores_that_keras_gives(tmp_path):
    model = networks.sequential_48()
    path = networks.save_tflite(model, tmp_path)
    with ServerProcess("--model", str(path), "--smoothing-s", "0", "--workers", "1") as server:
        with socketio.SimpleClient(request_timeout=60) as client:
            client.connect(server.url, transports=["websocket"], wait_timeout=60)
            (face,) = send(client, encode_jpeg(astronaut_bgr()), 0)["faces"]
        assert not [name for name in server.loaded_modules() if "tensorflow" in name]
    scores = np.array(list(face["scores"].values()))
    expected = np.asarray(model(networks.faces_for((48, 48))[:1] / np.float32(255)))[0]
    # The server's own detector frames the face a little differently.
    assert np.corrcoef(scores, expected)[0, 1] > 0.9
