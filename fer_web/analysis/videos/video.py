"""Every frame of a video through the pipeline of the live page, and what became of it as a session."""

import contextlib
import datetime
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from fer_web.analysis.videos.read_ahead import read_ahead
from fer_web.analysis.videos.video_reader import VideoFrame, VideoReader
from fer_web.history.sample_tables import joined, table_of
from fer_web.history.sampling import Downsampling, sample_of
from fer_web.history.types import Sample, SampleTable, Session
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.pipeline import Pipeline, StreamState
from fer_web.inference.results import FaceResult

SOURCE: Final = "video"
"""The history stores this as where such sessions come from."""

_ROWS_AT_ONCE: Final = 2000


@dataclass(frozen=True)
class AnalysedFrame:
    """A frame of a video and its faces, by their numbers."""

    frame: VideoFrame
    faces: tuple[FaceResult, ...]


def analyse_video(
    reader: VideoReader, pipeline: Pipeline, state: StreamState
) -> Generator[AnalysedFrame, None, None]:
    """Each frame with its faces, in order; the next frame is decoded meanwhile, by another thread.

    Close the iterator before the reader, where it is left early. Raises: as reading.
    """
    with contextlib.closing(read_ahead(reader)) as frames:
        for frame in frames:
            found = pipeline.analyse(frame.frame_bgr, frame.at_s, state)
            yield AnalysedFrame(frame, tuple(sorted(found.faces, key=lambda face: face.face_id)))


@dataclass
class VideoSamples:
    """The samples of a video's session, at most `sample_hz` a second of each face; 62 bytes each.

    Attributes: last_s: time of the last frame. frames, frames_with_faces: how many came.
    """

    sample_hz: float
    last_s: float = 0.0
    frames: int = 0
    frames_with_faces: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    _tables: list[SampleTable] = field(default_factory=list)
    _waiting: list[Sample] = field(default_factory=list)
    _faces: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._downsampling = Downsampling(self.sample_hz)

    def add(self, analysed: AnalysedFrame) -> None:
        """Take a frame's faces in."""
        self.last_s = analysed.frame.at_s
        self.frames += 1
        self.frames_with_faces += bool(analysed.faces)
        self._faces.update(face.face_id for face in analysed.faces)
        self.labels.update(face.label if face.is_sure else "unsure" for face in analysed.faces)
        at_ms = round(self.last_s * 1000)
        kept = self._downsampling.keep(at_ms, analysed.faces)
        self._waiting += [sample_of(at_ms, face.face_id, face) for face in kept]
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._pack()

    @property
    def faces(self) -> int:
        """Count the faces that came, by their numbers."""
        return len(self._faces)

    def table(self) -> SampleTable:
        """All samples."""
        self._pack()
        return joined(self._tables) if self._tables else table_of([])

    def session(
        self,
        *,
        name: str,
        started_at: datetime.datetime,
        length_s: float,
        model: ModelInfo,
        settings: dict[str, Any],
    ) -> Session:
        """Return a session that describes them. Its id and owner come from whoever stores it."""
        return Session(
            id="",
            owner="",
            name=name,
            state="finished",
            source=SOURCE,
            started_at=started_at,
            length_s=length_s,
            faces=self.faces,
            samples=sum(map(len, self._tables)) + len(self._waiting),
            strip=(),
            notes="",
            tags=(),
            model_name=model.name,
            model_hash=model.model_hash,
            sample_hz=self.sample_hz,
            settings=settings,
        )

    def _pack(self) -> None:
        if self._waiting:
            self._tables.append(table_of(self._waiting))
            self._waiting = []


def frame_table(analysed: AnalysedFrame) -> SampleTable:
    """The faces of one frame, all of them."""
    at_ms = round(analysed.frame.at_s * 1000)
    return table_of([sample_of(at_ms, face.face_id, face) for face in analysed.faces])
