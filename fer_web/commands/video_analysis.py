"""One video on the command line: pipeline, run and summary, for this process and for those beside it."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2

from fer_web.analysis.videos.video import AnalysedFrame, analyse_video
from fer_web.analysis.videos.video_encoders import VideoForm, choose_form
from fer_web.analysis.videos.video_part import VideoPart
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.analysis.videos.video_run import VideoOutputs, VideoRun
from fer_web.history.session_texts import MAX_NAME
from fer_web.inference.models import Model, open_model, options_of
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.labels import EMOTIONS
from fer_web.metrics.text_tables import percent
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector, resolve_detector
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker

Watch = Callable[[Iterable[AnalysedFrame], int | None], Iterable[AnalysedFrame]]


@dataclass(frozen=True)
class VideoTask:
    """One video, the part of it and the files to write: paths are text, None stands for those not wanted."""

    source: str
    name: str
    csv: str | None = None
    json: str | None = None
    annotated: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1

    @property
    def part(self) -> VideoPart:
        """The part of the video that is analysed."""
        return VideoPart(self.start_s, self.end_s, self.every)

    @property
    def outputs(self) -> VideoOutputs:
        """The files, and how the annotated video is written."""
        csv, json, annotated = (
            Path(name) if name else None for name in (self.csv, self.json, self.annotated)
        )
        form: VideoForm | None = choose_form(annotated.suffix) if annotated else None
        return VideoOutputs(csv, json, annotated, form)


@dataclass(frozen=True)
class VideoSummary:
    """What was found in a video.

    Attributes:
        length_s: time of the last frame's end. labels: how often each label was seen, "unsure" among them.
    """

    frames: int
    length_s: float
    height: int
    width: int
    faces: int
    frames_with_faces: int
    labels: Mapping[str, int]
    is_complete: bool
    remarks: tuple[str, ...]
    took_s: float

    @staticmethod
    def from_wire(told: dict[str, Any]) -> "VideoSummary":
        """What `to_wire` gave."""
        return VideoSummary(**{**told, "remarks": tuple(told["remarks"])})

    def to_wire(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def shares(self) -> list[tuple[str, float]]:
        """Labels and their shares of all faces seen, the most frequent first."""
        total = sum(self.labels.values())
        names = [name for name in (*EMOTIONS, "unsure") if self.labels.get(name)]
        return [
            (name, self.labels[name] / total) for name in sorted(names, key=lambda name: -self.labels[name])
        ]


def open_pipeline(settings: Settings) -> tuple[Model, Pipeline, StreamState]:
    """The model, a pipeline with it, and the memory of one video.

    Raises: FerWebError: a file is missing or does not fit.
    """
    cv2.setNumThreads(1)  # crops are too small to be worth a thread, and the decoder has its own
    model = open_model(settings.model, options_of(settings))
    for warning in model.warnings:
        print(f"{model.info.name}: {warning}.", file=sys.stderr)
    detector = build_detector(resolve_detector(settings.detector, BLAZEFACE_PATH), BLAZEFACE_PATH)
    limits = FrameLimits(settings.max_frame_bytes, settings.max_frame_pixels)
    return model, Pipeline(detector, model.new_classifier(), limits), new_state(settings)


def new_state(settings: Settings) -> StreamState:
    """The memory of one video."""
    tracker = FaceTracker(search_interval_s=settings.search_interval_s, max_faces=settings.max_faces)
    return StreamState(tracker, ScoreSmoother(settings.smoothing_s))


def analyse_task(
    task: VideoTask, settings: Settings, parts: tuple[Model, Pipeline, StreamState], watch: Watch
) -> tuple[VideoSummary, VideoRun]:
    """Analyse a video and write its files. Raises: FerWebError, OSError."""
    started = time.perf_counter()
    model, pipeline, state = parts
    source = Path(task.source)
    with VideoReader(source, VideoLimits.from_settings(settings), task.part) as reader:
        run = VideoRun(
            reader,
            source,
            name=task.name,
            file_name=file_name_of(source),
            model=model.info,
            record_hz=settings.record_hz,
            smoothing_s=settings.smoothing_s,
        )
        frames = analyse_video(reader, pipeline, state)
        run.write(frames, task.outputs, lambda items: watch(items, reader.frames))
        return _summary(reader, run, state, time.perf_counter() - started), run


def _summary(reader: VideoReader, run: VideoRun, state: StreamState, took_s: float) -> VideoSummary:
    samples = run.samples
    return VideoSummary(
        frames=samples.frames,
        length_s=samples.last_s + 1 / reader.fps,
        height=reader.size_hw[0],
        width=reader.size_hw[1],
        faces=samples.faces,
        frames_with_faces=samples.frames_with_faces,
        labels=dict(Counter(samples.labels)),
        is_complete=reader.is_complete,
        remarks=(*reader.remarks, *state.tracker.remarks),
        took_s=took_s,
    )


def describe(path: Path | str, found: VideoSummary) -> str:
    """Describe what was found, as text."""
    length = f"{found.frames} frames, {found.length_s:.1f} s, {found.width}x{found.height}"
    lines = [f"{path}: {length}; analysed in {found.took_s:.1f} s"]
    if not found.frames_with_faces:
        return f"{lines[0]}\n  no face found"
    share = percent(found.frames_with_faces / found.frames)
    lines.append(f"  {found.faces} {'face' if found.faces == 1 else 'faces'}, in {share} of the frames")
    lines += [f"  {name:<9}{percent(share):>8}" for name, share in found.shares]
    return "\n".join(lines)


def file_name_of(path: Path, name: str = "") -> str:
    """A file's name, or `name` for it, as text that can be stored and shown: its end where it is long."""
    text = (name or path.name).encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[-MAX_NAME:].strip()
