"""Defines what a face detector is, and which ones there are."""

import logging
from pathlib import Path
from typing import Final, Protocol

from fer_web.errors import SettingsError, SetupError
from fer_web.vision.haar import STILL_SEARCH_WIDTH, HaarDetector
from fer_web.vision.regions import SearchPart
from fer_web.vision.search import BlazeFaceDetector
from fer_web.vision.still_search import StillDetector
from fer_web.vision.types import Faces, Frame

_log = logging.getLogger(__name__)

DETECTORS: Final = ("blazeface", "haar")


class FaceDetector(Protocol):
    """Finds faces. Keeps nothing from one frame to the next; one instance belongs to one thread."""

    name: str
    has_checks: bool
    """Whether `check` costs time; without it every candidate of `find` is a face."""

    def search(self, frame_bgr: Frame) -> Faces:
        """Find all faces of a frame of any size from 1x1, best first, without repeats."""

    def look_near(self, frame_bgr: Frame, faces: Faces) -> Faces:
        """Find known faces again, in a fraction of the time, from where they were in the last frame.

        Returns: at most one face for each given one, in the same order; two may be the same face.
        """

    def parts(self, height: int, width: int) -> tuple[SearchPart, ...]:
        """The parts of a frame that a live stream searches one by one; the first is the whole frame."""

    def find(self, frame_bgr: Frame, part: SearchPart) -> Faces:
        """Find what may be a face in one part, best first."""

    def check(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """Look again at what `find` gave, in that frame or one soon after: one face or none."""


def resolve_detector(name: str, blazeface_path: Path) -> str:
    """Return what "auto" stands for on this machine."""
    if name != "auto":
        return name
    if blazeface_path.is_file():
        return "blazeface"
    _log.warning(
        "%s is missing; using the Haar detector, which finds fewer faces. Install it: make setup",
        blazeface_path,
    )
    return "haar"


def build_detector(
    name: str, blazeface_path: Path, num_threads: int = 1, *, for_stills: bool = False
) -> FaceDetector:
    """Open a detector by its name, one of DETECTORS.

    Args: for_stills: search longer, for smaller faces.
    Raises:
        SetupError: the detector's file is missing or damaged.
        SettingsError: there is no such detector.
    """
    if name == "haar":
        return HaarDetector(STILL_SEARCH_WIDTH) if for_stills else HaarDetector()
    if name != "blazeface":
        raise SettingsError(f"The detector may be one of {', '.join(DETECTORS)}, not {name!r}.")
    if not blazeface_path.is_file():
        raise SetupError(f"The face detector {blazeface_path} is missing. Fetch it: make setup")
    try:
        if for_stills:
            return StillDetector(blazeface_path)
        return BlazeFaceDetector(blazeface_path, num_threads)
    except (ValueError, KeyError) as exc:
        raise SetupError(
            f"The face detector {blazeface_path} is damaged. Fetch it again: make setup"
        ) from exc
