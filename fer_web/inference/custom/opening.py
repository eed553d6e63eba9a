"""Opens a path as a custom model that classifies."""

import hashlib
from pathlib import Path

from fer_web.inference.artifact import sha256_of
from fer_web.inference.classifier import Classifier
from fer_web.inference.custom.custom_classifier import CustomClassifier
from fer_web.inference.custom.custom_model import Reading, read_network
from fer_web.inference.custom.custom_network import Network
from fer_web.inference.custom.file_kind import LITERT, ONNX, SAVED_MODEL, TFJS, ModelFile, recognise
from fer_web.inference.custom.keras_files import OPENED_BY, import_keras, open_keras
from fer_web.inference.custom.litert_file import open_litert
from fer_web.inference.custom.onnx_file import external_files, open_onnx
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.custom.saved_model import open_saved_model
from fer_web.inference.custom.tfjs_graph import GRAPH, open_graph
from fer_web.inference.custom.tfjs_layers import keras_config_of
from fer_web.inference.custom.tfjs_weights import read_model_json, read_weights, shard_paths
from fer_web.inference.heatmaps import GRAD_CAM
from fer_web.inference.model_info import ModelInfo
from fer_web.training_packages import require_packages
from fer_web.vision.preprocess import FER_CROP

UNSURE_BELOW = 0.5
"""A guess: half of the probability on one expression. Nothing measured this network's confidence."""

NOT_CALIBRATED = "its confidence is not calibrated: 80 % need not be right in 80 of 100 cases"


class CustomModel:
    """A network that others trained, read and tried out."""

    def __init__(self, network: Network, reading: Reading, model_hash: str, crop: str = FER_CROP) -> None:
        self.network = network
        self.reading = reading
        self.info = _info(network, reading, model_hash, crop)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what whoever runs it should know, one sentence each."""
        return self.reading.warnings if self.info.is_calibrated else (*self.reading.warnings, NOT_CALIBRATED)

    def new_classifier(self) -> Classifier:
        """One for each thread that classifies."""
        return CustomClassifier(self.info, self.network, self.reading)


def open_custom(path: Path, options: ModelOptions) -> CustomModel:
    """Open a network that is not a folder with meta.json.

    Raises: ModelArtifactError, ModelTrustError, SettingsError, SetupError: it cannot be used; it says why.
    """
    file = recognise(path)
    network = _network(file, options)
    return CustomModel(network, read_network(network, options), _hash_of(file), options.crop)


def _network(file: ModelFile, options: ModelOptions) -> Network:
    if file.kind == SAVED_MODEL:
        return open_saved_model(file.path, options.is_trusted)
    if file.kind == LITERT:
        return open_litert(file.path)
    if file.kind == ONNX:
        return open_onnx(file.path)
    if file.kind == TFJS:
        return _open_tfjs(file, options.is_trusted)
    return open_keras(file, options.is_trusted)


def _open_tfjs(file: ModelFile, is_trusted: bool) -> Network:
    model = read_model_json(file.path)
    if keras_config_of(model):
        return open_keras(file, is_trusted)
    weights = read_weights(file.path, model)
    require_packages(f"{file.path} is a graph of TensorFlow and", *OPENED_BY)
    import_keras()
    return open_graph(file.path, model, weights)


def _hash_of(file: ModelFile) -> str:
    """Hash the file; where there are more, hash all together, in the order of their names."""
    if file.kind == TFJS:
        each: list[Path] = [file.path, *shard_paths(file.path, read_model_json(file.path))]
        return hashlib.sha256("".join(map(sha256_of, each)).encode()).hexdigest()
    if file.kind == ONNX and (beside := external_files(file.path)):
        parts = [sha256_of(each) for each in (file.path, *beside)]
        return hashlib.sha256("".join(parts).encode()).hexdigest()
    if file.path.is_file() and file.weights is None:
        return sha256_of(file.path)
    parts_of = [file.path, file.weights] if file.weights else sorted(file.path.rglob("*"))
    parts = [sha256_of(path) for path in parts_of if path is not None and path.is_file()]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _no_heatmaps(network: Network) -> str:
    if network.file_format in (LITERT, ONNX, SAVED_MODEL, GRAPH):
        return f"they can be made of Keras files (.keras, .h5), not of {network.file_format}"
    return "there are no pictures inside this network (of rows, columns and channels) to show"


def _info(network: Network, reading: Reading, model_hash: str, crop: str) -> ModelInfo:
    is_grey = network.input.channels == 1 or reading.colour == "grey"
    return ModelInfo(
        name=network.path.name,
        model_hash=model_hash,
        size_hw=network.input.size_hw,
        channels=1 if is_grey else network.input.channels,
        unsure_below=UNSURE_BELOW,
        max_uncertainty=1.0,
        is_calibrated=reading.temperature > 0,
        crop=crop,
        missing=reading.missing,
        heatmaps=GRAD_CAM if network.explainer else None,
        no_heatmaps="" if network.explainer else _no_heatmaps(network),
        options={
            "format": network.file_format,
            "labels": list(reading.labels),
            "scaling": reading.scaling,
            "colour": reading.colour,
            "crop": crop,
            **({"temperature": reading.temperature} if reading.temperature else {}),
            **({"missing": list(reading.missing)} if reading.missing else {}),
            "unsure_below": UNSURE_BELOW,
        },
    )
