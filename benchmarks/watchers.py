"""Measure what watchers cost the stream that they watch, and how late they see it.

    python -m benchmarks.watchers [--watchers 20] [--seconds 3] [--rounds 4] [--part
    cost|delay|deaf]

Cost: one client streams frames with a face, two in flight, with and without watchers in turn, so
that other work on the machine meets both alike; at a camera's 30 a second, and as fast as they are
answered. Delay: from a frame's capture to the arrival of its picture at a watcher, over loopback.
Deaf: how much the server grows. All watchers live in one process of their own, which only counts
what comes; it shares this machine's processors with the server.
"""

import argparse
import json
import multiprocessing
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import socketio
import websocket

from benchmarks.history import CAMERA_FPS, Browser
from fer_web.realtime.watching import NAMESPACE
from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr
from tests.support.watched_server import WatchedServer

PARTS = ("cost", "delay", "deaf")
SMALL_BUFFER_BYTES = 4096
OPCODE_TEXT, OPCODE_BINARY = 1, 2


class Host(Browser):
    """It is the browser that is watched."""

    def __init__(self, server: WatchedServer) -> None:
        self.socket = socketio.Client()
        self.socket.connect(server.url, headers={"Cookie": server.owner_cookie}, transports=["websocket"])


class Watcher:
    """It is a raw WebSocket: the cheapest way to count what comes."""

    def __init__(self, port: int, cookie: str, *, receive_buffer: int | None = None) -> None:
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)] if receive_buffer else []
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self.connection = websocket.create_connection(url, cookie=cookie, timeout=30, sockopt=options)
        self.connection.recv()
        self.connection.send(f"40{NAMESPACE},")
        assert str(self.connection.recv()).startswith(f"40{NAMESPACE},{{")
        assert self.connection.sock is not None
        self.sock = self.connection.sock
        self._buffer = bytearray()
        self._captured_ms: float | None = None
        self.views = 0
        self.delays_ms: list[float] = []

    def read(self) -> None:
        """Take what has come; views are counted, pictures timed, pings answered."""
        self._buffer += self.sock.recv(1 << 18)
        for opcode, payload in self._frames():
            if opcode == OPCODE_BINARY and self._captured_ms is not None:
                self.delays_ms.append(time.monotonic() * 1000 - self._captured_ms)
                self._captured_ms = None
            elif payload == b"2":
                self.connection.send("3")
            elif b'["view",' in payload[:40]:
                self.views += 1
                number = payload.split(b'"captured_ms":', 1)[1].split(b",", 1)[0]
                self._captured_ms = float(number)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        while len(self._buffer) >= 2:
            start, length = 2, self._buffer[1]
            if length >= 126:
                start += 2 if length == 126 else 8
                length = int.from_bytes(self._buffer[2:start], "big")
            if len(self._buffer) < start + length:
                return
            yield self._buffer[0] & 15, bytes(self._buffer[start : start + length])
            del self._buffer[: start + length]


def watch(pipe: Connection, port: int, cookies: list[str]) -> None:
    """Run the watchers' process: a number on the pipe makes so many watch, until the next word."""
    while (count := pipe.recv()) is not None:
        watchers = [Watcher(port, cookie) for cookie in cookies[:count]]
        selector = selectors.DefaultSelector()
        selector.register(pipe, selectors.EVENT_READ)
        for watcher in watchers:
            selector.register(watcher.sock, selectors.EVENT_READ, watcher)
        pipe.send("ready")
        while not pipe.poll():
            for key, _ in selector.select():
                if key.data is not None:
                    key.data.read()
        pipe.recv()
        pipe.send(([each.views for each in watchers], [ms for each in watchers for ms in each.delays_ms]))
        for watcher in watchers:
            watcher.connection.close()


class Watchers:
    """It steers the watchers' process from outside."""

    def __init__(self, server: WatchedServer) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, server.port, server.guest_cookies)
        self._process = context.Process(target=watch, args=arguments, daemon=True)
        self._process.start()

    def begin(self, count: int) -> None:
        """Let so many watch from now on."""
        self._pipe.send(count)
        self._pipe.recv()

    def end(self) -> tuple[list[int], list[float]]:
        """Let nobody watch any more; return each one's views, and the pictures' delays in ms."""
        self._pipe.send("end")
        views, delays_ms = self._pipe.recv()
        return views, delays_ms

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join(10)


