"""Turns the faces of frames into samples of a session: how many are kept, and in which form."""

from collections.abc import Iterator, Sequence

from fer_web.history.types import Sample
from fer_web.inference.certainty import REASONS
from fer_web.inference.results import FaceResult
from fer_web.labels import EMOTIONS


class Downsampling:
    """Lets each face pass once in every part of a second that a sample rate makes."""

    def __init__(self, sample_hz: float) -> None:
        self._sample_hz = sample_hz
        self._slot = -1
        self._seen: set[int] = set()

    def reset(self) -> None:
        """Faces with numbers of their own follow."""
        self._slot = -1

    def keep(self, at_ms: int, faces: Sequence[FaceResult]) -> Iterator[FaceResult]:
        """The faces of a frame that are to be kept. Frames come in the order of their times."""
        # Half a part late, so that a camera as fast as the sample rate does not fall on the borders.
        slot = int(at_ms * self._sample_hz / 1000 + 0.5)
        if slot != self._slot:
            self._slot, self._seen = slot, set()
        for face in faces:
            if face.face_id not in self._seen:
                self._seen.add(face.face_id)
                yield face


def sample_of(at_ms: int, number: int, face: FaceResult) -> Sample:
    """A face at a moment, under its number in the session."""
    return Sample(
        at_s=at_ms / 1000,
        face=number,
        box=face.box,
        scores=face.raw_scores,
        label=EMOTIONS.index(face.label),
        confidence=face.confidence,
        is_sure=face.is_sure,
        rival=None if face.is_sure else EMOTIONS.index(face.rival),
        reason=None if face.reason is None else REASONS.index(face.reason),
    )
