"""Attack a real server and say what each promise of docs/security.md is worth.

    python -m benchmarks.harden [--mode eventlet|threading] [--only NAME] [--seconds 8]

For each attack: how much was tried and how much of it got through, how late the server's own tasks were
(p99), what an honest visitor waited for a frame (p95) alone and under attack, one right after the other, and
how much the server grew. The attacks run in this process, the honest visitor in one of its own; they share
this machine's processors with the server. Ends with status 1 where something got through.
"""

import argparse
import contextlib
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests

from benchmarks.long_sessions import long_export, long_import
from fer_web.serving.message_bounds import MAX_TEXT_BYTES
from fer_web.sharing.places import MAX_OF_VISITOR
from tests.support import attacks
from tests.support.clients import RawClient
from tests.support.crowded_server import CrowdedServer

MODES = ("eventlet", "threading")
LAG_BAR_MS = 50
WAIT_BAR = 2.0
GROWTH_BAR_MB = 60
SETTLED_S = 30
HONEST_FPS = 10


@dataclass
class Tally:
    """How often something was tried, and how often it got through."""

    tried: int = 0
    failed: int = 0

    def add(self, got_through: bool, times: int = 1) -> None:
        """Count an outcome."""
        self.tried += times
        self.failed += times * got_through


@dataclass(frozen=True)
class Attack:
    """An attack on one promise. `run` goes on until the event is set, or its work is done."""

    name: str
    promise: str
    test: str
    run: Callable[[CrowdedServer, threading.Event, Tally], None]


