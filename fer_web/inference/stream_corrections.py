"""Keeps the corrections of one stream's faces, and the take from which one is to be learned."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.correction import Correction, Views

MAX_CORRECTED: Final = 64
"""Faces of one stream that have a correction; the one that was corrected first gives way."""

MAX_VIEWS: Final = 300
"""Views of one expression that a take keeps: ten seconds of a fast camera. The first give way."""


class StreamCorrections:
    """Corrections by face, and one take at a time: raw scores, never a picture. Forgotten with the stream.

    The stream's worker and its client's messages use it at once. The lock is held for a few assignments only.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._corrections: dict[int, Correction] = {}
        self._taken_face: int | None = None
        self._taken_emotion: str | None = None
        self._views: dict[str, list[NDArray[np.float32]]] = {}

    @property
    def faces(self) -> tuple[int, ...]:
        """Ids of the faces that are corrected, whether they are in view or not."""
        with self._lock:
            return tuple(sorted(self._corrections))

    def correct(self, face_id: int, correction: Correction | None) -> None:
        """Correct a face from now on; None: no more."""
        with self._lock:
            self._corrections.pop(face_id, None)
            if correction is not None:
                self._corrections[face_id] = correction
                if len(self._corrections) > MAX_CORRECTED:
                    del self._corrections[next(iter(self._corrections))]

    def take(self, face_id: int, emotion: str | None) -> int:
        """Keep the views of a face that come from now on, as what it looks like with this expression.

        Another face's views are forgotten, and this expression's of before.

        Args: emotion: one of EMOTIONS; None: no view is kept until the next call.
        Returns: how many views the take has that this ends.
        """
        with self._lock:
            count = 0
            if face_id != self._taken_face:
                self._views = {}
            elif self._taken_emotion is not None:
                count = len(self._views.get(self._taken_emotion, []))
            self._taken_face, self._taken_emotion = face_id, emotion
            if emotion is not None:
                self._views[emotion] = []
            return count

    def give_views(self, face_id: int) -> dict[str, Views]:
        """Return the views of all expressions that were taken of a face, and forget them."""
        with self._lock:
            views = self._views if face_id == self._taken_face else {}
            self._views, self._taken_face, self._taken_emotion = {}, None, None
        return {emotion: np.array(rows, np.float32) for emotion, rows in views.items() if rows}

    def see(self, face_ids: Sequence[int], raw_scores: NDArray[np.float32]) -> None:
        """Keep a frame's view of the face that is taken. Args: raw_scores: float32 (N, 7), of this frame."""
        with self._lock:
            if self._taken_emotion is not None and self._taken_face in face_ids:
                rows = self._views[self._taken_emotion]
                rows.append(raw_scores[face_ids.index(self._taken_face)].copy())
                del rows[:-MAX_VIEWS]

    def apply(self, face_ids: Sequence[int], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores with each face's correction. Args: scores: float32 (N, 7). Not modified."""
        with self._lock:
            known = {
                row: self._corrections[each] for row, each in enumerate(face_ids) if each in self._corrections
            }
        if not known:
            return scores
        corrected = scores.copy()
        for row, correction in known.items():
            corrected[row] = correction.applied_to(scores[row])
        return corrected
