"""Measure the live page in a real browser: results a second, latency, and how well the boxes sit.

    python -m benchmarks.live [--seconds 20] [--json]

Chromium plays a moving real face as its webcam, 640x480 at 30 frames a second, with each frame's
number written into its corner. Whenever the page draws its overlay, the number is read from the
<video> beneath it, so the drawn box is compared with where the face is in the very picture that the
person sees. Server, browser and fake camera share this machine.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import Truth, moving_face_video
from tests.support.browser.live_page import LivePage, iou
from tests.support.servers import ServerProcess

WARM_UP_S = 3


@dataclass(frozen=True)
class LiveFigures:
    """It holds what one window of time showed.

    Attributes:
        results_per_s: answered frames a second.
        latency_p50_ms, latency_p95_ms: from a frame's capture to its answer in the page, as the HUD
        shows. overlap_p5, overlap_median: intersection over union of drawn and true box; 95 % are
        above p5. share_over_half: share of drawings with an overlap of at least 0.5.
        drawings: how many were compared.
        dropped: frames that were sent but not analysed.
    """

    results_per_s: float
    latency_p50_ms: float
    latency_p95_ms: float
    overlap_p5: float
    overlap_median: float
    share_over_half: float
    drawings: int
    dropped: int

    @property
    def is_live(self) -> bool:
        """Tell whether the page is live: 25 results/s, p95 within 100 ms, boxes on the face."""
        return self.results_per_s >= 25 and self.latency_p95_ms <= 100 and self.share_over_half >= 0.99


def measure(live: LivePage, seconds: float) -> LiveFigures:
    """Watch a started page for a while."""
    answered, dropped = live.figure("answered"), live.figure("dropped")
    latencies, drawings = [], []
    started_ms = live.page.evaluate("performance.now()")
    for _ in range(max(1, round(seconds))):
        drawings += [drawn for drawn in live.observe(1) if drawn["faces"]]
        latencies.append((live.figure("p50"), live.figure("p95")))
    passed_s = (live.page.evaluate("performance.now()") - started_ms) / 1000
    overlaps = np.array([iou(drawn["faces"][0]["box"], Truth(drawn["number"]).box()) for drawn in drawings])
    return LiveFigures(
        results_per_s=(live.figure("answered") - answered) / passed_s,
        latency_p50_ms=float(np.median([p50 for p50, _ in latencies])),
        latency_p95_ms=float(np.median([p95 for _, p95 in latencies])),
        overlap_p5=float(np.percentile(overlaps, 5)),
        overlap_median=float(np.median(overlaps)),
        share_over_half=float((overlaps >= 0.5).mean()),
        drawings=len(overlaps),
        dropped=int(live.figure("dropped") - dropped),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    options, server_arguments = parser.parse_known_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(*server_arguments) as server,
        chromium_with_camera(moving_face_video(Path(folder))) as browser,
    ):
        live = LivePage(browser, server.url)
        live.start()
        live.page.wait_for_timeout(WARM_UP_S * 1000)
        figures = measure(live, options.seconds)
    if options.json:
        print(json.dumps(asdict(figures)))
        return
    print(f"One browser, one moving face, {options.seconds:.0f} s")
    print(f"results per second   {figures.results_per_s:.1f}")
    print(f"latency              median {figures.latency_p50_ms:.0f} ms, p95 {figures.latency_p95_ms:.0f} ms")
    print(
        f"drawn box            overlap with the truth: median {figures.overlap_median:.2f}, "
        f"p5 {figures.overlap_p5:.2f}, at least 0.5 in {figures.share_over_half:.1%} of {figures.drawings}"
    )
    print(f"dropped              {figures.dropped}")


if __name__ == "__main__":
    main()
