"""Opens what --model names."""

from pathlib import Path
from typing import Protocol

from fer_web.errors import SettingsError
from fer_web.inference.artifact import META_FILE, ModelArtifact, load_artifact
from fer_web.inference.classifier import Classifier, LiteRTClassifier, info_of
from fer_web.inference.custom.opening import open_custom
from fer_web.inference.custom.options import ModelOptions, parse_labels
from fer_web.inference.model_info import ModelInfo
from fer_web.settings import Settings


class Model(Protocol):
    """A network that was read and checked."""

    @property
    def info(self) -> ModelInfo:
        """Return what is said about it."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what whoever runs it should know, one sentence each."""
        ...

    def new_classifier(self) -> Classifier:
        """One for each thread that classifies."""
        ...


class ShippedModel:
    """A model folder with meta.json."""

    warnings: tuple[str, ...] = ()

    def __init__(self, artifact: ModelArtifact) -> None:
        self.info = info_of(artifact)
        self._artifact = artifact

    def new_classifier(self) -> Classifier:
        """A classifier with an interpreter of its own."""
        return LiteRTClassifier(self._artifact)


def options_of(settings: Settings) -> ModelOptions:
    """Return a custom model's options. Raises SettingsError: --labels names no expressions."""
    return ModelOptions(
        labels=parse_labels(settings.labels),
        scaling=settings.scaling,
        colour=settings.colour,
        is_trusted=settings.trust == "on",
        crop=settings.crop,
        temperature=settings.temperature,
    )


def open_model(path: Path, options: ModelOptions | None = None) -> Model:
    """Read and check a model: a folder with meta.json, or a custom file.

    Raises:
        ModelArtifactError: it is missing, incomplete, altered, or does not fit this program.
        ModelTrustError: it can run code, and the options do not say that it may.
        SettingsError: an option that does not fit it. SetupError: a package that it needs is missing.
    """
    options = options or ModelOptions()
    if not (path / META_FILE).is_file():
        return open_custom(path, options)
    if options != ModelOptions(is_trusted=options.is_trusted, may_guess=options.may_guess):
        raise SettingsError(
            f"{path} says itself how it is to be run; --labels, --scaling, --colour, --crop and "
            "--temperature are for other models. Leave them out."
        )
    return ShippedModel(load_artifact(path))
