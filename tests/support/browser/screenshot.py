"""Takes the README's pictures: python -m tests.support.browser.screenshot docs/live.png docs/analyze.jpg."""

import sys
import tempfile
from pathlib import Path

import cv2

from tests.support.browser.analyze_page import AnalyzePage
from tests.support.browser.browsers import chromium, chromium_with_camera
from tests.support.browser.fake_camera import two_faces_video
from tests.support.browser.live_page import LivePage
from tests.support.faces import astronaut_bgr, two_faces_bgr
from tests.support.servers import ServerProcess

SETTLE_MS = 4000


def take(path: Path) -> None:
    """Start the live page with two faces in view, wait until its figures are steady, save it as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess() as server,
        chromium_with_camera(two_faces_video(Path(folder))) as browser,
    ):
        live = LivePage(browser, server.url, has_hud=False, viewport={"width": 1280, "height": 800})
        live.start(faces=2)
        live.page.wait_for_timeout(SETTLE_MS)
        # The fake camera's name is a path of this machine.
        live.page.evaluate("document.querySelector('#camera option:checked').textContent = 'Default camera'")
        live.page.screenshot(path=path)


def take_analyze(path: Path) -> None:
    """Analyse two pictures with heat maps, save the page as JPEG."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess() as server, chromium() as browser:
        pictures = {"portraits.jpg": two_faces_bgr()[90:410], "astronaut.jpg": astronaut_bgr()}
        for name, picture in pictures.items():
            cv2.imwrite(str(Path(folder) / name), picture)
        analyze = AnalyzePage(browser, server.url, viewport={"width": 1280, "height": 900})
        analyze.choose(*(Path(folder) / name for name in pictures))
        analyze.wait_for_done(len(pictures))
        analyze.page.click("#heat-switch")
        analyze.page.wait_for_timeout(SETTLE_MS)
        analyze.page.screenshot(path=path, type="jpeg", quality=84)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
    take_analyze(Path(sys.argv[2]))
