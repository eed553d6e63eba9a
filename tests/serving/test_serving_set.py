"""The server and its commands work with what requirements-serve.txt installs, and say what the rest needs."""

import io
import json
import subprocess
import sys
import zipfile

import cv2
import pytest
import requests

from tests.support.faces import astronaut_bgr
from tests.support.servers import ROOT, ServerProcess
from tests.support.serving_only import installed_by

PROGRAM = "tests/support/serving_only.py"


class ServingSetServer(ServerProcess):
    """A server for which nothing else is installed."""

    PROGRAM = (PROGRAM, "app.py")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("serving_set") / "happy" / "astronaut.jpg"
    path.parent.mkdir()
    cv2.imwrite(str(path), astronaut_bgr())
    return path


def run(*arguments):
    command = [sys.executable, PROGRAM, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_set_leaves_out_what_only_training_needs():
    names = installed_by(ROOT / "requirements-serve.txt")
    assert {"flask", "numpy", "opencv-python-headless", "ai-edge-litert", "psycopg-binary"} <= names
    assert not names & {"tensorflow", "keras", "h5py", "jax", "torch"}


def test_requirements_are_the_set_and_what_training_needs():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert "-r requirements-serve.txt" in lines
    pins = [line.split("==")[0] for line in lines if "==" in line]
    assert pins == ["tensorflow", "keras"]


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_the_server_starts_and_analyses_a_picture(mode, picture):
    with ServingSetServer("--async-mode", mode) as server:
        with picture.open("rb") as image:
            answer = requests.post(f"{server.url}/api/v1/predict", files={"image": image}, timeout=60)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["faces"]) == 1
        for path in ("/", "/history", "/analyze", "/api"):
            assert requests.get(server.url + path, timeout=60).status_code == 200


def test_a_labelled_folder_is_scored_and_drawn(picture, tmp_path):
    done = run("fer_web", "test-folder", picture.parent.parent, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scored"] == 1
    assert (tmp_path / "out" / "confusion.png").stat().st_size > 1000


def test_doctor_finds_no_problem_and_says_what_training_would_need(tmp_path):
    done = run("fer_web", "doctor", "--port", "0", "--data-dir", tmp_path, "--json")
    checks = json.loads(done.stdout)["checks"]
    assert not [check for check in checks if check["status"] == "problem"]
    (training,) = (check for check in checks if check["name"] == "training")
    assert "make setup-train" in training["message"]


def keras_archive(folder):
    path = folder / "mine.keras"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("config.json", "{}")
    path.write_bytes(content.getvalue())
    return path


@pytest.mark.parametrize(("command", "status"), [("predict", 1), ("app", 2)])
def test_a_keras_model_says_what_to_install(command, status, picture, tmp_path):
    model = keras_archive(tmp_path)
    if command == "predict":
        done = run("fer_web", "predict", picture, "--model", model)
    else:
        arguments = [sys.executable, PROGRAM, "app.py", "--port", "0", "--model", model]
        arguments += ["--data-dir", tmp_path / "data"]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stderr
    assert "needs tensorflow, keras, h5py, which the server does without" in done.stderr
    assert "make setup-train" in done.stderr
    assert "pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_training_says_what_to_install():
    done = run("train", "report", "models/flagship")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Training needs tensorflow, keras")
    assert "make setup-train" in done.stderr


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_answers_name_no_versions_of_libraries(mode):
    with ServerProcess("--async-mode", mode, "--detector", "haar") as server:
        answer = requests.get(f"{server.url}/livez", timeout=60)
    shown = " ".join(answer.headers.values()).lower()
    assert not [name for name in ("werkzeug", "python", "eventlet", "flask") if name in shown]
