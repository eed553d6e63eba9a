"""The Dockerfile and compose.yaml fit the repository: what they copy, set and ask for is there."""

import json
import re
import shlex
import shutil
import tomllib
from dataclasses import fields

import pytest
import requests
import yaml

from fer_web.settings import Settings, settings_from
from tests.support.servers import ROOT, ServerProcess

SETTING_NAMES = {f"FER_{item.name.upper()}" for item in fields(Settings)}


def instructions():
    """Pairs of an instruction and its text, in order."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def texts_of(name):
    return [text for instruction, text in instructions() if instruction == name]


def copied():
    """Sources and target of each COPY from the repository."""
    for text in texts_of("COPY"):
        if not text.startswith("--from="):
            *sources, target = text.split()
            yield sources, target


def variables():
    return dict(each.split("=", 1) for text in texts_of("ENV") for each in shlex.split(text))


def test_everything_that_is_copied_is_there_and_not_ignored():
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"]
    for sources, _ in copied():
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source.rstrip("/") in allowed, source
    assert all((ROOT / name).exists() for name in allowed)


def test_nobody_is_root_and_python_is_one_that_fits():
    names = [name for name, _ in instructions()]
    assert texts_of("USER") == ["fer"]
    assert "RUN" not in names[names.index("USER") :]
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert needed == ">=3.11,<3.14"
    assert "python:3.12-slim" in texts_of("FROM")


def test_its_variables_are_settings_with_values_that_are_allowed():
    given = {name: value for name, value in variables().items() if name.startswith("FER_")}
    assert settings_from(json.loads(texts_of("ENTRYPOINT")[0])[2:], given).port == Settings.port
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["fer-web"]
    assert service["network_mode"] == "host"
    assert service["environment"].keys() <= SETTING_NAMES
    defaults = {
        name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", text) for name, text in service["environment"].items()
    }
    settings = settings_from([], defaults)
    assert (settings.is_shared, settings.is_loopback) == (False, True)
    assert settings_from([], {**defaults, "FER_SHARE": "on"}).is_shared
    volume, folder = service["volumes"][0].split(":")
    assert folder == given["FER_DATA_DIR"] == texts_of("VOLUME")[0]
    assert volume in yaml.safe_load((ROOT / "compose.yaml").read_text())["volumes"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder with what the image holds."""
    folder = tmp_path_factory.mktemp("image")
    for sources, target in copied():
        for source in sources:
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, folder / target, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / source, folder / target)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def test_the_server_runs_from_what_is_copied_alone_and_the_health_check_passes(image, monkeypatch):
    class ImageServer(ServerProcess):
        PROGRAM = (str(image / "app.py"),)

    (check,) = texts_of("HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    assert command[:2] == ["python", "-c"]
    with ImageServer() as server:
        assert requests.get(server.url, timeout=60).status_code == 200
        monkeypatch.setenv("FER_PORT", str(server.port))
        exec(command[2], {})
    with pytest.raises(OSError, match="refused"):
        exec(command[2], {})
