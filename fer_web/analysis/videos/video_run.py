"""One video on its way into files and a session: what the command and the server's jobs have in common."""

import contextlib
import datetime
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from fer_web.analysis.draft_files import draft_of
from fer_web.analysis.videos.annotated_video import AnnotatedVideo
from fer_web.analysis.videos.video import AnalysedFrame, VideoSamples, frame_table
from fer_web.analysis.videos.video_encoders import Sound, VideoForm
from fer_web.analysis.videos.video_reader import VideoReader
from fer_web.history.export import csv_file, json_file
from fer_web.history.types import Session
from fer_web.inference.model_info import ModelInfo

Sink = Callable[[AnalysedFrame], None]
Watch = Callable[[Iterable[AnalysedFrame]], Iterable[AnalysedFrame]]


@dataclass(frozen=True)
class VideoOutputs:
    """These files are written; None stands for those that are not.

    Attributes:
        csv: a row for each face of each frame. json: the session, as the history exports it.
        annotated: the video with boxes and labels, as `form` says.
        mode: permissions of the files; None: as the process makes files.
        check: called again and again while they are written; raises where they shall not be any more.
    """

    csv: Path | None = None
    json: Path | None = None
    annotated: Path | None = None
    form: VideoForm | None = None
    mode: int | None = None
    check: Callable[[], None] = lambda: None


class VideoRun:
    """One video, read once. `samples` fills while it is read."""

    def __init__(
        self,
        reader: VideoReader,
        source: Path,
        *,
        name: str,
        file_name: str,
        model: ModelInfo,
        record_hz: float,
        smoothing_s: float,
    ) -> None:
        """Args: source: the file being read. name: of the session. file_name: what people call it."""
        self.samples = VideoSamples(record_hz)
        self._reader = reader
        self._source = source
        self._name = name
        self._file_name = file_name
        self._model = model
        self._smoothing_s = smoothing_s
        self._started_at = datetime.datetime.now(datetime.UTC)

    def write(
        self,
        frames: Generator[AnalysedFrame, None, None],
        outputs: VideoOutputs,
        watch: Watch = lambda frames: frames,
    ) -> None:
        """Take in every frame and write all files, or none where anything fails.

        Args: watch: passes the frames on while it shows how many there were; may raise to end it.
        Raises: VideoError, VideoWriteError, OSError.
        """
        with contextlib.ExitStack() as stack:
            sinks: list[Sink] = [self.samples.add]
            if outputs.csv:
                sinks.append(self._csv_sink(outputs.csv, outputs.mode, stack))
            json = stack.enter_context(draft_of(outputs.json, outputs.mode)) if outputs.json else None
            if outputs.annotated and outputs.form:
                sinks.append(self._video_sink(outputs.annotated, outputs.form, outputs, stack))
            _drive(frames, sinks, watch)
            if json:
                _write_parts(json, json_file(self.session(), [self.samples.table()]))

    def session(self) -> Session:
        """The session as far as it is known."""
        height, width = self._reader.size_hw
        return self.samples.session(
            name=self._name,
            started_at=self._started_at,
            length_s=self.samples.last_s + 1 / self._reader.fps,
            model=self._model,
            settings={
                "file": self._file_name,
                "width": width,
                "height": height,
                "fps": self._reader.fps,
                "smoothing_s": self._smoothing_s,
                **({"missing": list(self._model.missing)} if self._model.missing else {}),
            },
        )

    def _csv_sink(self, path: Path, mode: int | None, stack: contextlib.ExitStack) -> Sink:
        file = stack.enter_context(stack.enter_context(draft_of(path, mode)).open("wb"))
        session = self.session()
        # The history's own columns, a frame at a time; in the place of a session's id stands its name.
        named = replace(session, id=session.name)
        head, *_ = csv_file(named, [])
        file.write(head)

        def add(analysed: AnalysedFrame) -> None:
            _, rows = csv_file(named, [frame_table(analysed)])
            file.write(rows)

        return add

    def _video_sink(
        self, out: Path, form: VideoForm, outputs: VideoOutputs, stack: contextlib.ExitStack
    ) -> Sink:
        draft = stack.enter_context(draft_of(out, outputs.mode))
        origin_s, part = self._reader.origin_s, self._reader.part
        sound = Sound(self._source, origin_s, None if part.end_s is None else origin_s + part.end_s)
        fps = self._reader.fps / part.every
        video = AnnotatedVideo(draft, sound, fps, form, outputs.check)

        def close(failure: object, *_: object) -> None:
            try:
                if failure is None:
                    video.finish()
            finally:
                video.cancel()

        stack.push(close)
        return video.add


def _drive(frames: Generator[AnalysedFrame, None, None], sinks: list[Sink], watch: Watch) -> None:
    """Hand every frame to every sink; the reading thread has ended after this."""
    with contextlib.closing(frames):
        for analysed in watch(frames):
            for sink in sinks:
                sink(analysed)


def _write_parts(path: Path, parts: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
