"""Measure what receivers of events that hang cost a stream.

    python -m benchmarks.receivers [--rounds 20] [--seconds 2] [--kind webhook|mqtt|lsl]

Two servers run side by side: one with receivers that take a connection and then hang, one without
any. One client streams to them in turn, so that other work on the machine meets both alike: a face
and an empty frame, a second of each, and twenty rules fire at each change. Each pair of turns gives
a ratio of results a second, and of processor time a result; the medians are printed.
"""

import argparse
import contextlib
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.deaf_receivers import DeafLslReader, DeafWebhook
from tests.support.faces import camera_frame_bgr
from tests.support.mosquitto import PASSWORD, USER, Mosquitto
from tests.support.servers import ServerProcess

KINDS = ("webhook", "mqtt", "lsl")
RULES = [
    {"when": when, "for_s": number / 20, "effects": ["send"]}
    for when in ("anyone", "nobody")
    for number in range(10)
]


class Streamer:
    """One client of one server, with one frame in flight."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._client = socketio.SimpleClient()
        self._client.connect(server.url, transports=["websocket"])
        frame = camera_frame_bgr()
        self._jpegs = [encode_jpeg(frame, 80), encode_jpeg(np.full_like(frame, 90), 80)]
        self._seq = itertools.count()

    def turn(self, seconds: float) -> tuple[float, float]:
        """Stream so long; return results a second, and milliseconds of processor time a result."""
        results, before_s, start = 0, self._server.cpu_s, time.monotonic()
        while (now_s := time.monotonic()) < start + seconds:
            header = {"seq": next(self._seq), "captured_ms": now_s * 1000}
            answer = self._client.call("frame", (header, self._jpegs[int(now_s) % 2]), timeout=60)
            results += answer.get("dropped") is None
        passed_s = time.monotonic() - start
        return results / passed_s, (self._server.cpu_s - before_s) * 1000 / max(1, results)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()


@contextlib.contextmanager
def hanging_server(kinds: tuple[str, ...], *arguments: str) -> Iterator[tuple[ServerProcess, Streamer]]:
    """Run a server whose receivers of these kinds have connected, and hang now; with a client of it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "secret").write_text("a secret of the benchmark")
        (folder / "password").write_text(PASSWORD)
        hook, broker = stack.enter_context(DeafWebhook()), stack.enter_context(Mosquitto())
        receivers: dict[str, dict[str, Any]] = {
            "webhook": {"url": hook.url, "secret_file": "secret", "allow_private": True},
            "mqtt": {"port": broker.port, "user": USER, "password_file": "password"},
            "lsl": {},
        }
        chosen = [{"kind": kind, **receivers[kind]} for kind in kinds]
        (folder / "events.json").write_text(json.dumps({"receivers": chosen, "rules": RULES}))
        server = stack.enter_context(ServerProcess("--events", str(folder / "events.json"), *arguments))
        if "mqtt" in kinds:
            _wait_for_state(server, "mqtt", "connected")
        streamer = Streamer(server)
        streamer.turn(2)
        if "lsl" in kinds:
            stack.enter_context(DeafLslReader())
        broker.hang()
        yield server, streamer
        streamer.close()


def measure(rounds: int, seconds: float, kinds: tuple[str, ...] = KINDS, *arguments: str) -> dict[str, Any]:
    """Return the medians of the pairs, and the states of the receivers at the end."""
    options = ("--max-frames-per-s", "1000", *arguments)
    rates, costs, alone = [], [], []
    with ServerProcess(*options) as plain, hanging_server(kinds, *options) as (hanging, streamer):
        streamers = [Streamer(plain), streamer]
        for each in streamers:
            each.turn(2)
        for number in range(rounds):
            # plain, hanging, hanging, plain: what drifts meets both alike.
            order = (0, 1) if number % 2 == 0 else (1, 0)
            turn = {index: streamers[index].turn(seconds) for index in order}
            rates.append(turn[1][0] / turn[0][0])
            alone.append(turn[0])
            costs.append(turn[1][1] / turn[0][1])
        streamers[0].close()
        states = _states(hanging)
    return {
        "pairs": rounds,
        "results_a_second_ratio": round(statistics.median(rates), 4),
        "standard_error": round(1.25 * statistics.stdev(rates) / len(rates) ** 0.5, 4),
        "results_a_second": round(statistics.median(rate for rate, _ in alone), 1),
        "processor_ms_a_result": round(statistics.median(cost for _, cost in alone), 2),
        "processor_time_ratio": round(statistics.median(costs), 4),
        "receivers": {each["kind"]: f"{each['state']} {each['reason']}".strip() for each in states},
    }


def _states(server: ServerProcess) -> list[dict[str, Any]]:
    answer = requests.get(f"{server.url}/api/v1/events/receivers", timeout=60).json()
    receivers: list[dict[str, Any]] = answer["receivers"]
    return receivers


def _wait_for_state(server: ServerProcess, kind: str, state: str) -> None:
    end_s = time.monotonic() + 60
    while not any((each["kind"], each["state"]) == (kind, state) for each in _states(server)):
        if time.monotonic() > end_s:
            raise TimeoutError(f"{kind} is not {state}: {_states(server)}")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--kind", choices=KINDS, action="append")
    options, arguments = parser.parse_known_args()
    kinds = tuple(options.kind or KINDS)
    print(json.dumps(measure(options.rounds, options.seconds, kinds, *arguments), indent=2))


if __name__ == "__main__":
    main()