def measure_cost(
    host: Host, watchers: Watchers, server: WatchedServer, options: argparse.Namespace, frames_per_s: float
) -> dict[str, object]:
    """Measure rates and processor time with and without watchers, in turns."""
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    rates: dict[bool, list[float]] = {True: [], False: []}
    cpu_ms: dict[bool, list[float]] = {True: [], False: []}
    views_per_s = []
    for turn in range(2 * options.rounds):
        # with, without, without, with: what drifts over the run meets both alike.
        is_watched = turn % 4 in (0, 3)
        watchers.begin(options.watchers if is_watched else 0)
        before_s = server.cpu_s
        rates[is_watched].append(host.rate_for(options.seconds, jpeg, frames_per_s))
        cpu_ms[is_watched].append(
            (server.cpu_s - before_s) * 1000 / (rates[is_watched][-1] * options.seconds)
        )
        views, _delays = watchers.end()
        views_per_s += [count / options.seconds for count in views]
    watched, alone = statistics.median(rates[True]), statistics.median(rates[False])
    return {
        "results_per_s_watched": round(watched, 1),
        "results_per_s_alone": round(alone, 1),
        "ratio": round(watched / alone, 3),
        "views_per_s_of_a_watcher": round(statistics.median(views_per_s), 1),
        "cpu_ms_a_result_watched": round(statistics.median(cpu_ms[True]), 2),
        "cpu_ms_a_result_alone": round(statistics.median(cpu_ms[False]), 2),
    }


def measure_delay(host: Host, watchers: Watchers, server: WatchedServer, seconds: float) -> dict[str, object]:
    """Measure from a frame's capture to its picture at a watcher, for one and for many."""
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    server.show_video(True)
    figures: dict[str, object] = {"jpeg_bytes": len(jpeg)}
    for count in (1, 5):
        watchers.begin(count)
        host.rate_for(seconds, jpeg, CAMERA_FPS)
        views, delays_ms = watchers.end()
        p50, p95 = np.percentile(delays_ms, [50, 95])
        figures[f"watchers_{count}"] = {
            "pictures": len(delays_ms),
            "pictures_per_s_of_a_watcher": round(statistics.median(views) / seconds, 1),
            "delay_p50_ms": round(float(p50), 1),
            "delay_p95_ms": round(float(p95), 1),
        }
    server.show_video(False)
    return figures


def measure_deaf(host: Host, server: WatchedServer, seconds: float, count: int = 10) -> dict[str, object]:
    """Measure how much the server grows with watchers that never read, and when it has ended them."""
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    server.show_video(True)
    told: list[tuple[float, int]] = []
    host.socket.on("watched", lambda watched: told.append((time.monotonic(), watched["watchers"])))
    host.rate_for(seconds, jpeg, CAMERA_FPS)
    before_mb = server.memory_mb
    deaf = [
        Watcher(server.port, cookie, receive_buffer=SMALL_BUFFER_BYTES)
        for cookie in server.guest_cookies[-count:]
    ]
    started_s, most_mb = time.monotonic(), before_mb
    while time.monotonic() < started_s + 30 and not (told and told[-1][1] == 0):
        host.rate_for(0.5, jpeg, CAMERA_FPS)
        most_mb = max(most_mb, server.memory_mb)
    for each in deaf:
        each.sock.close()
    return {
        "watchers": count,
        "growth_mb": round(most_mb - before_mb, 1),
        "all_ended_after_s": round(told[-1][0] - started_s, 1) if told and told[-1][1] == 0 else None,
    }


def measure(options: argparse.Namespace, arguments: list[str]) -> dict[str, Any]:
    """Measure the parts that were asked for, with one server."""
    figures: dict[str, Any] = {}
    with WatchedServer("--max-frames-per-s", "1000", *arguments) as server:
        host, watchers = Host(server), Watchers(server)
        host.rate_for(1, encode_jpeg(camera_frame_bgr(), 80), CAMERA_FPS)
        if "cost" in options.part:
            for name, frames_per_s in (("cost_at_30_frames_per_s", CAMERA_FPS), ("cost_saturated", 1e6)):
                figures[name] = measure_cost(host, watchers, server, options, frames_per_s)
        if "delay" in options.part:
            figures["delay"] = measure_delay(host, watchers, server, 2 * options.seconds)
        if "deaf" in options.part:
            figures["deaf"] = measure_deaf(host, server, options.seconds)
        watchers.close()
        host.socket.disconnect()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--watchers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--part", choices=PARTS, action="append")
    options, arguments = parser.parse_known_args()
    options.part = options.part or list(PARTS)
    print(json.dumps(measure(options, arguments), indent=2))


if __name__ == "__main__":
    main()
