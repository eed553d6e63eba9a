import importlib.util
import sys

import pytest

from fer_web.doctor.check import Check, without_traceback
from fer_web.doctor.installation import (
    SERVING_REQUIREMENTS,
    TRAINING_REQUIREMENTS,
    check_backends,
    check_npm_files,
    check_packages,
    check_python,
    check_training,
    import_all,
    installed_version,
    module_of,
    read_pins,
)
from fer_web.errors import SetupError
from fer_web.settings import Settings


def statuses(checks):
    return [check.status for check in checks]


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ((3, 10, 9), "problem"),
        ((3, 11, 0), "ok"),
        ((3, 13, 5), "ok"),
        ((3, 14, 0), "problem"),
        ((2, 7, 1), "problem"),
    ],
)
def test_python_versions(version, status):
    (check,) = check_python(version)
    assert check.status == status
    assert bool(check.mend) == (status == "problem")


def test_the_pins_are_those_of_the_requirements_and_all_are_modules():
    pins, training = dict(read_pins(SERVING_REQUIREMENTS)), dict(read_pins(TRAINING_REQUIREMENTS))
    assert pins["Flask"] == installed_version("flask")
    assert {"numpy", "opencv-python-headless", "psycopg"} <= pins.keys()
    assert training.keys() == {"tensorflow", "keras"}
    for name in pins | training:
        assert importlib.util.find_spec(module_of(name)), name


def test_pins_for_other_machines_are_left_out(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(
        '# text\nnumpy==1.0  # why\nother==2.0; sys_platform == "plan9"\npsycopg[binary]==3.1\n\n'
    )
    assert dict(read_pins(path)) == {"numpy": "1.0", "psycopg": "3.1"}


def test_packages_as_pinned_are_ok(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(
        f"numpy=={installed_version('numpy')}\nplatformdirs=={installed_version('platformdirs')}\n"
    )
    (check,) = check_packages(path)
    assert (check.status, check.message[:6]) == ("ok", "2 of 2")


def test_packages_missing_and_of_another_version_are_named_with_what_mends_them(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("numpy==1.0\nno-such-package==3.2\n")
    other, missing, total = check_packages(path)
    assert (other.status, "numpy is" in other.message, "1.0" in other.message) == ("warning", True, True)
    assert (missing.status, missing.message) == ("problem", "no-such-package 3.2 is missing")
    assert "pip install -r requirements-serve.txt" in missing.mend
    assert total.message.startswith("0 of 2")


def test_a_package_that_does_not_import_is_a_problem(tmp_path, monkeypatch):
    path = tmp_path / "requirements.txt"
    path.write_text(f"numpy=={installed_version('numpy')}\n")
    monkeypatch.setattr(
        "fer_web.doctor.installation.import_all", lambda _names: {"numpy": "ImportError: no BLAS"}
    )
    check, _ = check_packages(path)
    assert (check.status, "no BLAS" in check.message) == ("problem", True)


def test_import_all_tells_each_reason_and_survives_crashes(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('broken\\nin two lines')")
    (tmp_path / "crashing_module.py").write_text("import os\nos._exit(3)")
    (tmp_path / "talking_module.py").write_text("print('[hello]')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ["json", "broken_module", "crashing_module", "no_such_module", "csv"]
    reasons = import_all(names)
    assert list(reasons) == names
    assert (reasons["json"], reasons["csv"]) == ("", "")
    assert reasons["broken_module"] == "RuntimeError: broken"
    assert reasons["crashing_module"] == "it ends the program with status 3"
    assert "No module named" in reasons["no_such_module"]


def test_a_second_opencv_is_a_warning(tmp_path, monkeypatch):
    path = tmp_path / "requirements.txt"
    path.write_text(f"opencv-python-headless=={installed_version('opencv-python-headless')}\n")
    found = {"opencv-python": "4.13.0", "opencv-python-headless": installed_version("opencv-python-headless")}
    monkeypatch.setattr("fer_web.doctor.installation.installed_version", found.get)
    check, _ = check_packages(path)
    assert (check.status, check.message.split()[0]) == ("warning", "opencv-python")
    assert "uninstall opencv-python;" in check.mend


def test_npm_files_that_are_there():
    assert statuses(check_npm_files(Settings())) == ["ok", "ok"]


def test_without_esbuild_pages_load_slower(monkeypatch):
    monkeypatch.setattr("fer_web.doctor.installation.find_esbuild", lambda: None)
    page, bundler, detector = check_npm_files(Settings())
    assert [page.status, bundler.status, detector.status] == ["ok", "warning", "ok"]
    assert "npm ci" in bundler.mend


def test_npm_files_missing_are_named(tmp_path):
    settings = Settings()
    page, detector, stand_in = check_npm_files(
        settings, {"x.js": tmp_path / "x.js"}, tmp_path / "face.tflite"
    )
    assert (page.status, "x.js" in page.message) == ("problem", True)
    assert (detector.status, "Haar stands in" in detector.message) == ("warning", True)
    assert (stand_in.status, stand_in.message) == ("ok", "haar opens and searches")
    assert "npm ci" in page.mend
    assert "make setup" in detector.mend


def test_a_detector_that_was_asked_for_and_is_missing_is_a_problem(tmp_path):
    settings = Settings(detector="blazeface")
    checks = list(
        without_traceback("npm files", lambda: check_npm_files(settings, {}, tmp_path / "face.tflite"))
    )
    assert statuses(checks) == ["ok", "problem"]
    assert "make setup" in checks[1].message


def test_a_damaged_detector_is_a_problem(tmp_path):
    (tmp_path / "face.tflite").write_bytes(b"x" * 1000)
    checks = list(
        without_traceback("npm files", lambda: check_npm_files(Settings(), {}, tmp_path / "face.tflite"))
    )
    assert statuses(checks) == ["ok", "problem"]
    assert "damaged" in checks[1].message


def test_without_packages_of_training_all_is_well(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("-r requirements-serve.txt\nno-such-package==3.2\n")
    (check,) = check_training({}, path)
    assert (check.status, "make setup-train" in check.message) == ("ok", True)


def test_packages_of_training_that_are_not_whole_are_a_problem(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(f"numpy=={installed_version('numpy')}\nno-such-package==3.2\n")
    missing, total, backend = check_training({}, path)
    assert [missing.status, total.name, backend.status] == ["problem", "training packages", "ok"]
    assert "make setup-train" in missing.mend


def test_backends(monkeypatch):
    assert statuses(check_backends({})) == ["ok"]
    (check,) = check_backends({"KERAS_BACKEND": "nonsense"})
    assert (check.status, "requirements-backends.txt" in check.mend) == ("problem", True)


def test_guarded_turns_whatever_happens_into_a_problem():
    def failing(error):
        def check():
            yield Check("a", "ok", "first")
            raise error

        return check

    for error, text in (
        (ModuleNotFoundError("No module named 'x'", name="x"), "without the package x"),
        (SetupError("It is broken. Mend it."), "It is broken. Mend it."),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
    ):
        first, second = without_traceback("b", failing(error))
        assert (first.status, second.status, second.name) == ("ok", "problem", "b")
        assert text in second.message
    assert sys.version_info >= (3, 11)
