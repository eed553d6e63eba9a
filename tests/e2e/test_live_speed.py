"""The page is live: 25 results/s, p95 within 100 ms, the box on the moving face."""

from benchmarks.live import measure
from tests.support.browser.live_page import LivePage

ATTEMPTS = 3


def test_live_page_keeps_up_with_the_camera_for_twenty_seconds(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    live.page.wait_for_timeout(3000)
    attempts = []
    # Other work on the machine can only make it slower: one window of twenty quiet seconds is the proof.
    while len(attempts) < ATTEMPTS and not (attempts and attempts[-1].is_live):
        attempts.append(measure(live, 20))
    assert attempts[-1].is_live, attempts
