"""Measure what recording costs the live path, and how long the history takes.

    python -m benchmarks.history [--seconds 3] [--rounds 6] [--sessions 10000]

Cost: one client sends frames with a face, two in flight, and switches recording on and off in turn;
the median rate with is compared to that without, so that other work on the machine meets both
alike. Once at a camera's 30 a second, and once as fast as they are answered: what is left there
when all processors are busy. History: so many sessions in the list; an hour of three faces as
samples and as CSV.
"""

import argparse
import datetime
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests
import socketio

from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import open_history
from fer_web.history.types import NOT_TOLD, NewSession, SampleTable
from fer_web.inference.results import FrameResult
from fer_web.vision.frames import encode_jpeg
from tests.support.face_results import face
from tests.support.faces import camera_frame_bgr
from tests.support.many_sessions import fill
from tests.support.servers import ServerProcess

HOUR_S = 3600
SAMPLE_HZ = 5
FACES = 3
CAMERA_FPS = 30


class Browser:
    """It is a client with the cookie that the page sets."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.get(url, timeout=10).raise_for_status()
        cookie = "; ".join(f"{each.name}={each.value}" for each in self.http.cookies)
        self.socket = socketio.Client()
        self.socket.connect(url, headers={"Cookie": cookie}, transports=["websocket"])

    def rate_for(self, seconds: float, jpeg: bytes, frames_per_s: float) -> float:
        """Count the answers a second, with two frames in flight and at most so many frames."""
        free, lock, answers = threading.Semaphore(2), threading.Lock(), 0

        def answered(_reply: dict[str, Any]) -> None:
            nonlocal answers
            with lock:
                answers += 1
            free.release()

        start, sent = time.monotonic(), 0
        while time.monotonic() < start + seconds:
            time.sleep(max(0.0, start + sent / frames_per_s - time.monotonic()))
            free.acquire()
            sent += 1
            header = {"seq": 1, "captured_ms": time.monotonic() * 1000}
            self.socket.emit("frame", (header, jpeg), callback=answered)
        return answers / (time.monotonic() - start)


def measure_cost(
    browser: Browser, server: ServerProcess, rounds: int, seconds: float, frames_per_s: float
) -> dict[str, object]:
    """Measure rates and processor time with and without recording, in turns.

    Other work on the machine cannot change the processor time of a result much.
    """
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    session = browser.socket.call("record", {"on": True})["session"]
    browser.rate_for(2, jpeg, frames_per_s)
    rates: dict[bool, list[float]] = {True: [], False: []}
    cpu_ms: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * rounds):
        # on, off, off, on: what drifts over the run meets both alike.
        is_on = turn % 4 in (0, 3)
        browser.socket.call("record", {"on": is_on, "session": session})
        before_s = server.cpu_s
        rates[is_on].append(browser.rate_for(seconds, jpeg, frames_per_s))
        cpu_ms[is_on].append((server.cpu_s - before_s) * 1000 / (rates[is_on][-1] * seconds))
    browser.socket.call("stop", {})
    recorded, plain = statistics.median(rates[True]), statistics.median(rates[False])
    return {
        "results_per_s_recording": round(recorded, 1),
        "results_per_s_without": round(plain, 1),
        "ratio": round(recorded / plain, 3),
        "cpu_ms_a_result_recording": round(statistics.median(cpu_ms[True]), 3),
        "cpu_ms_a_result_without": round(statistics.median(cpu_ms[False]), 3),
    }


def measure_recorder(seconds: float = 5) -> dict[str, object]:
    """Measure the recorder's processor time: three faces at 30 frames a second, recorded or not."""
    result = FrameResult(tuple(face(number) for number in range(FACES)), {})
    with tempfile.TemporaryDirectory() as folder:
        history = open_history("", Path(folder))
        recorder = Recorder(history, RecordingModel("flagship", "abc", SAMPLE_HZ, {}), 1)
        recorder.open()
        recorder.start("recorded", "", "")

        def cpu_ms_a_second(client: str) -> float:
            before_s, end = time.process_time(), time.monotonic() + seconds
            while time.monotonic() < end:
                recorder.sample(client, time.monotonic(), result)
                time.sleep(1 / 30)
            return (time.process_time() - before_s) * 1000 / seconds

        cpu_ms_a_second("recorded")
        figures = {f"{name}_cpu_ms_a_second": round(cpu_ms_a_second(name), 1) for name in ("recorded", "not")}
        recorder.stop()
        history.close()
    return dict(figures)


