"""A run that starts from a trained network: what it takes over, and what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_web.errors import SettingsError
from tests.support.fer_rows import KERAS_WARNINGS
from train.config import FitConfig, NetworkConfig
from train.data.fer_data import FerData
from train.fit.fit import fit
from train.fit.warm_start import start_from, start_from_mean
from train.networks.networks import build_network
from train.runs.run_folder import read_history, read_run

pytestmark = KERAS_WARNINGS

TRAINED = NetworkConfig(stem_filters=(8, 8), blocks=((8, 1), (16, 2), (16, 2)), dropout=0.1)
DEEPER = ((8, 1), (8, 1), (16, 2), (16, 1), (16, 2), (16, 1))


@pytest.fixture
def trained(tmp_path: Path) -> str:
    """A network whose every weight is drawn, normalisation included: no two blocks are alike."""
    model = build_network(TRAINED)
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if variable.dtype == "float32":
            variable.assign(rng.uniform(0.2, 0.6, variable.shape))
    path = tmp_path / "trained.keras"
    model.save(path)
    return str(path)


def outputs(model: object, images: np.ndarray) -> np.ndarray:
    return np.concatenate([np.asarray(each) for each in model(images).values()], axis=1)


@pytest.mark.parametrize(("blocks", "new"), [(TRAINED.blocks, 0), (DEEPER, 3)])
def test_network_starts_with_the_outputs_of_the_trained_one(
    trained: str, blocks: tuple[tuple[int, int], ...], new: int
) -> None:
    import keras

    images = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    config = replace(TRAINED, blocks=blocks)
    model = build_network(config)
    wanted = outputs(keras.models.load_model(trained), images)
    assert not np.allclose(outputs(model, images), wanted, rtol=1e-4)
    assert start_from(model, config, trained) == new
    np.testing.assert_allclose(outputs(model, images), wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"blocks": ((8, 1), (16, 2))}, "its blocks are"),
        ({"blocks": ((8, 1), (16, 2), (24, 2))}, "its blocks are"),
        ({"stem_filters": (4, 8)}, "it has no stem1_conv/kernel of the shape"),
        ({"architecture": "bn4"}, "start_from is for residual networks, not for bn4"),
    ],
)
def test_network_that_does_not_fit_is_refused(trained: str, changes: dict[str, object], reason: str) -> None:
    config = replace(TRAINED, **changes)
    with pytest.raises(SettingsError, match=reason):
        start_from(build_network(config), config, trained)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_config: FitConfig, data: FerData) -> Path:
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    fit(replace(tiny_config, epochs=5), data, folder, say=lambda _: None)
    return folder


def test_fit_goes_on_from_a_run_and_keeps_its_hash(
    tmp_path: Path, tiny_config: FitConfig, data: FerData, first: Path
) -> None:
    lines: list[str] = []
    deeper = replace(tiny_config.network, blocks=((16, 2), (16, 1)))
    again = replace(tiny_config, epochs=1, network=deeper, start_from=str(first))

    fit(again, data, tmp_path, say=lines.append)

    assert any(line.endswith("new blocks: 1") for line in lines)
    assert read_history(tmp_path)[0]["loss"] < read_history(first)[0]["loss"] - 0.3
    assert len(read_run(tmp_path)["data"]["start_from_sha256"]) == 64


def test_network_starts_with_the_mean_of_several(tmp_path: Path) -> None:
    paths, kernels = [], []
    for i in range(3):
        model = build_network(TRAINED)
        model.save(tmp_path / f"{i}.keras")
        paths.append(str(tmp_path / f"{i}.keras"))
        kernels.append(np.asarray(model.get_layer("block2_1_conv").kernel))
    model = build_network(TRAINED)

    assert start_from_mean(model, TRAINED, paths) == 0

    found = np.asarray(model.get_layer("block2_1_conv").kernel)
    np.testing.assert_allclose(found, np.mean(kernels, axis=0), rtol=1e-5, atol=1e-7)
    assert np.abs(found - kernels[2]).max() > 0.01


def test_mean_with_a_shallower_network_raises(tmp_path: Path, trained: str) -> None:
    deeper = replace(TRAINED, blocks=DEEPER)
    build_network(deeper).save(tmp_path / "deeper.keras")

    with pytest.raises(SettingsError, match=r"trained\.keras lacks 3 of the network's blocks"):
        start_from_mean(build_network(deeper), deeper, [trained, str(tmp_path / "deeper.keras")])


def test_run_that_starts_from_a_mean_keeps_what_it_was(
    tmp_path: Path, tiny_config: FitConfig, data: FerData, first: Path
) -> None:
    other = tmp_path / "other.keras"
    build_network(tiny_config.network).save(other)
    lines: list[str] = []
    config = replace(tiny_config, epochs=1, start_from=str(first), average_with=(str(other),))

    fit(config, data, tmp_path / "mean", say=lines.append)

    assert any(f"start from {first} and {other}; new blocks: 0" in line for line in lines)
    (sha256,) = read_run(tmp_path / "mean")["data"]["average_with_sha256"]
    assert len(sha256) == 64
    with pytest.raises(SettingsError, match="average_with must be empty without start_from"):
        replace(config, start_from="")
