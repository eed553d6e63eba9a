"""Headless browsers, with a fake camera where one is wanted."""

import functools
import os
from contextlib import contextmanager

from playwright.sync_api import expect, sync_playwright

from tests.support.browser.chromium import require_browser

WAIT_MS = 60_000
"""How long a page may take: a wait ends as soon as what it is for happens, on a busy machine late."""

expect.set_options(timeout=WAIT_MS)

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


def new_context(browser, **options):
    """A window of its own in a browser, whose pages have the time that a busy machine takes."""
    context = browser.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    return context


@contextmanager
def chromium_with_camera(video, **options):
    """A headless browser whose webcam plays `video`, an .mjpeg, in a loop. Args: options: of `chromium`."""
    with chromium(*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}", **options) as browser:
        yield browser
