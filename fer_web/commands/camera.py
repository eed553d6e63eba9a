"""python -m fer_web camera: a camera or a stream, recorded into the history."""

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fer_web.analysis.cameras.camera_source import CameraSource, open_frames, parse_source
from fer_web.analysis.cameras.camera_stream import CameraStream, CapturedFrame
from fer_web.commands.camera_page import CameraPage
from fer_web.commands.history import NO_BROWSER
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.commands.video import SETTINGS as VIDEO_SETTINGS
from fer_web.commands.video_analysis import open_pipeline
from fer_web.errors import CameraError
from fer_web.history.leases import RENEW_S
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import open_history
from fer_web.history.types import Session
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.results import FaceResult
from fer_web.metrics.text_tables import certainty
from fer_web.settings import Settings, add_setting_options, settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web camera 0
  python -m fer_web camera /dev/video0 --duration 60 --name "First rehearsal"
  python -m fer_web camera rtsp://user:password@192.168.1.20/stream1 --show
  python -m fer_web camera http://192.168.1.20:8080/video --every 2 --json

Faces are recorded into the history until Ctrl-C or --duration. A stream that breaks off or hangs is connected
anew. --show also serves a page with the picture, on this machine alone.
exit status: 0 something was recorded, 1 no picture came, and why, on standard error, 2 wrong arguments."""

SETTINGS: Final = tuple(name for name in VIDEO_SETTINGS if name != "max_video_hours")
_CLIENT: Final = "camera"
_LOOK_S: Final = 0.2
_LINE_S: Final = 0.5
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def add_camera(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "camera", help="record a camera or a stream into the history", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_camera)
    parser.add_argument(
        "camera", metavar="CAMERA", help="its number, its device, or its address (rtsp, http, ...)"
    )
    parser.add_argument("--name", default="", help="name of the session")
    parser.add_argument(
        "--duration", type=number_in(1, 604_800), metavar="S", help="end after so many seconds of recording"
    )
    parser.add_argument(
        "--every",
        type=number_in(1, 1000),
        default=1,
        metavar="N",
        help="analyse each N-th frame (default: 1)",
    )
    parser.add_argument(
        "--wait",
        type=number_in(1, 86_400),
        default=30,
        metavar="S",
        help="give up when no picture came in the first S seconds (default: 30)",
    )
    parser.add_argument(
        "--timeout",
        type=number_in(1, 600),
        default=10,
        metavar="S",
        help="connect anew when a stream sends nothing for S seconds (default: 10)",
    )
    parser.add_argument(
        "--show",
        type=number_in(0, 65535),
        nargs="?",
        const=0,
        metavar="PORT",
        help="show the picture on a page of this machine; a free port by default",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_setting_options(parser, SETTINGS)


def run_camera(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Record until a signal, or for --duration. Raises FerWebError: no picture came, or none is stored."""
    settings = settings_of(given, environment)
    source = parse_source(given.camera)
    with _stopped_by_signals() as stop, contextlib.ExitStack() as stack:
        repository = stack.enter_context(
            contextlib.closing(open_history(settings.database_url, settings.data_dir))
        )
        model, pipeline, state = open_pipeline(settings)
        recorder = Recorder(repository, _recording_model(settings, model.info, source), 1)
        recorder.open()
        stack.callback(recorder.stop)
        threading.Thread(target=_tell_notices, args=(recorder,), name="camera-notices", daemon=True).start()
        page = None if given.show is None else _open_page(source, given.show, stack)
        opens = partial(open_frames, timeout_s=float(given.timeout), max_pixels=settings.max_video_pixels)
        stream = CameraStream(source, opens, _tell, given.every)
        stream.start()
        stack.callback(stream.stop)
        recording = _Recording(recorder, given, source)
        for captured in _frames(stream, recording, stop):
            result = pipeline.analyse(captured.frame_bgr, captured.captured_s, state)
            recording.take(captured)
            recorder.sample(_CLIENT, captured.captured_s, result)
            recording.show_line(result.faces)
            if page:
                page.show(captured.frame_bgr, result.faces)
    return recording.report(stream)


