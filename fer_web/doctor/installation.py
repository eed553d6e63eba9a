"""Python, its packages, npm's files, backends and other programs."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from fer_web.doctor.check import MEND_SETUP, Check
from fer_web.settings import ROOT, Settings
from fer_web.training_packages import MEND_TRAINING
from fer_web.vendor_files import BLAZEFACE_PATH, BROWSER_MODULES, find_esbuild

SERVING_REQUIREMENTS: Final = ROOT / "requirements-serve.txt"
TRAINING_REQUIREMENTS: Final = ROOT / "requirements.txt"
"""Its first line names the other file; the rest is what training needs beside it."""
OLDEST_PYTHON: Final = (3, 11)
NEWEST_PYTHON: Final = (3, 13)

_MODULES: Final = {
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "python-engineio": "engineio",
    "python-socketio": "socketio",
}
"""A package is imported by this name, if it does not follow from its own."""

_OTHER_OPENCV: Final = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
"""They put their files where opencv-python-headless has its own; the last one installed wins."""

_IMPORT_ALL: Final = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        reason = ""
    except BaseException as exc:
        reason = f"{type(exc).__name__}: {exc}".splitlines()[0]
    print(json.dumps([name, reason]), file=sys.__stdout__, flush=True)
"""
_IMPORT_TIMEOUT_S: Final = 180


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Check]:
    """Check whether the packages have builds for this Python."""
    text = ".".join(map(str, version))
    if OLDEST_PYTHON <= version[:2] <= NEWEST_PYTHON:
        yield Check("Python", "ok", text)
    else:
        mend = "install Python 3.11, 3.12 or 3.13, then: make clean setup PYTHON=python3.13"
        yield Check("Python", "problem", f"{text}; 3.11 to 3.13 are needed", mend)


def check_packages(
    requirements: Path = SERVING_REQUIREMENTS, mend: str = MEND_SETUP, name_of_all: str = "packages"
) -> Iterator[Check]:
    """Check whether each pinned package is there, at its version, and can be imported.

    Args:
        mend: the command that installs them.
        name_of_all: name of the check that counts them.
    """
    pinned = dict(read_pins(requirements))
    good = 0
    reasons = import_all([module_of(name) for name in pinned if installed_version(name)])
    for name, version in pinned.items():
        found, reason = installed_version(name), reasons.get(module_of(name), "")
        if found is None:
            yield Check("package", "problem", f"{name} {version} is missing", mend)
        elif reason:
            yield Check("package", "problem", f"{name} {found} cannot be imported: {reason}", mend)
        elif found != version:
            yield Check("package", "warning", f"{name} is {found}, tested is {version}", mend)
        else:
            good += 1
    yield from _check_other_opencv(pinned)
    yield Check(name_of_all, "ok", f"{good} of {len(pinned)} are there at their versions and can be imported")


def read_pins(requirements: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each package that this machine needs. Raises ValueError: one has no version."""
    from packaging.requirements import Requirement  # itself a package that may be missing

    for line in requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            yield requirement.name, pin.version


def module_of(package: str) -> str:
    """The module that a package is imported by."""
    return _MODULES.get(package, package.lower().replace("-", "_"))


def installed_version(package: str) -> str | None:
    """Version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def import_all(modules: list[str]) -> dict[str, str]:
    """Import modules in other processes, since a damaged one may end its process.

    Returns: for each module why it cannot be imported; empty where it can.
    """
    reasons: dict[str, str] = {}
    while left := [name for name in modules if name not in reasons]:
        command = [sys.executable, "-c", _IMPORT_ALL, *left]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=_IMPORT_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return reasons | dict.fromkeys(left, f"takes longer than {_IMPORT_TIMEOUT_S} s")
        reasons |= dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
        if unfinished := [name for name in left if name not in reasons]:
            reasons[unfinished[0]] = f"it ends the program with status {done.returncode}"
    return reasons


def check_npm_files(
    settings: Settings, modules: Mapping[str, Path] = BROWSER_MODULES, blazeface: Path = BLAZEFACE_PATH
) -> Iterator[Check]:
    """Check for the page's modules and the detector's weights, and that the detector opens."""
    mend = "make setup (without make: npm ci --ignore-scripts)"
    missing = [name for name, path in modules.items() if not path.is_file()]
    if missing:
        yield Check("npm files", "problem", f"the page lacks {', '.join(missing)}", mend)
    else:
        yield Check("npm files", "ok", "the page's modules are there")
    if find_esbuild() is None:
        yield Check("npm files", "warning", "esbuild is missing: pages load slower, in many files", mend)
    yield from _check_detector(settings, blazeface, mend)


def _check_detector(settings: Settings, blazeface: Path, mend: str) -> Iterator[Check]:
    import numpy as np

    from fer_web.vision.faces import build_detector

    if settings.detector == "auto" and not blazeface.is_file():
        message = f"{blazeface} is missing: Haar stands in, which finds fewer faces"
        yield Check("detector", "warning", message, mend)
    name = (
        settings.detector if settings.detector != "auto" else "blazeface" if blazeface.is_file() else "haar"
    )
    build_detector(name, blazeface).search(np.zeros((240, 320, 3), np.uint8))
    yield Check("detector", "ok", f"{name} opens and searches")


def check_training(
    environment: Mapping[str, str], requirements: Path = TRAINING_REQUIREMENTS
) -> Iterator[Check]:
    """Check the packages of training and Keras' backend; that none of them is there is fine."""
    if any(installed_version(name) for name, _ in read_pins(requirements)):
        yield from check_packages(requirements, MEND_TRAINING, "training packages")
        yield from check_backends(environment)
    else:
        message = f"not installed; only training and Keras models of your own need it: {MEND_TRAINING}"
        yield Check("training", "ok", message)


def check_backends(environment: Mapping[str, str]) -> Iterator[Check]:
    """Check which of Keras' backends are installed, and whether the chosen one is."""
    names = ("tensorflow", "jax", "torch")
    there = [name for name in names if importlib.util.find_spec(name)]
    chosen = environment.get("KERAS_BACKEND", "tensorflow")
    if chosen in there:
        yield Check("training", "ok", f"Keras runs on {chosen}; installed: {', '.join(there)}")
    else:
        mend = "unset KERAS_BACKEND, or install its line of requirements-backends.txt"
        yield Check(
            "training", "problem", f"KERAS_BACKEND is {chosen!r}; installed: {', '.join(there)}", mend
        )


def _check_other_opencv(pinned: Mapping[str, str]) -> Iterator[Check]:
    ours = "opencv-python-headless"
    for name in _OTHER_OPENCV:
        if installed_version(name):
            pip = ".venv/bin/python -m pip"
            mend = f"{pip} uninstall {name}; {pip} install --force-reinstall {ours}=={pinned.get(ours, '')}"
            yield Check("package", "warning", f"{name} overwrites files of {ours}", mend)
