"""Overlap of boxes and joining of boxes that show the same face."""

import numpy as np
from numpy.typing import NDArray

from fer_web.vision.types import Faces

Boxes = NDArray[np.float32]
"""float32 (N, 4): left, top, right, bottom in pixels."""


def iou_matrix(first_xyxy: Boxes, second_xyxy: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair: float32 (len(first), len(second)), 0-1."""
    first, second = first_xyxy[:, None], second_xyxy[None]
    top_left = np.maximum(first[..., :2], second[..., :2])
    bottom_right = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.prod(np.maximum(bottom_right - top_left, 0), axis=-1)
    union = areas(first_xyxy)[:, None] + areas(second_xyxy)[None] - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float32).tiny), np.float32)


def areas(xyxy: Boxes) -> NDArray[np.float32]:
    """Area of each box: float32 (N,), square pixels."""
    return np.asarray(np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=-1), np.float32)


def centres(xyxy: Boxes) -> NDArray[np.float32]:
    """Centre of each box: float32 (N, 2), x and y in pixels."""
    return np.asarray((xyxy[:, :2] + xyxy[:, 2:]) / 2, np.float32)


def longer_sides(xyxy: Boxes) -> NDArray[np.float32]:
    """The longer side of each box: float32 (N,), pixels."""
    return np.asarray((xyxy[:, 2:] - xyxy[:, :2]).max(axis=-1), np.float32)


def join_faces(parts: list[Faces]) -> Faces:
    """All faces of several lists in one, in that order."""
    if not parts:
        return Faces.none()
    return Faces(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.eyes_xy for part in parts]),
        np.concatenate([part.points_xy for part in parts]),
    )


def non_maximum_suppression(faces: Faces, max_iou: float) -> Faces:
    """Non-maximum suppression: keep the best of every group of overlapping faces, best first."""
    order = np.argsort(-faces.scores, kind="stable")
    overlaps = iou_matrix(faces.xyxy, faces.xyxy) > max_iou
    kept: list[int] = []
    for index in order:
        if not overlaps[index, kept].any():
            kept.append(int(index))
    return faces.take(kept)


def weighted_nms(faces: Faces, min_iou: float) -> Faces:
    """Like `non_maximum_suppression`, but each kept face becomes the mean of its group, weighted by score.

    BlazeFace's authors propose it: the mean jitters less from frame to frame (Bazarevsky et al. 2019,
    arXiv:1907.05047, section 3.3). The score stays that of the best.
    """
    order = np.argsort(-faces.scores, kind="stable")
    overlaps = iou_matrix(faces.xyxy, faces.xyxy) > min_iou
    is_free = np.ones(len(faces), bool)
    groups: list[NDArray[np.intp]] = []
    for index in order:
        if is_free[index]:
            group = np.flatnonzero(is_free & overlaps[index])
            is_free[group] = False
            is_free[index] = False
            groups.append(group if len(group) else np.array([index]))
    return join_faces([_weighted_mean(faces.take(group)) for group in groups])


def _weighted_mean(group: Faces) -> Faces:
    weights = group.scores / group.scores.sum()
    return Faces(
        np.asarray(weights @ group.xyxy, np.float32)[None],
        group.scores.max(keepdims=True),
        np.asarray(np.tensordot(weights, group.eyes_xy, 1), np.float32)[None],
        np.asarray(np.tensordot(weights, group.points_xy, 1), np.float32)[None],
    )