def _open_page(source: CameraSource, port: int, stack: contextlib.ExitStack) -> CameraPage:
    page = CameraPage(source.shown, port)
    stack.callback(page.close)
    _tell(f"{source.shown} is shown at {page.url}")
    return page


@dataclass
class _Recording:
    """What was recorded so far, and the line that tells it."""

    recorder: Recorder
    given: argparse.Namespace
    source: CameraSource
    session: Session | None = None
    frames: int = 0
    began_s: float = field(default_factory=time.monotonic)
    first_s: float = 0.0
    last_s: float = 0.0
    _renewed_s: float = 0.0
    _line_s: float = 0.0
    _has_line: bool = False

    def take(self, captured: CapturedFrame) -> None:
        """Count a frame; the first one begins the session, so that none stays empty."""
        if self.session is None:
            self.session = self.recorder.start(_CLIENT, NO_BROWSER, self.given.name or self.source.shown)
            self.first_s = captured.captured_s
        self.frames += 1
        self.last_s = captured.captured_s

    def is_over(self, stream: CameraStream) -> bool:
        """Tell whether --duration has passed, and vouch for the session now and then.

        Raises: CameraError: no picture came within --wait.
        """
        now_s = time.monotonic()
        if self.session is None:
            if now_s - self.began_s > self.given.wait:
                raise CameraError(
                    f"{stream.problem or f'{self.source.shown} sent no picture.'} Nothing was recorded."
                )
            return False
        if now_s - self._renewed_s > RENEW_S:
            self._renewed_s = now_s
            self.recorder.renew_leases()
        return self.given.duration is not None and now_s - self.first_s >= self.given.duration

    def show_line(self, faces: tuple[FaceResult, ...]) -> None:
        """Write the line again, where standard error is a terminal."""
        now_s = time.monotonic()
        if not sys.stderr.isatty() or now_s - self._line_s < _LINE_S:
            return
        self._line_s, self._has_line = now_s, True
        said = ", ".join(
            f"{face.label if face.is_sure else 'unsure'} {certainty(face.confidence)}" for face in faces[:5]
        )
        rate = self.frames / max(0.1, self.last_s - self.first_s)
        line = f"{_clock(self.last_s - self.first_s)}  {rate:.1f} frames/s  {said or 'no face'}"
        print(f"\r\x1b[K{line:.100}", end="", file=sys.stderr, flush=True)

    def report(self, stream: CameraStream) -> int:
        """Print what was recorded; returns the exit status."""
        if self._has_line:
            print(file=sys.stderr)
        if self.session is None:
            print("fer-web: no picture came; nothing was recorded.", file=sys.stderr)
            return 1
        length_s = self.last_s - self.first_s
        found = {
            "session": self.session.id,
            "camera": self.source.shown,
            "length_s": round(length_s, 3),
            "frames": self.frames,
            "reconnects": stream.connections - 1,
        }
        text = (
            f"stored as session {self.session.id}: {_clock(length_s)}, {self.frames} frames, "
            f"{stream.connections - 1} times connected anew"
        )
        print(json.dumps(found) if self.given.json else text)
        return 0


def _frames(stream: CameraStream, recording: _Recording, stop: threading.Event) -> Iterator[CapturedFrame]:
    while not stop.is_set() and not recording.is_over(stream):
        captured = stream.next_frame(_LOOK_S)
        if captured is not None:
            yield captured


def _recording_model(settings: Settings, model: ModelInfo, source: CameraSource) -> RecordingModel:
    options = {
        "camera": source.shown,
        "detector": settings.detector,
        "smoothing_s": settings.smoothing_s,
        "search_interval_s": settings.search_interval_s,
        "max_faces": settings.max_faces,
        **model.options,
    }
    return RecordingModel(model.name, model.model_hash, settings.record_hz, options)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and a closed terminal set, so that what was recorded is kept."""
    stop = threading.Event()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_notices(recorder: Recorder) -> None:
    while (notice := recorder.next_notice()) is not None:
        if "message" in notice.data:
            _tell(str(notice.data["message"]))


def _tell(text: str) -> None:
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{start}fer-web: {text}", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:d}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"
