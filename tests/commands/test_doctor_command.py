import json
import subprocess
import sys

import pytest

from fer_web.commands.doctor import describe
from fer_web.commands.main import build_parser, main
from fer_web.doctor.check import Check
from tests.support.servers import ROOT


@pytest.fixture
def doctor(capsys, tmp_path, monkeypatch):
    """Runs doctor on a data folder of its own; test_installation.py imports every package."""
    total = Check("packages", "ok", "all there")
    monkeypatch.setattr("fer_web.commands.doctor.check_packages", lambda: [total])
    monkeypatch.setattr("fer_web.commands.doctor.check_training", lambda _: [total])

    def call(*arguments, **environment):
        status = main(
            ["doctor", "--data-dir", str(tmp_path / "data"), "--port", "0", *arguments], environment
        )
        return status, capsys.readouterr().out

    return call


def test_a_good_set_up_is_status_0(doctor, tmp_path):
    status, out = doctor("--json")
    report = json.loads(out)
    assert (status, report["ok"]) == (0, True)
    names = [check["name"] for check in report["checks"]]
    assert names == [
        "Python", "packages", "npm files", "detector", "model", "data folder", "secret", "database", "disk",
        "port", "packages",
    ]  # fmt: skip
    assert {check["status"] for check in report["checks"]} <= {"ok", "warning"}
    assert not (tmp_path / "data").exists()


def test_a_problem_is_status_1_and_says_what_mends_it(doctor, tmp_path):
    (tmp_path / "data").write_text("a file")
    status, out = doctor()
    assert status == 1
    assert "problem  data folder:" in out
    assert "mend: give yourself the folder" in out
    assert "ok       model: " in out
    assert "problems" in out.splitlines()[-1]


def test_a_missing_model_does_not_stop_the_other_checks(doctor):
    status, out = doctor("--model", "nowhere", "--json")
    checks = {check["name"]: check["status"] for check in json.loads(out)["checks"]}
    assert (status, checks["model"], checks["port"]) == (1, "problem", "ok")


def test_a_wrong_environment_is_a_problem_of_its_own(doctor):
    status, out = doctor("--json", FER_NONSENSE="1")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert (status, checks["settings"]["status"]) == (1, "problem")
    assert "FER_NONSENSE" in checks["settings"]["message"]
    assert checks["model"]["status"] == "ok"


def test_describe_puts_what_mends_it_on_a_line_of_its_own():
    assert describe(Check("port", "ok", "free")) == "ok       port: free"
    first, second = describe(Check("disk", "warning", "little", "free some")).splitlines()
    assert (first, second.strip()) == ("warning  disk: little", "mend: free some")


def test_help_has_examples_and_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["doctor", "--help"])
    text = capsys.readouterr().out
    assert "python -m fer_web doctor" in text
    assert "exit status" in text


WITHOUT = """
import runpy, sys
for name in ("cv2", "sqlalchemy", "numpy"):
    sys.modules[name] = None
import fer_web.doctor.installation as installation
installation.import_all = lambda names: dict.fromkeys(names, "")
runpy.run_module("fer_web", run_name="__main__")
"""


def without_packages(tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        cwd=ROOT,
        env={"FER_DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_doctor_runs_where_packages_are_missing(tmp_path):
    done = without_packages(tmp_path, "doctor", "--json")
    assert done.returncode == 1, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["model"]["status"] == "problem"
    assert "without the package numpy" in checks["model"]["message"]
    assert checks["disk"]["status"] in ("ok", "warning")


def test_other_tools_without_packages_name_the_doctor(tmp_path):
    done = without_packages(tmp_path, "predict", "x.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "python -m fer_web doctor" in done.stderr
