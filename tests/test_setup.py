"""The two commands on a machine without Node: npm comes from PyPI, and the second time costs nothing."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import without_make
from tests.support.servers import ROOT

NODE_NAMES = ("node", "nodejs", "npm", "npx", "corepack")


def path_without_node(folder: Path) -> str:
    """A PATH of links to every command of this machine but Node's."""
    for directory in reversed(os.environ["PATH"].split(os.pathsep)):
        for command in Path(directory).glob("*") if directory else []:
            link = folder / command.name
            if command.name not in NODE_NAMES and os.access(command, os.X_OK) and command.is_file():
                link.unlink(missing_ok=True)
                link.symlink_to(command)
    return str(folder)


@pytest.fixture
def fresh_copy(tmp_path):
    copy = tmp_path / "fer-web"
    copy.mkdir()
    for name in (
        "Makefile",
        "package.json",
        "package-lock.json",
        ".npmrc",
        "requirements.txt",
        "requirements-serve.txt",
    ):
        shutil.copy(ROOT / name, copy / name)
    return copy


def test_packages_install_without_node_and_once_only(fresh_copy, tmp_path):
    (tmp_path / "bin").mkdir()
    environment = {**without_make(os.environ), "PATH": path_without_node(tmp_path / "bin")}
    assert shutil.which("node", path=environment["PATH"]) is None

    def make():
        return subprocess.run(
            ["make", "node_modules/.installed"],
            cwd=fresh_copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    first = make()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "No Node.js" in first.stdout
    assert (fresh_copy / "node_modules/socket.io-client/dist/socket.io.esm.min.js").is_file()
    assert (fresh_copy / "node_modules/@mediapipe/face_detection/face_detection_short_range.tflite").is_file()
    # What only the checks need is not installed to serve.
    assert not (fresh_copy / "node_modules/typescript").exists()
    assert "up to date" in make().stdout
    # What the server says when a package is gone is `make setup`: that must bring it back.
    shutil.rmtree(fresh_copy / "node_modules/socket.io-client")
    assert make().returncode == 0
    assert (fresh_copy / "node_modules/socket.io-client/dist/socket.io.esm.min.js").is_file()


def test_node_of_the_system_is_used_where_it_is_new_enough(fresh_copy, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("node", "npm"):
        (commands / name).write_text(f"#!/bin/sh\n[ {name} = npm ] && mkdir -p node_modules\nexit 0\n")
        (commands / name).chmod(0o755)
    environment = {**without_make(os.environ), "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(
        ["make", "node_modules/.installed"],
        cwd=fresh_copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No Node.js" not in run.stdout
    assert (fresh_copy / "node_modules/.installed").is_file()


def test_old_python_is_refused_with_what_to_do(fresh_copy, tmp_path):
    fake = tmp_path / "python3.9"
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.1"\nexit 1\n')
    fake.chmod(0o755)
    run = subprocess.run(
        ["make", f"PYTHON={fake}", ".venv/bin/python"],
        cwd=fresh_copy,
        env=without_make(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed, Python 3.9.1 was found" in run.stdout


def test_lock_file_names_no_registry():
    assert "resolved" not in (ROOT / "package-lock.json").read_text()


def test_set_up_says_what_it_does_and_installs_what_serving_needs_alone(fresh_copy, tmp_path):
    calls = tmp_path / "calls"
    program = tmp_path / "venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(calls))}\n')
    program.chmod(0o755)

    def make(target):
        done = subprocess.run(
            ["make", target, f"VENV={tmp_path / 'venv'}"],
            cwd=fresh_copy,
            env=without_make(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = make(f"{tmp_path / 'venv'}/.runtime")
    assert "== Python packages of the server: about" in said
    assert calls.read_text().split()[-1] == "requirements-serve.txt"
    assert "--quiet" not in calls.read_text()
    assert "== Python packages of training: TensorFlow" in make("setup-train")
    assert calls.read_text().split()[-1] == "requirements.txt"
    assert "up to date" in make(f"{tmp_path / 'venv'}/.runtime")
