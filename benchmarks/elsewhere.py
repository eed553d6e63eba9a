"""Measure how soon another process has what happens at one: views for watchers, and ends of visits.

    python -m benchmarks.elsewhere [--views 100] [--rounds 5] [--async-mode eventlet]

Two processes share PostgreSQL and Redis, which are started for it. A camera streams 10 frames a second to one
of them. Watchers of it are at the same process and at the other one: the delay is from a frame's sending to
the arrival of its picture. Then the host revokes a link, removes a visitor and stops sharing at one process:
the time is taken until the visitor's connection to the other one has ended.
"""

import argparse
import contextlib
import json
import queue
import time
from typing import Any

import numpy as np

from tests.support.callers import host_of
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.servers import ServerProcess
from tests.support.several_processes import OPTIONS, environment_of

FRAME_S = 0.1


def delays_ms(host: Any, watcher: Any, views: int) -> list[float]:
    """Milliseconds from frames to their pictures, of so many views."""
    camera = host.socket()
    camera.next("watched", lambda state: state["watchers"] == 1)
    found: list[float] = []
    while len(found) < views:
        sent_s = time.monotonic()
        camera.send_frame()
        with contextlib.suppress(queue.Empty):
            while watcher.heard.get(timeout=2)[0] != "view":
                pass
            found.append((time.monotonic() - sent_s) * 1000)
        time.sleep(max(0.0, sent_s + FRAME_S - time.monotonic()))
    camera.client.call("stop", {}, timeout=60)
    camera.client.disconnect()
    return found


def measure_views(host: Any, server: Any, views: int) -> dict[str, float]:
    """The delays of a watcher at a server."""
    phone, _ = host.visitor("watch", video=True)
    watcher = phone.at(server).socket(namespace="/watch")
    found = delays_ms(host, watcher, views)
    watcher.client.disconnect()
    p50, p95 = np.percentile(found, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def connected_by(host: Any, link: dict[str, Any]) -> list[str]:
    """Ids of the visitors by a link who are connected, to whichever process."""
    return [each["id"] for each in host.visitors() if each["connections"] and each["link"] == link["id"]]


def measure_ends(host: Any, other: Any, rounds: int) -> dict[str, float]:
    """The longest time in ms until a visit to the other process has ended, by how the host ended it."""
    longest: dict[str, float] = {}
    for _ in range(rounds):
        for how in ("revoke", "remove", "stop"):
            phone, link = host.visitor()
            socket = phone.at(other).socket()
            while not (here := connected_by(host, link)):
                time.sleep(0.1)
            method, path = {
                "revoke": ("DELETE", f"links/{link['id']}"),
                "remove": ("DELETE", f"visitors/{here[0]}"),
                "stop": ("POST", "stop"),
            }[how]
            start_s = time.monotonic()
            answer = host.ask(method, f"/api/v1/share/{path}", {})
            assert answer.ok, answer.text
            longest[how] = max(longest.get(how, 0.0), round(1000 * socket.ended_after_s(start_s), 1))
    return longest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--views", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--async-mode", default="eventlet", choices=("eventlet", "threading"))
    options = parser.parse_args()
    with PostgresServer() as postgres, RedisServer() as redis:
        environment = environment_of(postgres.new_database(), redis.url, options.async_mode)
        with (
            ServerProcess(*OPTIONS, environment=environment) as one,
            ServerProcess(*OPTIONS, environment=environment) as other,
        ):
            host = host_of(one)
            figures = {
                "view_ms_at_the_same_process": measure_views(host, one, options.views),
                "view_ms_at_the_other_process": measure_views(host, other, options.views),
                "end_ms_at_the_other_process": measure_ends(host, other, options.rounds),
            }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
