"""Writes weights as TensorFlow.js does: to test the reader of such files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def listing(arrays: Mapping[str, NDArray[Any]], *paths: str) -> dict[str, Any]:
    """What the .json file holds of arrays whose bytes are in the files `paths`, one after the other."""
    weights = [
        {"name": name, "shape": list(each.shape), "dtype": each.dtype.name} for name, each in arrays.items()
    ]
    return {"format": "graph-model", "weightsManifest": [{"paths": list(paths), "weights": weights}]}


def write_graph_weights(path: Path, arrays: Mapping[str, NDArray[Any]], *, parts: int = 1) -> None:
    """The .json file `path`, and the arrays' bytes in so many files beside it."""
    content = b"".join(np.ascontiguousarray(each).tobytes() for each in arrays.values())
    names = [f"{path.stem}-{i}.bin" for i in range(parts)]
    size = -(-len(content) // parts)
    for i, name in enumerate(names):
        (path.parent / name).write_bytes(content[i * size : (i + 1) * size])
    path.write_text(json.dumps(listing(arrays, *names)))
