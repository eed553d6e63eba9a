"""Add an output that tells what each cell says, to networks that end in an average over cells.

Zhou et al. 2016, "Learning deep features for discriminative localization". Where a dense layer
follows a global average, its logits are the average of what it would say of each cell alone. The
same layer is asked about every cell before the average, so nothing is estimated, and no weight is
added.
"""

from typing import Any

import keras
from keras import layers

CAM = "cam"
"""Name of the output: float32 (N, rows, columns, 10), the FER+ logits of each cell alone."""

EXPLAINED = "ferplus"
"""The output explains this head, the one that is shown."""


def with_activation_map(model: keras.Model) -> keras.Model:
    """Return the same network, sharing its weights, with the output CAM beside the others.

    Its mean over rows and columns is the output EXPLAINED, but for rounding. A network that does
    not end in a global average, or that has the output already, is returned as it is.
    """
    cells = None if CAM in model.output else _before_average(model)
    if cells is None:
        return model
    maps = model.get_layer(EXPLAINED)(cells)
    return keras.Model(model.input, {**model.output, CAM: maps}, name=model.name)


def _before_average(model: keras.Model) -> Any:
    """Return what the head's global average takes, (N, rows, columns, channels), or None."""
    made_by = {id(layer.output): layer for layer in model.layers if not isinstance(layer.output, dict)}
    layer = made_by.get(id(model.get_layer(EXPLAINED).input))
    while isinstance(layer, layers.Dropout):
        layer = made_by.get(id(layer.input))
    return layer.input if isinstance(layer, layers.GlobalAveragePooling2D) else None
