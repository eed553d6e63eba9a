"""Measure many streams at once: the rate of each, and how long the hub keeps others waiting.

    python -m benchmarks.streams [--streams 4] [--seconds 10]

Each stream is a process of its own that sends a 640x480 frame with a face at a camera's pace, two
in flight. Meanwhile a tiny page is asked for every 20 ms: the time to its answer is the lag of the
hub, and some noise.
"""

import argparse
import json
import multiprocessing
import time
import urllib.request

import numpy as np
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr
from tests.support.servers import ServerProcess

FPS = 30


def stream(url: str, seconds: float, results: "multiprocessing.Queue[tuple[int, int, list[float]]]") -> None:
    """Send frames for a while; puts (answered, dropped, round trips in ms) into `results`."""
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    round_trips_ms: list[float] = []
    dropped = in_flight = 0
    client = socketio.Client()
    client.connect(url, transports=["websocket"])
    start = time.monotonic()
    seq = 0
    while (now := time.monotonic()) < start + seconds:
        if in_flight < 2 and now >= start + seq / FPS:
            seq += 1
            in_flight += 1

            def answered(reply: dict[str, object], sent: float = now) -> None:
                nonlocal in_flight, dropped
                in_flight -= 1
                if reply["dropped"]:
                    dropped += 1
                else:
                    round_trips_ms.append((time.monotonic() - sent) * 1000)

            client.emit("frame", ({"seq": seq, "captured_ms": now * 1000}, jpeg), callback=answered)
        time.sleep(0.002)
    client.disconnect()
    results.put((len(round_trips_ms), dropped, round_trips_ms))


def measure(streams: int, seconds: float, arguments: list[str]) -> dict[str, object]:
    """Run the streams beside the tiny requests.

    Returns rates, round trips and hub lag in milliseconds.
    """
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with ServerProcess(*arguments) as server:
        workers = [
            context.Process(target=stream, args=(server.url, seconds, results)) for _ in range(streams)
        ]
        for worker in workers:
            worker.start()
        time.sleep(2)
        lags_ms = []
        while any(worker.is_alive() for worker in workers) and results.empty():
            started = time.perf_counter()
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as answer:
                answer.read()
            lags_ms.append((time.perf_counter() - started) * 1000)
            time.sleep(0.02)
        outcomes = [results.get(timeout=30) for _ in workers]
        for worker in workers:
            worker.join()
    round_trips = [value for _, _, values in outcomes for value in values]
    return {
        "streams": streams,
        "results_per_s": [round(answered / seconds, 1) for answered, _, _ in outcomes],
        "dropped": [dropped for _, dropped, _ in outcomes],
        "round_trip_p50_p95_ms": [float(value) for value in np.percentile(round_trips, [50, 95])],
        "hub_lag_p50_p99_ms": [float(value) for value in np.percentile(lags_ms, [50, 99])],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    options, server_arguments = parser.parse_known_args()
    print(json.dumps(measure(options.streams, options.seconds, server_arguments), indent=2))


if __name__ == "__main__":
    main()
