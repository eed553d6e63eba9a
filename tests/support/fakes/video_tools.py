"""What analyses videos without a network: one face in every frame, as fast or slowly as a test wants."""

import threading

from fer_web.analysis.videos.video_reader import VideoLimits
from fer_web.analysis.videos.video_worker import VideoTools
from fer_web.inference.pipeline import StreamState
from fer_web.inference.results import FrameResult
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker
from tests.support.fakes.models import model_info
from tests.support.fakes.pipelines import HAPPY


class FramePipeline:
    """Finds one happy face in every frame. While `is_held` each frame waits for `go_on`."""

    def __init__(self):
        self.started, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.is_held = False
        self.seen = []

    def analyse(self, frame_bgr, captured_s, state):
        self.seen.append(captured_s)
        if self.is_held:
            self.started.release()
            assert self.go_on.acquire(timeout=60)
        return FrameResult((HAPPY,), {})


def video_tools(pipeline, max_pixels=1_000_000, max_hours=1.0):
    limits = VideoLimits(max_pixels, max_hours)
    return VideoTools(limits, model_info(), 5.0, 0.25, lambda: (pipeline, _state()))


def _state():
    return StreamState(FaceTracker(), ScoreSmoother(0.0))
