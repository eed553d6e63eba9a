"""Pipelines that answer at once, on command, or with an error."""

import threading

from fer_web.errors import FrameError
from fer_web.inference.results import FaceResult, FrameResult
from fer_web.inference.stream_settings import SERVER_SETTINGS

HAPPY = FaceResult(
    1, (0.1, 0.2, 0.3, 0.4), (0, 0, 0, 0.9, 0, 0, 0.1), (0, 0, 0, 1, 0, 0, 0), "happy", 0.9, True
)


class InstantPipeline:
    """Finds one happy face in every frame; refuses b"bad" and fails on b"crash"."""

    def __init__(self):
        self.captured_s = []

    def process(self, jpeg, captured_s, state, heatmaps=False, settings=SERVER_SETTINGS):
        self.captured_s.append(captured_s)
        if jpeg == b"bad":
            raise FrameError("The frame is bad.")
        if jpeg == b"crash":
            raise RuntimeError("a bug")
        return FrameResult((HAPPY,), {"total": 1.0})


class HeldPipeline:
    """Works on a frame until it is let go; keeps the order of what it got."""

    def __init__(self):
        self.started = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.seen = []

    def process(self, jpeg, captured_s, state, heatmaps=False, settings=SERVER_SETTINGS):
        self.seen.append(jpeg)
        self.started.release()
        assert self.go_on.acquire(timeout=60)
        return FrameResult((), {"total": 1.0})
