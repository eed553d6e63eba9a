"""Open trained networks that another one learns from, wherever they are kept."""

from collections.abc import Sequence
from pathlib import Path

import keras

from fer_web.errors import SettingsError
from fer_web.inference.artifact import load_artifact, sha256_of
from train.networks.networks import HEADS, INPUT_SHAPE, dtype_policy
from train.runs.checkpoint import LAST_FILE, averaged_weights
from train.runs.run_folder import CONFIG_FILE, find_run, read_config
from train.runs.trained_network import open_source


def teacher_file(source: str) -> Path:
    """Return the file with a teacher's weights.

    Args: source: a run folder (its last epoch's averaged weights), a model folder or a .keras file.
    Raises: SettingsError: it is none of these. ModelArtifactError: the model folder is not whole.
    """
    path = find_run(Path(source))
    if (path / CONFIG_FILE).is_file():
        return path / LAST_FILE
    if path.is_dir():
        return load_artifact(path).keras_path
    if path.suffix != ".keras" or not path.is_file():
        raise SettingsError(
            f"{source} is no run folder, model folder or .keras file. Mend it where it was given: as a "
            "teacher, start_from or average_with"
        )
    return path


def hash_teachers(sources: Sequence[str]) -> list[str]:
    """Return the SHA-256 of each teacher's file, hexadecimal: a resumed run must have the same
    teachers.

    Raises: SettingsError, ModelArtifactError, DataError.
    """
    hashes = []
    for source in sources:
        path = teacher_file(source)
        if path.name == LAST_FILE:
            averaged_weights(path)
        hashes.append(sha256_of(path))
    return hashes


def load_teachers(sources: Sequence[str], *, as_trained: bool = False) -> list[keras.Model]:
    """Open every teacher, never to be trained.

    Args: as_trained: a run's network computes in the dtype that it was trained in: bfloat16 is
        twice as fast where each batch is shown to it. Otherwise in float32; files in the dtype they
        were saved with. The
            answers are float32.
    Raises: SettingsError, ModelArtifactError: not a network for 48 x 48 pixels with our two
        outputs.
    """
    return [_load(source, as_trained) for source in sources]


def _load(source: str, as_trained: bool) -> keras.Model:
    path = find_run(Path(source))
    is_run = (path / CONFIG_FILE).is_file()
    with dtype_policy(read_config(path).dtype_policy if as_trained and is_run else "float32"):
        model = open_source(path).model
    outputs = {name: each for name, each in model.output.items() if name in HEADS}
    shapes = {key: each.shape[1:] for key, each in outputs.items()}
    if shapes != {name: (size,) for name, size in HEADS.items()} or model.input_shape[1:] != INPUT_SHAPE:
        raise SettingsError(
            f"teacher {source} must be a network from {INPUT_SHAPE} to {HEADS}. Give one of this package"
        )
    teacher = keras.Model(model.input, outputs, name=model.name)
    teacher.trainable = False
    return teacher
