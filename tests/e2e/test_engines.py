"""Firefox and WebKit open every page and run live as Chromium does, with nothing wrong in the console."""

import base64
import json
import sys
import time

import cv2
import pytest

from tests.support.browser.firefox import Firefox
from tests.support.browser.webkit import WebKit, console_errors
from tests.support.faces import astronaut_bgr
from tests.support.machine import slowness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="both are installed as Debian's packages")

PATHS = ("/trust", "/history", "/analyze", "/api", "/")

ACCEPT_JS = "['fer-web.notice', 'fer-web.hud'].forEach((key, i) => (localStorage[key] = ['2', 'on'][i]))"

DROP_JS = """(() => {
  const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "portrait.png", { type: "image/png" }));
  const options = { bubbles: true, cancelable: true, dataTransfer };
  document.querySelector("main").dispatchEvent(new DragEvent("drop", options));
  return true;
})()"""


class Visit:
    """What a person does in one of the two, in the tests' words."""

    def __init__(self, browser, url):
        self.browser, self.url, self.errors = browser, url, []

    def open(self, path):
        self.errors += self.browser.errors
        self.browser.errors = []
        self.browser.open(self.url + path)
        self.wait_for("document.getElementById('not-loaded') === null")

    def wait_for(self, expression, timeout_s=60):
        end_s = time.monotonic() + timeout_s
        while not self.browser.evaluate(expression):
            if time.monotonic() > end_s:
                shown = self.browser.evaluate("document.body.innerText").replace("\n", " ")[:1500]
                raise TimeoutError(f"{expression} did not come; {self.browser.errors}; shown: {shown}")
            time.sleep(0.1)

    def wait_for_state(self, selector, state):
        self.wait_for(f"document.querySelector({json.dumps(selector)})?.dataset.state === '{state}'")

    def press(self, selector):
        self.browser.evaluate(f"void document.querySelector({json.dumps(selector)}).click()")

    def figure(self, name):
        """A figure of the HUD as a number."""
        text = self.browser.evaluate(f"document.querySelector('#hud [data-field={name}]').textContent")
        return float("".join(letter for letter in text if letter in "0123456789.") or 0)


def open_every_page(visit):
    for path in PATHS:
        visit.open(path)
        visit.browser.evaluate(f"void {ACCEPT_JS}")
    visit.open("/")
    visit.wait_for_state("#connection", "connected")


def run_camera(visit, seconds):
    """Start and Stop; the figures of the HUD in between."""
    visit.press("#start-stop")
    visit.wait_for_state("#stage", "live")
    visit.wait_for("Number(document.querySelector('#hud [data-field=answered]').textContent) > 10")
    figures = []
    for _ in range(seconds):
        time.sleep(1)
        figures.append((visit.figure("rate"), visit.figure("encoding")))
    visit.press("#start-stop")
    visit.wait_for_state("#stage", "idle")
    return figures


def record_film_and_read_it(visit):
    """The film has faces, which the cameras of these browsers do not."""
    visit.press("#film-start")
    visit.wait_for("document.querySelectorAll('.face-card[data-face-id]').length === 2")
    visit.wait_for_state("#recorder", "recording")
    time.sleep(3)
    visit.press("#start-stop")
    visit.wait_for_state("#stage", "idle")
    visit.wait_for("!!document.querySelector('#recorder-link')?.checkVisibility()")
    path = visit.browser.evaluate("document.querySelector('#recorder-link').pathname")
    visit.open(path)
    visit.wait_for_state("#session", "ready")
    visit.wait_for("!!document.querySelector('#plot canvas')")


def analyze_picture(visit):
    # The live page hands files on through a database, which WebKit's private windows do not let hold any.
    visit.open("/analyze")
    visit.wait_for_state("#analyze", "empty")
    picture = base64.b64encode(cv2.imencode(".png", astronaut_bgr())[1]).decode()
    visit.browser.evaluate(DROP_JS % picture)
    visit.wait_for_state("#viewer", "done")
    assert (
        visit.browser.evaluate("document.querySelector('#face-card [data-part=label]').textContent")
        == "Happy"
    )


@pytest.mark.parametrize("engine", [Firefox, WebKit])
def test_every_page_live_record_history_analyze(server, engine):
    with engine() as browser:
        visit = Visit(browser, server.url)
        open_every_page(visit)
        slow = slowness()
        figures = run_camera(visit, 6)
        rates, encoding_ms = zip(*figures, strict=True)
        if engine is Firefox and max(slow, slowness()) < 1.3:
            assert max(rates) >= 25, figures
        assert min(rates) > 0, figures
        assert all(encoding_ms), "the HUD does not tell what encoding takes"
        record_film_and_read_it(visit)
        analyze_picture(visit)
        assert visit.errors + browser.errors == []


def test_console_of_webkit_says_nothing_of_any_page(server):
    assert console_errors([server.url + path for path in PATHS], seconds=6) == []
