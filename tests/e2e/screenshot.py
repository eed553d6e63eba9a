"""Takes the README's picture of the page at work: python -m tests.e2e.screenshot docs/live.png."""

import sys
import tempfile
from pathlib import Path

from tests.e2e.conftest import chromium_with_camera
from tests.e2e.fake_camera import two_faces_video
from tests.e2e.live_page import LivePage
from tests.servers import ServerProcess

SETTLE_MS = 4000


def take(path: Path) -> None:
    """Start the page with two faces in view, wait until its figures are steady, save it as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess() as server,
        chromium_with_camera(two_faces_video(Path(folder))) as browser,
    ):
        live = LivePage(browser, server.url, viewport={"width": 1280, "height": 800})
        live.start(faces=2)
        live.page.wait_for_timeout(SETTLE_MS)
        # The fake camera's name is a path of this machine.
        live.page.evaluate("document.querySelector('#camera option:checked').textContent = 'Default camera'")
        live.page.screenshot(path=path)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
