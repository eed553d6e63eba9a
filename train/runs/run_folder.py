"""Read and write the folder of one training run: configuration, environment, history."""

import csv
import importlib
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_web.errors import DataError, SettingsError
from train.config import FORMER_NAMES, FitConfig, from_dict, with_present_names
from train.runs.checkpoint import write_atomically

CONFIG_FILE = "config.json"
HISTORY_FILE = "history.csv"

_RENAMED = {"imagenet_weights": "pretrained_weights"}
"""Earlier versions wrote these options of networks by other names."""

LABELS_AS_VOTES = "original labels"
"""It is said of a run without votes: by config.json of its targets, by meta.json of its scores."""


def open_run(run_dir: Path, config: FitConfig, data: dict[str, Any]) -> None:
    """Create the folder and write config.json, or check that the run in it is the same one.

    Args: data: what the rows are, as stored in meta.json later.
    Raises: SettingsError: the folder holds a run with another configuration or other data.
    """
    path = run_dir / CONFIG_FILE
    wanted = json.loads(json.dumps({"config": config.to_dict(), "data": data}))
    if path.is_file():
        # Read through the configuration, so that options which a run is older than have their
        # defaults.
        is_same = with_present_names(read_config(run_dir).to_dict()) == with_present_names(config.to_dict())
        if not is_same or read_run(run_dir).get("data") != wanted["data"]:
            raise SettingsError(
                f"{run_dir} holds a run with another configuration or other data. Choose another --run"
            )
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    record = {**wanted, "environment": describe_environment()}
    write_atomically(path, (json.dumps(record, indent=2) + "\n").encode())


def find_run(folder: Path) -> Path:
    """Return a run's folder, or where there is none the one under its config's other name."""
    names = [FORMER_NAMES.get(folder.name), *(old for old, new in FORMER_NAMES.items() if new == folder.name)]
    found = [folder.with_name(name) for name in names if name and not folder.exists()]
    return next((each for each in found if (each / CONFIG_FILE).is_file()), folder)


def read_run(run_dir: Path) -> dict[str, Any]:
    """Read "config", "data" and "environment" of a run. Raises DataError: it is not whole."""
    path = run_dir / CONFIG_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DataError(
            f"{path} cannot be read ({exc}). Give the folder of a run: python -m train fit"
        ) from exc
    if not isinstance(record, dict) or not {"config", "data", "environment"} <= set(record):
        raise DataError(f"{path} is not of this program. Give the folder of a run: python -m train fit")
    return record | {"config": _with_new_names(record["config"])}


def _with_new_names(config: Any) -> Any:
    """Return a run's options under today's names."""
    network = config.get("network") if isinstance(config, dict) else None
    if not isinstance(network, dict):
        return config
    return config | {"network": {_RENAMED.get(key, key): value for key, value in network.items()}}


def read_config(run_dir: Path) -> FitConfig:
    """Return the configuration that a run was started with. Raises DataError, SettingsError."""
    return from_dict(read_run(run_dir)["config"])


def read_history(run_dir: Path) -> list[dict[str, float]]:
    """Return one row for each finished epoch, empty before the first.

    Raises DataError: it is broken.
    """
    path = run_dir / HISTORY_FILE
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, csv.Error) as exc:
        raise DataError(
            f"{path} cannot be read ({exc}). Put back the file that fit wrote, or give another run"
        ) from exc


def write_history(run_dir: Path, rows: list[dict[str, float]]) -> None:
    """Write history.csv anew with the last row's columns, 0 where an older row lacks one."""
    names = list(rows[-1])
    lines = [names, *([str(row.get(name, 0.0)) for name in names] for row in rows)]
    write_atomically(run_dir / HISTORY_FILE, "".join(",".join(line) + "\n" for line in lines).encode())


def describe_environment() -> dict[str, str]:
    """Return the versions that a run's figures depend on, and the code's git hash."""
    import tensorflow as tf

    backend = keras.config.backend()
    return {
        "code_version": code_version(),
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        "tensorflow": tf.__version__,
        backend: importlib.import_module(backend).__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu_count": str(os.cpu_count()),
    }


def code_version() -> str:
    """Return the Git hash, with "+changes" when train/ differs from it; "unknown" outside git."""
    here = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
