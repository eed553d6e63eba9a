"""One analyser of stills for all who ask the server, opened when the first image comes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from fer_web.analysis.stills.images import ImageLimits, Picture, decode_image
from fer_web.analysis.stills.stills import FACES, StillAnalyser, StillResult
from fer_web.errors import InvalidValueError


@dataclass(frozen=True)
class AnalysedStill:
    """One image and what was found in it."""

    picture: Picture
    result: StillResult


class SharedAnalyser:
    """Serves all threads in turn. Its classifier and detector are its own: no live frame waits."""

    def __init__(self, build: Callable[[], StillAnalyser], limits: ImageLimits) -> None:
        """Args: build: opens the classifier and the detector; called once, with the first image."""
        self._build = build
        self.limits = limits
        self._analyser: StillAnalyser | None = None
        self._lock = threading.Lock()

    def analyse(self, data: bytes | IO[bytes], faces: str = "auto", heatmap: bool = False) -> AnalysedStill:
        """Decode one image, find its faces and classify them; blocks until its turn comes, and computes.

        Args:
            data: the image's bytes, or a file with them at its start: that one is read when its turn comes,
                so that images which wait fill no memory.
            faces: one of FACES.
            heatmap: whether to compute what the network looked at, for each face.
        Raises: InvalidValueError: `faces` is none of FACES, or this model has no heat maps. ImageError: the
            image cannot be read.
        """
        if faces not in FACES:
            raise InvalidValueError(f"faces may be one of {', '.join(FACES)}, not {faces!r:.60}.")
        with self._lock:
            return self._analyse(data, faces, heatmap)

    def _analyse(self, data: bytes | IO[bytes], faces: str, heatmap: bool) -> AnalysedStill:
        read = data if isinstance(data, bytes) else data.read(self.limits.max_bytes + 1)
        picture = decode_image(read, self.limits)
        self._analyser = self._analyser or self._build()
        model = self._analyser.model
        if heatmap and model.heatmaps is None:
            raise InvalidValueError(f"heatmap=1 cannot be had: {model.no_heatmaps}. Leave it out.")
        return AnalysedStill(picture, self._analyser.analyse(picture.frame_bgr, faces, heatmap))
