"""Shows the network each face of a stream as it is and mirrored in turn; the smoother averages both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.heatmaps import HeatMaps
from fer_web.vision.preprocess import Crops


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