def long_texts(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 1: two strangers send texts of 570 KB, five a second each, by both transports."""
    text = attacks.raw_part(1, attacks.nested_text().encode(), is_last=True)
    while not must_end.wait(0.1):
        connection = attacks.stranger(server)
        attacks.send_until_cut(connection, text)
        tally.add(_is_left_open(connection))


def owed_pictures(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 2: sixty visitors send headers whose pictures never come, and go on answering pings."""
    header = attacks.header_without_picture(filler=MAX_TEXT_BYTES - 300)
    connections = [attacks.visitor(server) for _ in range(60)]
    for connection in connections:
        connection.send(header)
    with _closed(connections):
        for connection in connections:
            tally.add(_is_left_open(connection))
    must_end.wait()


def taken_places(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 3: one visitor opens streams and recordings on as many connections as it can."""
    jpeg = attacks.large_frame(30_000)
    with contextlib.ExitStack() as crowd:
        clients = [crowd.enter_context(RawClient(server, server.visitors[0])) for _ in range(40)]
        for kind in ("stream", "record"):
            taken = sum(_takes(kind, client, jpeg) for client in clients)
            tally.add(False, len(clients))
            tally.failed += max(0, taken - MAX_OF_VISITOR)
        host = crowd.enter_context(RawClient(server, server.owner))
        tally.add(not (_takes("stream", host, jpeg) and _takes("record", host, jpeg)))
        must_end.wait()


def costly_frames(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 8: one visitor keeps frames of two million pixels and ten scans in flight, in all its places."""
    with contextlib.ExitStack() as crowd:
        clients = [crowd.enter_context(RawClient(server, server.visitors[0])) for _ in range(30)]
        with attacks.flood_of_frames(clients, attacks.costly_frame()) as answered:
            must_end.wait()
            tally.add(False, answered())


def slow_heads(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 9: fifty heads that come a byte a second."""
    connections = [attacks.http_connection(server) for _ in range(50)]
    with _closed(connections):
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            connection.setblocking(False)
        left = connections
        end_s = time.monotonic() + 40
        while left and time.monotonic() < end_s:
            left = [each for each in left if attacks.is_open_after(each, b"a")]
            time.sleep(1)
        tally.add(False, len(connections))
        tally.failed += len(left)
        must_end.wait()


def large_heads(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 10: sixty heads of six megabytes."""
    connections = [attacks.http_connection(server) for _ in range(60)]
    with _closed(connections):
        for number, connection in enumerate(connections):
            attacks.send_until_cut(connection, attacks.large_head(number))
            connection.setblocking(False)
            tally.add(attacks.is_open_after(connection, b"a") and attacks.is_open_after(connection, b"a"))
        must_end.wait()


def hung_up(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Row 11: images whose senders are gone, and a JPEG of 99 scans."""
    image = attacks.large_frame(60_000)
    head = f"POST /api/v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    request = f"{head}Content-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image
    scans = attacks.many_scans()
    kind = {"Content-Type": "image/jpeg"}
    while not must_end.wait(0.2):
        for _ in range(6):
            with contextlib.closing(attacks.http_connection(server)) as connection:
                connection.sendall(request)
        answer = requests.post(f"{server.url}/api/v1/predict", data=scans, headers=kind, timeout=60)
        tally.add(answer.status_code == 200)


def idle_sockets(server: CrowdedServer, must_end: threading.Event, tally: Tally) -> None:
    """Five hundred visitors who are let in and say nothing more."""
    connections: list[Any] = []
    with _closed(connections):
        connections += (attacks.visitor(server) for _ in range(500))
        tally.add(False, len(connections))
        must_end.wait()


_MESSAGES = "tests/serving/test_message_attacks.py"
ATTACKS = (
    Attack("texts", "A text over 4 KB is never parsed", _MESSAGES, long_texts),
    Attack("pictures", "A picture is waited for 5 s", _MESSAGES, owed_pictures),
    Attack("places", "A visitor has four places", "tests/realtime/test_crowd.py", taken_places),
    Attack("turns", "People take turns by time", "tests/realtime/test_crowd.py", costly_frames),
    Attack("slow heads", "A head has 20 s", "tests/serving/test_head_attacks.py", slow_heads),
    Attack("large heads", "A head has 64 KB", "tests/serving/test_head_attacks.py", large_heads),
    Attack("imports", "An import holds up nobody", "tests/web/api/test_long_work.py", long_import),
    Attack("exports", "Nor do long reads", "tests/web/api/test_long_work.py", long_export),
    Attack("idle", "An idle socket costs little", "tests/serving/test_listeners.py", idle_sockets),
    Attack("hang-ups", "Nobody waits for the gone", "tests/serving/test_hang_ups.py", hung_up),
)


@dataclass(frozen=True)
class Outcome:
    """What an attack did. Times in milliseconds."""

    attack: Attack
    tally: Tally
    lag_ms: tuple[float, float]
    wait_ms: tuple[float, float]
    growth_mb: float
    settled_mb: float

    def row(self) -> str:
        """A line of the table; a mark where a bar is missed."""
        lag, wait = self.lag_ms, self.wait_ms
        return (
            f"{self.attack.promise:32} {self.attack.test:38} {self.tally.tried:6} {self.tally.failed:6}   "
            f"{lag[0]:4.0f} {lag[1]:5.0f}{_mark(lag[1] > LAG_BAR_MS)} "
            f"{wait[0]:5.0f} {wait[1]:5.0f}{_mark(wait[1] > WAIT_BAR * wait[0])} "
            f"{self.growth_mb:+5.0f} {self.settled_mb:+5.0f}{_mark(self.growth_mb > GROWTH_BAR_MB)}"
        )


HEAD = (
    f"{'promise':32} {'test':38} {'tried':>6} {'failed':>6}   {'lag p99':>10}   {'p95 of a frame':>10} "
    f"{'memory MB':>11}\n{'':32} {'':38} {'':>6} {'':>6}   alone under   alone under    most after"
)


def measure(server: CrowdedServer, honest: "HonestVisitor", attack: Attack, seconds: float) -> Outcome:
    """An untouched run, the attack, and what is left of it."""
    alone = honest.waits_ms(server, seconds)
    lag_alone = _p99(server.take_lags_ms())
    before_mb = server.memory_mb
    must_end, tally = threading.Event(), Tally()
    attacking = threading.Thread(target=attack.run, args=(server, must_end, tally))
    attacking.start()
    time.sleep(0.5)
    server.take_lags_ms()
    most = _Most(server)
    with most:
        under = honest.waits_ms(server, seconds)
        lag_under = _p99(server.take_lags_ms())
        must_end.set()
        attacking.join(600)
    settled_mb = _settled_mb(server, before_mb)
    return Outcome(
        attack, tally, (lag_alone, lag_under), (_p95(alone), _p95(under)), most.mb - before_mb, settled_mb
    )


class _Most:
    """The most memory that the server has within a with block."""

    def __init__(self, server: CrowdedServer) -> None:
        self._server, self._must_end, self.mb = server, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._must_end.wait(0.1):
            self.mb = max(self.mb, self._server.memory_mb)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._must_end.set()
        self._thread.join()


class HonestVisitor:
    """A visitor in a process of its own, whose start is not measured."""

    def __init__(self) -> None:
        self._pool = multiprocessing.get_context("spawn").Pool(1)

    def __enter__(self) -> "HonestVisitor":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.terminate()
        self._pool.join()

    def waits_ms(self, server: CrowdedServer, seconds: float) -> list[float]:
        """What it waits for each of its frames; without a result it counts double."""
        return list(self._pool.apply(_stream, (server.url, server.visitors[1], seconds)))


def _stream(url: str, cookie: str, seconds: float) -> list[float]:
    @dataclass(frozen=True)
    class Address:
        url: str
        port: int

    jpeg, waits = attacks.large_frame(30_000), []
    with RawClient(Address(url, int(url.rsplit(":", 1)[1])), cookie) as client:
        begin_s = time.monotonic()
        for seq in range(int(seconds * HONEST_FPS)):
            time.sleep(max(0.0, begin_s + seq / HONEST_FPS - time.monotonic()))
            sent_s = time.monotonic()
            client.send_frame(jpeg, seq)
            answer = client.next_answer()
            waits.append((time.monotonic() - sent_s) * 1000 * (1 if '"dropped":null' in answer else 2))
    return waits


def _takes(kind: str, client: RawClient, jpeg: bytes) -> bool:
    if kind == "record":
        return "session" in client.call("record", {"on": True})
    client.send_frame(jpeg)
    return '"server_full"' not in client.next_answer()


def _is_left_open(connection: Any) -> bool:
    try:
        attacks.texts_until_closed(connection, within_s=20)
    except AssertionError:
        return True
    return False


@contextlib.contextmanager
def _closed(connections: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.close()


def _settled_mb(server: CrowdedServer, before_mb: float) -> float:
    end_s = time.monotonic() + SETTLED_S
    while server.memory_mb - before_mb > GROWTH_BAR_MB / 2 and time.monotonic() < end_s:
        time.sleep(0.5)
    return float(server.memory_mb - before_mb)


def _p99(values: list[float]) -> float:
    return float(np.percentile(values, 99)) if values else float("nan")


def _p95(values: list[float]) -> float:
    return float(np.percentile(values, 95))


def _mark(is_missed: bool) -> str:
    return "!" if is_missed else " "


def main() -> int:
    """Run the attacks and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mode", choices=MODES, help="one serving mode; both by default")
    parser.add_argument("--only", choices=[each.name for each in ATTACKS], help="one attack")
    parser.add_argument("--seconds", type=float, default=8, help="of each run (default 8)")
    options = parser.parse_args()
    failed = 0
    for mode in [options.mode] if options.mode else MODES:
        print(f"{mode}\n{HEAD}", flush=True)
        with CrowdedServer("--async-mode", mode) as server, HonestVisitor() as honest:
            honest.waits_ms(server, 2)
            for attack in ATTACKS:
                if options.only in (None, attack.name):
                    outcome = measure(server, honest, attack, options.seconds)
                    failed += outcome.tally.failed
                    print(outcome.row(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
