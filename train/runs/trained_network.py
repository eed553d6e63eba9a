"""Open a trained network: a run folder, a model folder or a .keras file."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from fer_web.errors import DataError
from fer_web.inference.artifact import META_FILE, load_artifact
from train.config import FitConfig
from train.data.fer_data import FerData
from train.networks.activation_maps import with_activation_map
from train.networks.networks import build_network
from train.runs.checkpoint import BEST_FILE, LAST_FILE, averaged_weights
from train.runs.model_outputs import load_keras
from train.runs.run_folder import CONFIG_FILE, find_run, read_config, read_history, read_run

CHECKPOINTS = {"last": LAST_FILE, "best": BEST_FILE}
TRAINING_FACTS = ("data", "seed", "checkpoint", "config", "environment", "training")
"""Keys of meta.json about training: taken over when a model folder is exported again."""


@dataclass(frozen=True)
class NetworkSource:
    """It holds a float32 network and what is known of its training.

    Attributes:
        facts: TRAINING_FACTS as far as they are known; empty for a bare .keras file.
        history: rows of history.csv; empty without a run.
        keras_file: the file it was read from, None for a run.
        validation_sha256: of the PublicTest rows that a model folder was measured on, None where
        unknown.
    """

    path: Path
    model: keras.Model
    facts: dict[str, Any]
    history: list[dict[str, float]] = field(default_factory=list)
    keras_file: Path | None = None
    validation_sha256: str | None = None

    @property
    def seed(self) -> int:
        """Return the run's seed, for drawing images that int8 is calibrated on."""
        return int(self.facts.get("seed", 1))

    def check_data(self, data: FerData, validation: FerData) -> None:
        """Raise DataError when the network is known to be of other data."""
        if self.keras_file is None:
            same = data.sha256() == self.facts["data"]["sha256"]
        else:
            same = self.validation_sha256 in (None, validation.sha256())
        if not same:
            raise DataError(
                f"the data is not that of {self.path}. Give the --data and --ferplus it was trained with"
            )


def open_source(path: Path, checkpoint: str = "last") -> NetworkSource:
    """Open a run folder, a model folder or a .keras file.

    Args: checkpoint: of a run, "last" or "best".
    Raises: DataError, ModelArtifactError: there is no such thing, or it is incomplete.
    """
    path = find_run(path)
    if (path / CONFIG_FILE).is_file():
        return _open_run(path, checkpoint)
    if (path / META_FILE).is_file():
        return _open_model_folder(path)
    if path.is_file():
        return NetworkSource(path, with_activation_map(load_keras(path)), {}, keras_file=path)
    raise DataError(
        f"{path} is neither a run folder with {CONFIG_FILE}, a model folder with {META_FILE} nor a .keras "
        "file. Train first: python -m train fit"
    )


def _open_run(path: Path, checkpoint: str) -> NetworkSource:
    record, config, history = read_run(path), read_config(path), read_history(path)
    model, epoch = load_averaged(config, path / CHECKPOINTS[checkpoint])
    model = with_activation_map(model)
    facts = {
        "data": record["data"] | {"copies_left_out": _kind_of_copies(record)},
        "seed": config.seed,
        "checkpoint": {"kind": checkpoint, "epoch": epoch, "weights": "averaged"},
        "config": config.to_dict(),
        "environment": record["environment"],
        "training": summarize_training(config, history),
    }
    return NetworkSource(path, model, facts, history)


def _open_model_folder(path: Path) -> NetworkSource:
    artifact = load_artifact(path)
    meta = json.loads((path / META_FILE).read_text(encoding="utf-8"))
    facts = {key: meta[key] for key in TRAINING_FACTS if key in meta}
    if "data" in facts:
        facts["data"] = {"copies_left_out": _kind_of_copies(meta)} | facts["data"]
    measured = meta.get("metrics", {}).get("data", {})
    sha256 = measured.get("sha256") if measured.get("usage") == "PublicTest" else None
    model = with_activation_map(load_keras(artifact.keras_path))
    return NetworkSource(path, model, facts, keras_file=artifact.keras_path, validation_sha256=sha256)


def _kind_of_copies(record: dict[str, Any]) -> str:
    """Tell what `dropped_copies` counts: near copies with `image_sides`, else exact ones."""
    return "near" if "image_sides" in record["config"] else "exact"


def load_averaged(config: FitConfig, checkpoint: Path) -> tuple[keras.Model, int]:
    """Return the network with a checkpoint's averaged weights, and the epoch these are from.

    It computes in the current dtype policy.
    """
    weights, epoch = averaged_weights(checkpoint)
    model = build_network(config.network)
    try:
        for variable in model.weights:
            variable.assign(weights[variable.path])
    except (KeyError, ValueError) as exc:
        raise DataError(
            f"{checkpoint} has not the weights of its run's network ({exc}). Give the folder as fit left it"
        ) from exc
    return model, epoch


def summarize_training(config: FitConfig, history: list[dict[str, float]]) -> dict[str, Any]:
    """Return the epochs, minutes and image sizes of a run as meta.json holds them."""
    return {
        "epochs": len(history),
        "planned_epochs": config.epochs,
        "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
        "slowest_epoch_s": round(max((row["seconds"] for row in history), default=0.0), 1),
        "image_sides": [{"until_epoch": end, "side": side} for end, side in config.phases()],
        "resumed": sum(int(row.get("resumed", 0)) for row in history),
    }
