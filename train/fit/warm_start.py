"""Start a residual network from trained ones; blocks that it lacks change nothing at first."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_web.errors import SettingsError
from train.config import NetworkConfig
from train.runs.trained_network import open_source


def start_from_mean(model: keras.Model, config: NetworkConfig, sources: Sequence[str]) -> int:
    """Put the mean of the weights of trained networks into a fresh one, as `start_from` does with
    one.

    Means of normalisation's statistics are not the statistics of the mean; training replaces them.

    Returns: how many blocks are new; more than none only with a single source.
    Raises: as `start_from`. SettingsError: one of several sources lacks blocks, which have no mean.
    """
    new, sums = 0, dict[str, Any]()
    for source in sources:
        new = start_from(model, config, source)
        if new and len(sources) > 1:
            raise SettingsError(
                f"{source} lacks {new} of the network's blocks: networks to average must have all. Leave it "
                "out of start_from and average_with"
            )
        for each in _floats(model):
            sums[each.path] = sums.get(each.path, 0.0) + keras.ops.convert_to_numpy(each).astype(np.float64)
    for each in _floats(model):
        each.assign(sums[each.path] / len(sources))
    return new


def _floats(model: keras.Model) -> list[Any]:
    """Return its weights without the seeds of dropout, which are whole numbers."""
    return [each for each in model.weights if each.dtype.startswith("float")]


def start_from(model: keras.Model, config: NetworkConfig, source: str) -> int:
    """Put the weights of a trained network into a fresh one of `build_network`.

    Blocks are matched by stage (a run of blocks of as many channels, of which only the first halves
    the image) and by their position in it. A block that the trained network lacks starts as the
    identity: its last normalisation scales by zero (Goyal et al. 2017, "Accurate, large minibatch
    SGD", section 5.1).

    Args: source: a run folder, a model folder or a .keras file.
    Returns: how many blocks are new.
    Raises: SettingsError: the trained network is another kind, wider, narrower or deeper than
        `config`. DataError, ModelArtifactError: there is no such network.
    """
    if config.architecture != "residual":
        raise SettingsError(
            f"start_from is for residual networks, not for {config.architecture}. Leave it out"
        )
    trained = open_source(Path(source)).model
    old_blocks = {position: i for i, position in enumerate(_positions(_blocks_of(trained)), start=1)}
    positions = list(_positions(config.blocks))
    if not set(old_blocks) <= set(positions):
        raise _misfit(source, f"its blocks are {_blocks_of(trained)}, not the first ones of each stage")
    renamed = {f"block{i}": f"block{old_blocks[at]}" for i, at in enumerate(positions, 1) if at in old_blocks}
    new = [f"block{i}" for i, position in enumerate(positions, start=1) if position not in old_blocks]
    _copy(model, trained, renamed, new, source)
    return len(new)


def _blocks_of(model: keras.Model) -> list[tuple[int, int]]:
    """Return (channels, stride) of each residual block; empty for another kind of network."""
    names = {layer.name for layer in model.layers}
    blocks: list[tuple[int, int]] = []
    for i in count(1):
        if f"block{i}_1_conv" not in names:
            return blocks
        layer = model.get_layer(f"block{i}_1_conv")
        blocks.append((layer.filters, layer.strides[0]))
    raise AssertionError


def _positions(
    blocks: list[tuple[int, int]] | tuple[tuple[int, int], ...],
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (stage, position in it, channels, stride) of each block."""
    stage, position, before = -1, 0, 0
    for channels, stride in blocks:
        if stride != 1 or channels != before:
            stage, position = stage + 1, 0
        yield stage, position, channels, stride
        position, before = position + 1, channels


def _copy(
    model: keras.Model, trained: keras.Model, renamed: dict[str, str], new: list[str], source: str
) -> None:
    weights = {variable.path: variable for variable in trained.weights}
    for variable in model.weights:
        block, _, rest = variable.path.partition("_")
        if block in new:
            if rest == "2_bn/gamma":
                variable.assign(np.zeros(variable.shape, np.float32))
            continue
        path = f"{renamed[block]}_{rest}" if block in renamed else variable.path
        # Dropout's seed is the run's own.
        if "seed" in path:
            continue
        if path not in weights or weights[path].shape != variable.shape:
            raise _misfit(source, f"it has no {path} of the shape {tuple(variable.shape)}")
        variable.assign(keras.ops.convert_to_numpy(weights[path]))


def _misfit(source: str, reason: str) -> SettingsError:
    return SettingsError(
        f"start_from {source} does not fit the network: {reason}. Give one with the same channels and at "
        "most as many blocks a stage"
    )
