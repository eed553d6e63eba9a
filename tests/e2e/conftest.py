"""A real server and a real browser with a fake camera."""

import functools
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


browser_path = functools.cache(require_browser)
"""Asked before Playwright runs: it may need a Playwright of its own."""

_started = []
"""Playwright's program, where it runs already: it takes as long to start as a browser."""


@pytest.fixture(scope="module", autouse=True)
def playwright_program():
    """Runs for the tests of one file; two at a time would be refused."""
    browser_path()
    with sync_playwright() as playwright:
        _started.append(playwright)
        yield
        _started.clear()


@contextmanager
def _playwright():
    if _started:
        yield _started[0]
    else:
        with sync_playwright() as playwright:
            yield playwright


@contextmanager
def chromium(*flags, program=None, home=None):
    """A headless browser with these flags.

    Args:
        program: path of what starts it; the one that was found by default.
        home: home folder, with the certificates that it trusts; the user's own by default.
    """
    path = program or browser_path()
    with _playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
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


@pytest.fixture(scope="module")
def browser_of_file(videos):
    with chromium_with_camera(moving_face_video(videos)) as browser:
        yield browser


@pytest.fixture
def browser_with_face(browser_of_file):
    """A browser whose camera shows a moving face; each test's windows are closed after it."""
    yield browser_of_file
    for context in browser_of_file.contexts:
        context.close()
