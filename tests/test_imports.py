"""Imports go from higher layers to lower ones only; ARCHITECTURE.md draws them."""

import ast
from pathlib import Path

import pytest

from tests.support.servers import ROOT

LAYERS = (
    ("labels", "errors", "interrupts"),
    ("settings", "rate_limit", "metrics", "training_packages", "data_sets"),
    ("vendor_files", "secret_file", "storage", "vision", "backplane"),
    ("inference", "sharing"),
    ("events", "history", "serving"),
    ("analysis",),
    ("realtime", "web", "doctor"),
    ("factory",),
    ("commands",),
    ("__main__",),
)
"""The modules and packages of fer_web; each may import those of the rows before its own."""

TRAIN_LAYERS = (
    ("config",),
    ("data",),
    ("metrics", "networks"),
    ("runs",),
    ("fit", "evaluation", "certainty"),
    ("export",),
    ("__main__",),
)
"""The same of train."""

LAYER_OF = {
    f"{package}.{name}": row
    for package, layers in (("fer_web", LAYERS), ("train", TRAIN_LAYERS))
    for row, names in enumerate(layers)
    for name in names
}
FRAMEWORKS = ("flask", "flask_socketio", "socketio", "engineio", "eventlet")
FRAMEWORK_FREE = ("metrics", "storage", "backplane", "vision", "inference", "events", "history", "analysis")
FRAMEWORK_FREE += ("sharing",)
OPEN_TO_TRAIN = tuple(
    f"fer_web.{name}"
    for name in ("labels", "errors", "metrics", "data_sets", "vision", "inference", "training_packages")
)
MODULES = sorted(path for package in ("fer_web", "train") for path in (ROOT / package).rglob("*.py"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room_of(path):
    """fer_web.web of fer_web/web/api/share.py; fer_web of its __init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts[:2] if part != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_from_lower_layers(path: Path):
    room = room_of(path)
    for imported in imports_of(path):
        other = ".".join(imported.split(".")[:2])
        is_own = other.split(".")[0] == room.split(".")[0]
        if is_own and other in LAYER_OF and other != room:
            assert LAYER_OF[other] < LAYER_OF.get(room, 0), f"{path.name} imports {imported}"


def test_every_module_has_a_layer():
    assert {room_of(path) for path in MODULES} - {"fer_web", "train"} == set(LAYER_OF)


def test_layers_below_the_server_know_no_framework():
    for name in FRAMEWORK_FREE:
        for path in (ROOT / "fer_web" / name).rglob("*.py"):
            assert not [each for each in imports_of(path) if each.split(".")[0] in FRAMEWORKS], path


def test_server_and_training_import_only_what_they_may():
    for path in (ROOT / "fer_web").rglob("*.py"):
        assert not [each for each in imports_of(path) if each.startswith(("train", "tests", "benchmarks"))], (
            path
        )
    for path in (ROOT / "train").rglob("*.py"):
        wrong = [
            each
            for each in imports_of(path)
            if each.startswith("fer_web") and not each.startswith(OPEN_TO_TRAIN)
        ]
        assert not wrong, path


def test_benchmarks_share_only_the_support_of_tests():
    for path in (ROOT / "benchmarks").glob("*.py"):
        wrong = [
            each
            for each in imports_of(path)
            if each.startswith("tests") and not each.startswith("tests.support")
        ]
        assert not wrong, path
