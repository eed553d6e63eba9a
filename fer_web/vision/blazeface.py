"""BlazeFace, short-range: one run of the network over one square region of a frame.

Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond neural face detection on mobile GPUs", arXiv:1907.05047.
The weights are Google's `face_detection_short_range.tflite` (Apache-2.0).
"""

import threading
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.boxes import centres, weighted_nms
from fer_web.vision.litert import open_interpreter
from fer_web.vision.regions import Region, cut_region
from fer_web.vision.types import Faces, Frame

INPUT_SIZE: Final = 128
"""The network was trained on 128 x 128 pixels, RGB, -1 to 1. It is convolutional: a larger input has more
places for faces of the same sizes in pixels."""

ANCHOR_GRIDS: Final = ((8, 2), (16, 6))
"""Pixels between cells, anchors in a cell (the paper's figure 2, right)."""

EYES: Final = slice(0, 2)
OTHER_POINTS: Final = slice(2, 6)
"""So the network's six points become the eyes and the other points of `Faces`."""

SAME_FACE_IOU: Final = 0.3
"""Overlap from which two outputs are taken for one face."""


def make_anchors(input_size: int = INPUT_SIZE) -> NDArray[np.float32]:
    """Centres of the anchors, 896 of 128 pixels: float32 (A, 2), x and y, 0-1, row by row; all have size 1.

    Args: input_size: side of the input in pixels, a multiple of 16.
    """
    grids = [_grid_centres(input_size // stride, per_cell) for stride, per_cell in ANCHOR_GRIDS]
    return np.concatenate(grids)


def _grid_centres(cells: int, per_cell: int) -> NDArray[np.float32]:
    steps = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    return np.repeat(np.stack([columns.ravel(), rows.ravel()], axis=1), per_cell, axis=0)


def decode(
    regressors: NDArray[np.float32],
    logits: NDArray[np.float32],
    anchors: NDArray[np.float32],
    min_score: float,
    input_size: int = INPUT_SIZE,
) -> Faces:
    """Turn raw outputs into faces, in units of the input (0-1), unsorted and with repeats.

    Args:
        regressors: float32 (A, 16), input pixels: the box's centre relative to the anchor, its size, then six
            points relative to the anchor (right eye, left eye, nose, mouth, right ear, left ear; the person's
            right, so the first eye is on the image's left).
        logits: float32 (A,), score before the sigmoid.
        anchors: float32 (A, 2), 0-1.
        min_score: 0-1, exclusive of 0 and 1; what scores less is dropped.
        input_size: side of the input in pixels.
    """
    min_logit = np.log(min_score / (1 - min_score))
    chosen = np.flatnonzero((logits >= min_logit) & (regressors[:, 2:4] > 0).all(axis=1))
    values, centre = regressors[chosen] / input_size, anchors[chosen]
    box_centre, half_size = values[:, 0:2] + centre, values[:, 2:4] / 2
    points_xy = (values[:, 4:16].reshape(-1, 6, 2) + centre[:, None]).astype(np.float32)
    scores = 1 / (1 + np.exp(-logits[chosen]))
    xyxy = np.concatenate([box_centre - half_size, box_centre + half_size], axis=1)
    return Faces(
        xyxy.astype(np.float32), scores.astype(np.float32), points_xy[:, EYES], points_xy[:, OTHER_POINTS]
    )


class BlazeFace:
    """The network with its interpreter. One instance belongs to one thread."""

    def __init__(self, path: Path, num_threads: int = 1, input_size: int = INPUT_SIZE) -> None:
        """Args: input_size: side of what it looks at in pixels, a multiple of 16."""
        self.input_size = input_size
        self._interpreter = open_interpreter(path, num_threads)
        self._input_index = self._interpreter.get_input_details()[0]["index"]
        if input_size != INPUT_SIZE:
            self._interpreter.resize_tensor_input(self._input_index, [1, input_size, input_size, 3])
            self._interpreter.allocate_tensors()
        outputs = {detail["shape"][-1]: detail["index"] for detail in self._interpreter.get_output_details()}
        self._regressors_index, self._logits_index = outputs[16], outputs[1]
        self._anchors = make_anchors(input_size)

    def find(self, frame_bgr: Frame, region: Region, min_score: float) -> Faces:
        """The faces in one region, in frame pixels, best first.

        In a turned region the box is upright in the frame, with the centre and size it has in the region.
        """
        picture_bgr = cut_region(frame_bgr, region, self.input_size)
        picture_rgb = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2RGB).astype(np.float32)
        self._interpreter.set_tensor(self._input_index, picture_rgb[None] / np.float32(127.5) - np.float32(1))
        self._interpreter.invoke()
        regressors = self._interpreter.get_tensor(self._regressors_index)[0]
        logits = self._interpreter.get_tensor(self._logits_index)[0, :, 0]
        found = decode(regressors, logits, self._anchors, min_score, self.input_size)
        if not len(found):
            return found
        return _to_frame(weighted_nms(found, SAME_FACE_IOU), region)


class ThreadNetworks:
    """The network of one file for several sizes of input; each thread has its own."""

    def __init__(self, path: Path, num_threads: int = 1) -> None:
        self._path, self._num_threads = path, num_threads
        self._own = threading.local()

    def of(self, input_size: int = INPUT_SIZE) -> BlazeFace:
        """This thread's network. Raises: ValueError, KeyError: the file is none."""
        opened: dict[Any, BlazeFace] = self._own.__dict__
        if input_size not in opened:
            opened[input_size] = BlazeFace(self._path, self._num_threads, input_size)
        return opened[input_size]


def _to_frame(found: Faces, region: Region) -> Faces:
    half_size = (found.xyxy[:, 2:] - found.xyxy[:, :2]) / 2 * region.side
    centre = region.to_frame(centres(found.xyxy))
    xyxy = np.concatenate([centre - half_size, centre + half_size], axis=1).astype(np.float32)
    eyes_xy, points_xy = found.eyes_xy, found.points_xy
    if region.is_mirrored:
        eyes_xy, points_xy = eyes_xy[:, ::-1], points_xy[:, [0, 1, 3, 2]]
    return Faces(xyxy, found.scores, region.to_frame(eyes_xy), region.to_frame(points_xy))
