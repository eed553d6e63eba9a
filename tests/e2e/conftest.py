"""A real server and a real browser with a fake camera."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.browser import require_browser
from tests.e2e.fake_camera import moving_face_video
from tests.servers import ServerProcess

CAMERA_FLAGS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
QUIET_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-first-run",
)


@contextmanager
def chromium(*flags):
    """A headless browser with these flags."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_browser(), args=[*QUIET_FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def chromium_with_camera(video):
    """A headless browser whose webcam plays `video`, an .mjpeg, in a loop."""
    with chromium(*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}") as browser:
        yield browser


@pytest.fixture(scope="session")
def server():
    with ServerProcess() as running:
        yield running


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


@pytest.fixture
def browser_with_face(videos):
    with chromium_with_camera(moving_face_video(videos)) as browser:
        yield browser
