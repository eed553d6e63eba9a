"""The live search of detectors that search a whole frame at once."""

from abc import ABC, abstractmethod

from fer_web.vision.regions import SearchPart, whole_frame
from fer_web.vision.types import Faces, Frame


class OnePassSearch(ABC):
    """The part of a `FaceDetector` that cannot be spread over frames: its one pass is the full search."""

    has_checks = False

    @abstractmethod
    def search(self, frame_bgr: Frame) -> Faces:
        """All faces of the frame."""

    def parts(self, height: int, width: int) -> tuple[SearchPart, ...]:
        """The whole frame alone, once in each search interval."""
        return (SearchPart(whole_frame(height, width), 1.0),)

    def find(self, frame_bgr: Frame, part: SearchPart) -> Faces:
        """All faces of the frame."""
        return self.search(frame_bgr)

    def check(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """The candidate, which is a face already."""
        return candidate
