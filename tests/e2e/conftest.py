"""A real server and a real browser with a fake camera."""

import os
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
def chromium(*flags, program=None, home=None):
    """A headless browser with these flags.

    Args:
        program: path of what starts it; the one that was found by default.
        home: home folder, with the certificates that it trusts; the user's own by default.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program or require_browser(),
            args=[*QUIET_FLAGS, *flags],
            env={**os.environ, "HOME": str(home)} if home else None,
        )
        yield browser
        browser.close()


@contextmanager
def chromium_with_camera(video, **options):
    """A headless browser whose webcam plays `video`, an .mjpeg, in a loop. Args: options: of `chromium`."""
    with chromium(*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}", **options) as browser:
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
