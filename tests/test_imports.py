"""Imports go right only; ARCHITECTURE.md shows the order."""

import ast
from pathlib import Path

import pytest

from tests.servers import ROOT

LAYERS = {
    "fer_web.labels": 0,
    "fer_web.errors": 0,
    "fer_web.interrupts": 0,
    "fer_web.settings": 1,
    "fer_web.vendor_files": 2,
    "fer_web.eventlet_websocket": 2,
    "fer_web.server_log": 2,
    "fer_web.listeners": 2,
    "fer_web.paced_input": 2,
    "fer_web.eventlet_serving": 3,
    "fer_web.threaded_serving": 3,
    "fer_web.secret_file": 2,
    "fer_web.command_line": 2,
    "fer_web.vision": 3,
    "fer_web.inference": 4,
    "fer_web.history": 4.5,  # its database keeps what sharing remembers
    "fer_web.analysis": 5,
    "fer_web.sharing": 5,
    "fer_web.server": 5,
    "fer_web.realtime": 6,
    "fer_web.web": 6,
    "fer_web.start": 6,
    "fer_web.factory": 7,
    "fer_web.history_commands": 6,
    "fer_web.keys_commands": 6,
    "fer_web.analysis_commands": 6,
    "fer_web.doctor": 6,
    "fer_web.doctor_commands": 7,
    "fer_web.predict_commands": 7,
    "fer_web.folder_commands": 7,
    "fer_web.video_commands": 7,
    "fer_web.models_commands": 8,
    "fer_web.cli": 9,
    "fer_web.__main__": 10,
}
FRAMEWORKS = ("flask", "flask_socketio", "socketio", "engineio", "eventlet")
FRAMEWORK_FREE = tuple(
    f"fer_web.{name}" for name in ("vision", "inference", "history", "analysis", "sharing")
)
MODULES = sorted((ROOT / "fer_web").rglob("*.py"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:2]) if parts[1] != "__init__" else "fer_web"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_is_to_its_right(path: Path):
    layer = LAYERS.get(name_of(path), -1)
    for imported in imports_of(path):
        package = ".".join(imported.split(".")[:2])
        assert not imported.startswith(("train", "tests", "benchmarks")), imported
        if package in LAYERS and package != name_of(path):
            assert LAYERS[package] < layer, f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_layers_below_the_server_know_no_framework(path: Path):
    if name_of(path) in FRAMEWORK_FREE:
        assert not [name for name in imports_of(path) if name.split(".")[0] in FRAMEWORKS]


def test_every_module_has_a_layer():
    assert {name_of(path) for path in MODULES} - {"fer_web"} == set(LAYERS)


def test_train_imports_only_what_it_may():
    metrics = ("classification_report", "confusion_plot", "text_tables")
    allowed = ("fer_web.labels", "fer_web.errors", "fer_web.vision", "fer_web.inference")
    allowed += tuple(f"fer_web.analysis.{name}" for name in metrics)
    for path in (ROOT / "train").rglob("*.py"):
        for imported in imports_of(path):
            if imported.startswith("fer_web"):
                assert imported.startswith(allowed), f"{path.name} imports {imported}"
