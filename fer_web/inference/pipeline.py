"""One frame in, one FrameResult out: decode, find faces, crop, classify, decide what is sure."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.classifier import Classifier, Prediction
from fer_web.inference.judgement import ViewSpreads, evidence_of, judge
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.results import FaceResult, FrameResult, face_result
from fer_web.inference.shown_labels import ShownLabel, ShownLabels
from fer_web.inference.stream_corrections import StreamCorrections
from fer_web.inference.stream_settings import SERVER_SETTINGS, StreamSettings
from fer_web.inference.views import AlternatingViews, mirror_cells, mirror_crops, mirror_maps
from fer_web.vision.box_filter import BoxFilter
from fer_web.vision.faces import FaceDetector
from fer_web.vision.frames import decode_frame
from fer_web.vision.preprocess import Crops, crop_corners, crop_faces
from fer_web.vision.smoothing import ScoreSmoother, ValueSmoother
from fer_web.vision.tracking import FaceTracker, TrackedFaces
from fer_web.vision.types import Frame
from fer_web.vision.visibility import measure_faces


@dataclass
class StreamState:
    """A stream remembers this from frame to frame. Used by one thread at a time, but for `corrections`."""

    tracker: FaceTracker
    smoother: ScoreSmoother
    spreads: ViewSpreads = field(default_factory=ViewSpreads)
    evidence: ValueSmoother = field(default_factory=ValueSmoother)
    labels: ShownLabels = field(default_factory=ShownLabels)
    views: AlternatingViews = field(default_factory=AlternatingViews)
    boxes: BoxFilter = field(default_factory=BoxFilter)
    corrections: StreamCorrections = field(default_factory=StreamCorrections)


@dataclass(frozen=True)
class FrameLimits:
    """Largest frame accepted."""

    max_bytes: int
    max_pixels: int


@dataclass
class _Stopwatch:
    clock: Callable[[], float]
    laps_ms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last = self._start = self.clock()

    def lap(self, name: str) -> None:
        now = self.clock()
        self.laps_ms[name] = (now - self._last) * 1000
        self._last = now

    def done(self) -> dict[str, float]:
        return {**self.laps_ms, "total": (self.clock() - self._start) * 1000}


class Pipeline:
    """Holds a detector and a classifier, and so belongs to one thread at a time."""

    def __init__(self, detector: FaceDetector, classifier: Classifier, limits: FrameLimits) -> None:
        self._detector = detector
        self._classifier = classifier
        self._model = classifier.info
        self._limits = limits

    def process(
        self,
        jpeg: bytes,
        captured_s: float,
        state: StreamState,
        heatmaps: bool = False,
        settings: StreamSettings = SERVER_SETTINGS,
    ) -> FrameResult:
        """Analyse one JPEG of a stream.

        Args:
            jpeg: the frame's bytes.
            captured_s: when it was captured, in seconds of the client's clock.
            state: the stream's memory; it is changed.
            heatmaps: whether faces get heat maps, of this frame alone; not where the network has none.
            settings: the client's choice for this frame.
        Raises: FrameError, FrameTooLargeError: the frame cannot be used; `state` is then unchanged.
        """
        watch = _Stopwatch(time.perf_counter)
        frame_bgr = decode_frame(jpeg, self._limits.max_bytes, self._limits.max_pixels)
        watch.lap("decode")
        return self._analyse(frame_bgr, captured_s, state, watch, heatmaps, settings)

    def analyse(self, frame_bgr: Frame, captured_s: float, state: StreamState) -> FrameResult:
        """Analyse one frame of a stream that is decoded already, whatever its size.

        Args:
            frame_bgr: uint8 (H, W, 3). Not modified.
            captured_s, state: as for `process`.
        """
        return self._analyse(frame_bgr, captured_s, state, _Stopwatch(time.perf_counter))

    def _analyse(
        self,
        frame_bgr: Frame,
        captured_s: float,
        state: StreamState,
        watch: _Stopwatch,
        heatmaps: bool = False,
        settings: StreamSettings = SERVER_SETTINGS,
    ) -> FrameResult:
        constant_s = state.smoother.time_constant_s if settings.smoothing_s is None else settings.smoothing_s
        tracked = state.tracker.update(frame_bgr, captured_s, self._detector, settings.max_faces)
        if constant_s > 0:
            tracked = replace(tracked, faces=state.boxes.update(tracked.ids, tracked.faces, captured_s))
        watch.lap("detect")
        model = self._model
        crops = crop_faces(frame_bgr, tracked.faces, model.size_hw, model.channels, model.crop)
        watch.lap("crop")
        prediction = self._see(crops, tracked.ids, state, heatmaps=heatmaps, alternates=constant_s > 0)
        watch.lap("classify")
        state.corrections.see(tracked.ids, prediction.scores)
        steady = state.smoother.update(tracked.ids, prediction.scores, captured_s, constant_s)
        scores = state.corrections.apply(tracked.ids, steady)
        evidence = self._evidence(frame_bgr, tracked, crops, prediction, state, captured_s)
        evidence = state.evidence.update(tracked.ids, evidence, captured_s, constant_s)
        model = settings.applied_to(self._model)
        judgement = judge(scores, evidence, self._classifier.certainty)
        shown = state.labels.update(
            tracked.ids,
            scores,
            judgement,
            model,
            time_s=captured_s,
            smoothing_s=constant_s,
        )
        scores = judgement.tempered(scores)
        faces = _results(tracked, frame_bgr.shape[:2], prediction, scores, shown, model)
        return FrameResult(faces, watch.done(), settings, state.corrections.faces)

    def _evidence(
        self,
        frame_bgr: Frame,
        tracked: TrackedFaces,
        crops: Crops,
        prediction: Prediction,
        state: StreamState,
        captured_s: float,
    ) -> NDArray[np.float32]:
        """What else than scores a judgement is made of, of this frame alone."""
        size_hw = (frame_bgr.shape[0], frame_bgr.shape[1])
        return evidence_of(
            prediction,
            state.spreads.update(tracked.ids, prediction.scores, captured_s),
            self._classifier.certainty,
            lambda: measure_faces(crops, tracked.faces, size_hw),
        )

    def _see(
        self, crops: Crops, face_ids: Sequence[int], state: StreamState, *, heatmaps: bool, alternates: bool
    ) -> Prediction:
        """Classify each face as it is or mirrored, in turn where the results are averaged over time."""
        is_mirrored = state.views.next(face_ids) & alternates
        views = mirror_crops(crops, is_mirrored)
        prediction = self._classifier.explain(views) if heatmaps else self._classifier.classify(views)
        maps, cells = prediction.heatmaps, prediction.cells
        return replace(
            prediction,
            heatmaps=None if maps is None else mirror_maps(maps, is_mirrored),
            cells=None if cells is None else mirror_cells(cells, is_mirrored),
        )


def _results(
    tracked: TrackedFaces,
    size_hw: tuple[int, ...],
    prediction: Prediction,
    scores: NDArray[np.float32],
    shown: Sequence[ShownLabel],
    model: ModelInfo,
) -> tuple[FaceResult, ...]:
    height, width = size_hw
    fractions = tracked.faces.xyxy / np.array([width, height, width, height], np.float32)
    corners = None
    if prediction.heatmaps is not None:
        corners = crop_corners(tracked.faces, model.crop) / np.array([width, height], np.float32)
    return tuple(
        face_result(
            face_id,
            fractions[row],
            prediction.take(row),
            scores[row],
            shown[row],
            model,
            corners=None if corners is None else corners[row],
        )
        for row, face_id in enumerate(tracked.ids)
    )