def hour_of_samples() -> Iterator[SampleTable]:
    """Yield an hour of three faces at five samples a second, ten seconds a table."""
    rng = np.random.default_rng(0)
    for start_s in range(0, HOUR_S, 10):
        at_s = np.repeat(start_s + np.arange(10 * SAMPLE_HZ) / SAMPLE_HZ, FACES)
        scores = rng.dirichlet(np.ones(7), len(at_s)).astype(np.float32)
        yield SampleTable(
            at_s=at_s,
            face=np.tile(np.arange(1, FACES + 1, dtype=np.int32), len(at_s) // FACES),
            box=rng.random((len(at_s), 4)).astype(np.float32),
            scores=scores,
            label=scores.argmax(axis=1).astype(np.int8),
            confidence=scores.max(axis=1),
            is_sure=scores.max(axis=1) > 0.4,
            rival=np.full(len(at_s), NOT_TOLD, np.int8),
            reason=np.full(len(at_s), NOT_TOLD, np.int8),
        )


def fastest_ms(ask: Any, times: int = 5) -> float:
    """Return the milliseconds of the fastest of some calls."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - started)
    return round(min(seconds) * 1000, 1)


def measure_list(browser: Browser, sessions: int) -> dict[str, object]:
    """Time the first page of the list over HTTP, plain, searched and by tag."""

    def ask(**query: str) -> None:
        answer = browser.http.get(f"{browser.url}/api/v1/sessions", params=query, timeout=30)
        answer.raise_for_status()
        assert answer.json()["sessions"], query

    return {
        "sessions": sessions,
        "first_page_ms": fastest_ms(ask),
        "search_ms": fastest_ms(lambda: ask(search="Film 77")),
        "tag_ms": fastest_ms(lambda: ask(tag="tag 7")),
    }


def measure_hour(browser: Browser, server: ServerProcess, session_id: str) -> dict[str, object]:
    """Time samples, summary and CSV of an hour over HTTP, and how much the server grows."""
    base = f"{browser.url}/api/v1/sessions/{session_id}"

    def ask(path: str) -> int:
        size = 0
        with browser.http.get(f"{base}/{path}", timeout=60, stream=True) as answer:
            answer.raise_for_status()
            for part in answer.iter_content(65536):
                size += len(part)
        return size

    before_mb = server.memory_mb
    csv_ms = fastest_ms(lambda: ask("export?format=csv"), 2)
    grown_mb = server.memory_mb - before_mb
    return {
        "samples": HOUR_S * SAMPLE_HZ * FACES,
        "csv_ms": csv_ms,
        "csv_mb": round(ask("export?format=csv") / 1e6, 1),
        "csv_memory_growth_mb": round(grown_mb, 1),
        "samples_ms": fastest_ms(lambda: ask("samples"), 2),
        "summary_ms": fastest_ms(lambda: ask("summary"), 2),
    }


def measure(rounds: int, seconds: float, sessions: int, arguments: list[str]) -> dict[str, object]:
    """Measure all figures with one server."""
    with ServerProcess("--max-frames-per-s", "1000", *arguments) as server:
        browser = Browser(server.url)
        live = measure_cost(browser, server, rounds, seconds, CAMERA_FPS)
        saturated = measure_cost(browser, server, rounds, seconds, 1e6)
        history = open_history("", server.data_dir)
        mine = browser.http.get(f"{server.url}/api/v1/sessions", timeout=10).json()["sessions"][0]["id"]
        session = history.get_session(mine, None)
        now = datetime.datetime.now(datetime.UTC)
        fill(history, NewSession(session.owner, "Film", now, "flagship", "abc", SAMPLE_HZ), sessions)
        hour = history.import_session(session, session.owner, hour_of_samples())
        history.close()
        figures: dict[str, object] = {
            "cost_at_30_frames_per_s": live,
            "cost_saturated": saturated,
            "list": measure_list(browser, sessions),
            "hour": measure_hour(browser, server, hour.id),
        }
        browser.socket.disconnect()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--sessions", type=int, default=10_000)
    options, arguments = parser.parse_known_args()
    recorder = measure_recorder()
    figures = measure(options.rounds, options.seconds, options.sessions, arguments)
    print(json.dumps({"recorder": recorder, **figures}, indent=2))


if __name__ == "__main__":
    main()
