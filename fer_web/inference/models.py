"""Opens what --model names."""

from pathlib import Path
from typing import Protocol

from fer_web.inference.artifact import ModelArtifact, load_artifact
from fer_web.inference.classifier import Classifier, LiteRTClassifier, info_of
from fer_web.inference.model_info import ModelInfo


class Model(Protocol):
    """A network that was read and checked."""

    @property
    def info(self) -> ModelInfo:
        """What is said about it."""
        ...

    def new_classifier(self) -> Classifier:
        """One for each thread that classifies."""
        ...


class ShippedModel:
    """A model folder with meta.json."""

    def __init__(self, artifact: ModelArtifact) -> None:
        self.info = info_of(artifact)
        self._artifact = artifact

    def new_classifier(self) -> Classifier:
        """A classifier with an interpreter of its own."""
        return LiteRTClassifier(self._artifact)


def open_model(path: Path) -> Model:
    """Read and check a model.

    Raises: ModelArtifactError: it is missing, incomplete, altered, or does not fit this program.
    """
    return ShippedModel(load_artifact(path))
