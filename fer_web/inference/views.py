"""Shows the network each face as it is and mirrored: in turn in a stream, both at once of a still."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.certainty import view_spread
from fer_web.inference.classifier import Classifier, Prediction
from fer_web.inference.heatmaps import HeatMaps
from fer_web.inference.scores import softmax
from fer_web.vision.preprocess import Crops

LEAST_SCORE: Final = 1e-6
"""The logarithm of a score that is 0 is that of this."""


class AlternatingViews:
    """Remembers which faces of one stream were seen mirrored in the last frame."""

    def __init__(self) -> None:
        self._mirrored: dict[int, bool] = {}

    def next(self, face_ids: Sequence[int]) -> NDArray[np.bool_]:
        """Return bool (N,): whether each face is to be mirrored in this frame; a new one is not."""
        self._mirrored = {face_id: not self._mirrored.get(face_id, True) for face_id in face_ids}
        return np.array([self._mirrored[face_id] for face_id in face_ids], np.bool_)


def mirror_crops(crops: Crops, is_mirrored: NDArray[np.bool_]) -> Crops:
    """Return crops of which some are mirrored sideways. The given ones are not modified."""
    mirrored = crops.copy()
    mirrored[is_mirrored] = crops[is_mirrored][:, :, ::-1]
    return mirrored


def mirror_maps(maps: HeatMaps, is_mirrored: NDArray[np.bool_]) -> HeatMaps:
    """Return the heat maps of mirrored crops as those of the crops themselves."""
    back = maps.copy()
    back[is_mirrored] = maps[is_mirrored][..., ::-1]
    return back


def mirror_cells(cells: NDArray[np.float32], is_mirrored: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the cells (N, rows, columns, K) of mirrored crops as those of the crops themselves."""
    back = cells.copy()
    back[is_mirrored] = cells[is_mirrored][:, :, ::-1]
    return back


def classify_both(
    classifier: Classifier, crops: Crops, *, heatmaps: bool = False
) -> tuple[Prediction, NDArray[np.float32]]:
    """Classify crops and their mirror images in one batch, and average both.

    Scores are averaged as logarithms, as in a stream; the rest as it is.

    Args: crops: as the classifier takes them. heatmaps: whether there are to be any.
    Returns: the mean of N faces, and the spread of their two views, float32 (N,), 0-1.
    """
    count = len(crops)
    views = np.concatenate([crops, crops[:, :, ::-1]])
    both = classifier.explain(views) if heatmaps else classifier.classify(views)
    maps = both.heatmaps
    if maps is not None:
        maps = mirror_maps(maps, np.arange(2 * count) >= count)
    mean = Prediction(
        _mean_scores(both.scores),
        _mean(both.uncertainty),
        None if both.original_scores is None else _mean_scores(both.original_scores),
        None if maps is None else _mean(maps),
        None if both.cells is None else _mean(mirror_cells(both.cells, np.arange(2 * count) >= count)),
        None if both.contempt is None else _mean(both.contempt),
    )
    return mean, view_spread(both.scores[:count], both.scores[count:])


def _mean_scores(both: NDArray[np.float32]) -> NDArray[np.float32]:
    return softmax(_mean(np.log(np.maximum(both, LEAST_SCORE))))


def _mean(both: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(both.reshape(2, -1, *both.shape[1:]).mean(axis=0), np.float32)
