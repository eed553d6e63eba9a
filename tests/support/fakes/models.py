"""A model folder whose files hold nothing, and what a model says of itself; nothing here classifies."""

from pathlib import Path

from fer_web.inference.artifact import KERAS_FILE, LITERT_FILE, write_meta
from fer_web.inference.model_info import ModelInfo
from fer_web.labels import EMOTIONS, FERPLUS_VOTES


def model_meta(**changes: object) -> dict[str, object]:
    """A meta.json that is right, but for `changes`."""
    return {
        "name": "tiny",
        "labels": list(EMOTIONS),
        "ferplus_votes": list(FERPLUS_VOTES),
        "input": {"height": 48, "width": 48, "channels": 1, "range": [0, 255]},
        "outputs": {"original": "original", "ferplus": "ferplus"},
        "temperature": 0.65,
        "unsure_below": 0.5,
        "max_doubt": 0.5,
        **changes,
    }


def model_info(**changes: object) -> ModelInfo:
    """What a classifier made for a test says of itself."""
    return ModelInfo(
        **{
            "name": "tiny",
            "model_hash": "0" * 64,
            "size_hw": (48, 48),
            "channels": 1,
            "unsure_below": 0.5,
            "max_uncertainty": 0.5,
            **changes,
        }
    )


def write_empty_model(folder: Path, **changes: object) -> Path:
    """Make such a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / KERAS_FILE).write_bytes(b"keras")
    (folder / LITERT_FILE).write_bytes(b"litert")
    write_meta(folder, model_meta(**changes))
    return folder
