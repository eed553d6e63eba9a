"""Builds what analyses frames, images and videos: the model, the detector, all that runs them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from fer_web.analysis.stills.images import ImageLimits
from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.analysis.stills.stills import MAX_STILL_FACES, StillAnalyser
from fer_web.analysis.videos.video_reader import VideoLimits
from fer_web.analysis.videos.video_worker import VideoTools
from fer_web.inference.classifier import Classifier
from fer_web.inference.models import Model, open_model, options_of
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector, resolve_detector
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InferenceParts:
    """The parts that analyse frames, images and videos."""

    model: Model
    detector: str
    pipelines: Sequence[Pipeline]
    analyser: SharedAnalyser
    video_tools: VideoTools


def build_inference(
    settings: Settings,
    *,
    pipelines: Sequence[Pipeline] | None,
    analyser: SharedAnalyser | None,
    video_tools: VideoTools | None,
) -> InferenceParts:
    """Open the model and the detector, and build what analyses frames, images and videos with them."""
    model = open_model(settings.model, options_of(settings))
    for warning in model.warnings:
        _log.warning("%s: %s.", model.info.name, warning)
    detector = resolve_detector(settings.detector, BLAZEFACE_PATH)
    if pipelines is None:
        pipelines = [
            build_pipeline(settings, model.new_classifier(), detector) for _ in range(settings.worker_count)
        ]
    return InferenceParts(
        model=model,
        detector=detector,
        pipelines=pipelines,
        analyser=analyser or build_analyser(settings, model, detector),
        video_tools=video_tools or build_video_tools(settings, model, detector),
    )


def build_pipeline(settings: Settings, classifier: Classifier, detector: str) -> Pipeline:
    """A pipeline for one worker, with interpreters of its own."""
    # The workers are the parallelism; OpenCV's own threads would only fight them for the cores.
    cv2.setNumThreads(1)
    return Pipeline(
        build_detector(detector, BLAZEFACE_PATH),
        classifier,
        FrameLimits(settings.max_frame_bytes, settings.max_frame_pixels),
    )


def build_analyser(settings: Settings, model: Model, detector: str) -> SharedAnalyser:
    """The analyser of images; it opens its own interpreters with the first one."""

    def build() -> StillAnalyser:
        searching = build_detector(detector, BLAZEFACE_PATH, for_stills=True)
        return StillAnalyser(model.new_classifier(), searching, MAX_STILL_FACES)

    return SharedAnalyser(build, ImageLimits.from_settings(settings))


def new_stream_state(settings: Settings) -> StreamState:
    """The memory of a stream that begins."""
    return StreamState(
        FaceTracker(search_interval_s=settings.search_interval_s, max_faces=settings.max_faces),
        ScoreSmoother(settings.smoothing_s),
    )


def build_video_tools(settings: Settings, model: Model, detector: str) -> VideoTools:
    """What analyses videos; each opens its own interpreters."""

    def open_pipeline() -> tuple[Pipeline, StreamState]:
        return build_pipeline(settings, model.new_classifier(), detector), new_stream_state(settings)

    limits = VideoLimits.from_settings(settings)
    return VideoTools(limits, model.info, settings.record_hz, settings.smoothing_s, open_pipeline)
