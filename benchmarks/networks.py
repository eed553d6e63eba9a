"""Measure the live page on slow, uneven and narrow networks, and at a busy server.

    python -m benchmarks.networks [--at 15 60] [--json] [NAME ...]

Chromium plays a moving face as its webcam, 30 frames a second, and reaches the server through a proxy
that delays what passes. Server, proxy and browser share this machine. For each network the table shows
what the page gets in the five seconds that follow each of the given times after Start.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import moving_face_video
from tests.support.browser.live_page import LivePage
from tests.support.delaying_proxy import (
    DelayingProxy,
    constant_path,
    every_tenth_late_path,
    jittering_path,
)
from tests.support.servers import ServerProcess
from tests.support.slow_server import SlowServer

WINDOW_S = 5


@dataclass(frozen=True)
class Network:
    """One condition to try.

    Attributes:
        path: a path for each page's proxy.
        pages: how many browsers' pages share the server.
        server: what to start.
    """

    path: Callable[[], Any]
    pages: int = 1
    server: Callable[[], Any] = ServerProcess


NETWORKS: Mapping[str, Network] = {
    **{f"{ms} ms": Network(lambda ms=ms: constant_path(ms)) for ms in (60, 160, 300, 600)},  # type: ignore[misc]
    "60 ms, every tenth 250": Network(lambda: every_tenth_late_path(60, 250)),
    "20 to 200 ms": Network(lambda: jittering_path(20, 200)),
    "1 Mbit/s up": Network(lambda: constant_path(40, 1e6)),
    "three at a slow server": Network(lambda: constant_path(20), 3, SlowServer),
}


@dataclass(frozen=True)
class NetworkFigures:
    """It holds what one page got in one window of time.

    Attributes:
        results_per_s: answered frames a second.
        latency_p50_ms, latency_p95_ms: from capture to answer, over the last ten seconds.
        width: of the newest frame, in pixels.
        in_flight: frames that the page may send before an answer comes.
        drops: reason -> count since Start, as the page words it.
    """

    results_per_s: float
    latency_p50_ms: float
    latency_p95_ms: float
    width: int
    in_flight: int
    drops: str


@contextmanager
def opened(browser: Any, network: Network) -> Iterator[list[LivePage]]:
    """Open the pages, started, each on a path of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(network.server())
        pages = []
        for _ in range(network.pages):
            proxy = stack.enter_context(DelayingProxy(server.url, network.path()))
            page = LivePage(browser, proxy.url)
            stack.callback(page.context.close)
            pages.append(page)
        for page in pages:
            page.start()
        yield pages


def watch(pages: Sequence[LivePage], seconds: float = WINDOW_S) -> list[NetworkFigures]:
    """Watch the pages for a while."""
    before = [_counted(page) for page in pages]
    pages[0].page.wait_for_timeout(seconds * 1000)
    return [_figures(page, count, at_ms) for page, (count, at_ms) in zip(pages, before, strict=True)]


def _counted(page: LivePage) -> tuple[float, float]:
    count, at_ms = page.page.evaluate(
        """() => [Number(document.querySelector('#hud [data-field="answered"]').textContent),
                  performance.now()]"""
    )
    return count, at_ms


def _figures(page: LivePage, count: float, since_ms: float) -> NetworkFigures:
    after, at_ms = _counted(page)
    text = page.page.text_content('#hud [data-field="size"]')
    return NetworkFigures(
        1000 * (after - count) / (at_ms - since_ms),
        page.figure("p50"),
        page.figure("p95"),
        int(text.split()[0]),
        int(page.figure("in-flight")),
        page.page.text_content('#hud [data-field="reasons"]'),
    )


def measure(browser: Any, network: Network, at_s: Sequence[float]) -> list[list[NetworkFigures]]:
    """Watch each page in the window after each time since Start."""
    windows = []
    with opened(browser, network) as pages:
        passed_s = 0.0
        for start_s in at_s:
            pages[0].page.wait_for_timeout(max(0.0, start_s - passed_s) * 1000)
            windows.append(watch(pages))
            passed_s = start_s + WINDOW_S
    return windows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--at", type=float, nargs="+", default=[15, 60], help="seconds after Start")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {'; '.join(NETWORKS)}")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NETWORKS))
    if unknown:
        parser.error(f"there is no network {unknown[0]!r}; allowed: {'; '.join(NETWORKS)}")
    results = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium_with_camera(moving_face_video(Path(folder))) as browser,
    ):
        for name in options.names or NETWORKS:
            results[name] = measure(browser, NETWORKS[name], options.at)
            if not options.json:
                print_windows(name, options.at, results[name])
    if options.json:
        told = {name: [[asdict(page) for page in pages] for pages in all_] for name, all_ in results.items()}
        print(json.dumps(told))


def print_windows(name: str, at_s: Sequence[float], windows: Sequence[Sequence[NetworkFigures]]) -> None:
    """Print one line for each page and window."""
    for start_s, pages in zip(at_s, windows, strict=True):
        for each in pages:
            print(
                f"{name:24} after {start_s:3.0f} s: {each.results_per_s:5.1f}/s, {each.width} px, latency "
                f"{each.latency_p50_ms:.0f}/{each.latency_p95_ms:.0f} ms, {each.in_flight} in flight, "
                f"dropped: {each.drops}",
                flush=True,
            )


if __name__ == "__main__":
    main()
