"""A shipped model is a folder; meta.json says what is in it and is checked before anything is opened."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_web.errors import ModelArtifactError
from fer_web.inference.certainty import CertaintyModel, load_certainty
from fer_web.inference.scores import NO_OFFSETS
from fer_web.labels import EMOTIONS, FERPLUS_VOTES

FORMAT = 1
META_FILE = "meta.json"
KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"
MAX_OFFSET = 20.0
MEND = "Fetch the folder again (git checkout -- models), or export it: python -m train export"


@dataclass(frozen=True)
class ModelArtifact:
    """A checked model folder.

    Attributes:
        folder: where the files are.
        name: the network's name.
        model_hash: SHA-256 of model.tflite, hexadecimal; names the model in results and histories.
        size_hw: height and width of the classifier's input in pixels.
        original_output: signature name of the (N, 7) output for FER-2013's own labels.
        ferplus_output: signature name of the (N, 10) output for FER+ votes.
        temperature: divides the FER+ logits, for calibrated probabilities.
        unsure_below: confidence (0-1) under which a face is called unsure.
        max_uncertainty: share (0-1) of "unknown" and "not-a-face" over which a face is called unsure.
        cam_output: signature name of the (N, rows, columns, 10) output with the FER+ logits of each cell;
            None in folders that were exported without it.
        logit_offsets: added to the FER+ logits of EMOTIONS before the temperature; meta.json files without
            them mean zeros. That of neutral holds certainty's too.
        certainty: judges the scores; None in folders without certainty.json.
    """

    folder: Path
    name: str
    model_hash: str
    size_hw: tuple[int, int]
    original_output: str
    ferplus_output: str
    temperature: float
    unsure_below: float
    max_uncertainty: float
    logit_offsets: tuple[float, ...] = NO_OFFSETS
    cam_output: str | None = None
    certainty: CertaintyModel | None = None

    @property
    def litert_path(self) -> Path:
        """The file that the live path runs."""
        return self.folder / LITERT_FILE

    @property
    def keras_path(self) -> Path:
        """The file that training and checks open."""
        return self.folder / KERAS_FILE


def load_artifact(folder: Path) -> ModelArtifact:
    """Read a model folder's meta.json and check labels, input and the files' SHA-256.

    Raises: ModelArtifactError: naming the file, what is wrong with it and the command that mends it.
    """
    meta = _read_meta(folder)
    _check_labels(folder, meta)
    hashes = _checked_hashes(folder, meta)
    certainty = load_certainty(folder, hashes[LITERT_FILE])
    try:
        return ModelArtifact(
            folder=folder,
            name=str(meta["name"]),
            model_hash=hashes[LITERT_FILE],
            size_hw=_checked_size(folder, meta["input"]),
            original_output=str(meta["outputs"]["original"]),
            ferplus_output=str(meta["outputs"]["ferplus"]),
            temperature=_number_in(meta, "temperature", 0.01, 100.0),
            unsure_below=_number_in(meta, "unsure_below", 0.0, 1.0),
            max_uncertainty=_number_in(meta, "max_doubt", 0.0, 1.0),
            logit_offsets=_checked_offsets(_offsets(meta, certainty)),
            cam_output=str(meta["outputs"]["cam"]) if "cam" in meta["outputs"] else None,
            certainty=certainty,
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelArtifactError(f"{folder / META_FILE}: {exc!r} is missing or malformed. {MEND}") from exc


def write_meta(folder: Path, meta: dict[str, Any]) -> ModelArtifact:
    """Write meta.json for the files in `folder`, with their SHA-256, and read it back checked.

    Args:
        meta: everything but "format" and "files", which are filled in here.
    Raises: ModelArtifactError: the folder would not load.
    """
    files = {name: sha256_of(folder / name) for name in (KERAS_FILE, LITERT_FILE)}
    complete = {"format": FORMAT, **meta, "files": files}
    text = json.dumps(complete, indent=2, sort_keys=False) + "\n"
    (folder / META_FILE).write_text(text, encoding="utf-8")
    return load_artifact(folder)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises ModelArtifactError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise ModelArtifactError(f"{path} cannot be read ({exc.strerror}). {MEND}") from exc


def _read_meta(folder: Path) -> dict[str, Any]:
    path = folder / META_FILE
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ModelArtifactError(f"{path} cannot be read ({exc.strerror}). {MEND}") from exc
    except ValueError as exc:
        raise ModelArtifactError(f"{path} is not JSON ({exc}). {MEND}") from exc
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else type(meta).__name__
        raise ModelArtifactError(f"{path} has format {found!r}, this program reads {FORMAT}. {MEND}")
    return meta


def _check_labels(folder: Path, meta: dict[str, Any]) -> None:
    for key, expected in (("labels", EMOTIONS), ("ferplus_votes", FERPLUS_VOTES)):
        if tuple(meta.get(key) or ()) != expected:
            raise ModelArtifactError(
                f"{folder / META_FILE} has {key} {meta.get(key)}, labels.py has {list(expected)}. {MEND}"
            )


def _checked_hashes(folder: Path, meta: dict[str, Any]) -> dict[str, str]:
    hashes = {}
    recorded = meta.get("files")
    for name in (KERAS_FILE, LITERT_FILE):
        hashes[name] = sha256_of(folder / name)
        said = recorded.get(name) if isinstance(recorded, dict) else None
        if hashes[name] != said:
            raise ModelArtifactError(
                f"{folder / name} has SHA-256 {hashes[name][:12]}, {META_FILE} says {str(said)[:12]}: "
                f"the file was altered or cut short. {MEND}"
            )
    return hashes


def _checked_size(folder: Path, model_input: dict[str, Any]) -> tuple[int, int]:
    height, width = int(model_input["height"]), int(model_input["width"])
    if not (16 <= height <= 512 and 16 <= width <= 512) or model_input["channels"] != 1:
        raise ModelArtifactError(
            f"{folder / META_FILE} has input {model_input}; 16-512 pixels and one channel are allowed. {MEND}"
        )
    return height, width


def _offsets(meta: dict[str, Any], certainty: CertaintyModel | None) -> list[float]:
    offsets = [float(each) for each in meta.get("logit_offsets", NO_OFFSETS)]
    if certainty is not None:
        offsets[EMOTIONS.index("neutral")] += certainty.neutral_offset
    return offsets


def _checked_offsets(values: Any) -> tuple[float, ...]:
    offsets = tuple(float(value) for value in values)
    if len(offsets) != len(EMOTIONS) or not all(abs(value) <= MAX_OFFSET for value in offsets):
        raise ValueError(
            f"logit_offsets {list(values)} (allowed: {len(EMOTIONS)} numbers from -{MAX_OFFSET:g} to "
            f"{MAX_OFFSET:g})"
        )
    return offsets


def _number_in(meta: dict[str, Any], key: str, low: float, high: float) -> float:
    value = float(meta[key])
    if not low <= value <= high:
        raise ValueError(f"{key} {value} (allowed: {low} to {high})")
    return value
