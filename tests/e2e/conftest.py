"""A real server and a real browser with a fake camera."""

import pytest
from playwright.sync_api import sync_playwright

from tests.support.browser.browsers import _started, browser_path, chromium_with_camera
from tests.support.browser.fake_camera import moving_face_video
from tests.support.servers import ServerProcess


@pytest.fixture(scope="module", autouse=True)
def playwright_program():
    """Runs for the tests of one file; two at a time would be refused."""
    browser_path()
    with sync_playwright() as playwright:
        _started.append(playwright)
        yield
        _started.clear()


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
