"""Check figures of the benchmarks, keep them in meta.json and show them on the card."""

import json
from pathlib import Path
from typing import Any

from fer_web.errors import DataError
from fer_web.inference.artifact import META_FILE, load_artifact, write_meta
from train.export.model_card import write_model_card

_PHOTO_KEYS = ("photos", "not_found", "recall", "interval_95", "labels")
_TIME_KEYS = ("name", "kind", "parameters", "size_bytes", "median_ms", "shipped_takes_times")


def rewrite_card(folder: Path, photos_json: Path | None = None, times_json: Path | None = None) -> Path:
    """Write MODEL_CARD.md from meta.json and the plots that are there now, and return its path.

    Args:
        photos_json: printed by `python -m benchmarks.expressions --json`; kept in meta.json.
        times_json: printed by `python -m benchmarks.models --json`; kept in meta.json.
    Raises:
        ModelArtifactError: the model folder is incomplete.
        DataError: a file cannot be read, or is of another model.
    """
    artifact = load_artifact(folder)
    meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
    if photos_json:
        meta["photos"] = read_photos(photos_json, artifact.model_hash)
    if times_json:
        meta["times"] = read_times(times_json, artifact.litert_path.stat().st_size)
    if photos_json or times_json:
        write_meta(folder, meta)
    write_model_card(folder, meta)
    return folder / "MODEL_CARD.md"


def read_photos(path: Path, model_hash: str) -> dict[str, Any]:
    """Read the scores of labelled photos. Raises DataError: other JSON, or another model's."""
    found = _read(path, "benchmarks.expressions")
    try:
        of_this_model = found["model"]["sha256"] == model_hash
        complete = {"photos", "not_found"} <= set(found) and all(
            set(_PHOTO_KEYS) <= set(each) and name in each["labels"]
            for name, each in found["expressions"].items()
        )
    except (KeyError, TypeError, AttributeError):
        of_this_model = complete = False
    return _checked(found, path, "benchmarks.expressions", of_this_model and complete)


def read_times(path: Path, size_bytes: int) -> dict[str, Any]:
    """Read the times beside other networks. Raises DataError: other JSON, or another model's."""
    found = _read(path, "benchmarks.models")
    try:
        of_this_model = found["files"][0]["size_bytes"] == size_bytes
        complete = all(set(_TIME_KEYS) <= set(each) for each in found["files"])
    except (KeyError, TypeError, IndexError):
        of_this_model = complete = False
    return _checked(found, path, "benchmarks.models", of_this_model and complete)


def _read(path: Path, command: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DataError(
            f"{path} cannot be read as JSON ({exc}). Write it with python -m {command} --json"
        ) from exc


def _checked(found: dict[str, Any], path: Path, command: str, holds: bool) -> dict[str, Any]:
    if not holds:
        raise DataError(
            f"{path} does not hold the figures of this model. Measure it: python -m {command} --model "
            f"FOLDER --json > {path.name}"
        )
    return found
