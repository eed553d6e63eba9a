"""What a person does on the live page, and what the page shows, in the tests' words."""

import time

from tests.support.browser.browsers import new_context
from tests.support.browser.fake_camera import READ_MARKER_JS

LISTEN_JS = f"""
const readMarker = {READ_MARKER_JS};
window.__drawn = [];
document.addEventListener("DOMContentLoaded", () => {{
  document.getElementById("overlay")?.addEventListener("overlaydrawn", (event) => {{
    const video = document.getElementById("video");
    const number = video?.videoWidth ? readMarker(video) : null;
    window.__drawn.push({{ ...structuredClone(event.detail), number, at: performance.now() }});
  }});
}});
"""
"""Keeps every drawing of the overlay, with the number of the frame that the <video> shows beneath it."""


class LivePage:
    """The live page in one tab."""

    def __init__(self, browser, url, *, accept_notice=True, has_hud=True, **context_options):
        """Args: has_hud: whether the figures are unfolded, as H does; `figure` reads them."""
        self.context = new_context(browser, **context_options)
        self.page = self.context.new_page()
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        # A page that records asks before it is left.
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.add_init_script(LISTEN_JS)
        if accept_notice:
            self.page.add_init_script("localStorage.setItem('fer-web.notice', '2')")
        if has_hud:
            self.page.add_init_script("localStorage['fer-web.hud'] ??= 'on'")
        self.page.goto(url)

    def reload(self):
        """Load it anew and wait until it is painted: Chromium gives no key to a page that nobody saw yet."""
        self.page.reload()
        self.wait_until("performance.getEntriesByType('paint').length > 0")

    def start(self, faces=1):
        """Press Start and wait until so many faces have a card."""
        self.page.click("#start-stop")
        self.wait_for_faces(faces)

    def wait_for_faces(self, count, timeout_s=60):
        self.wait_until(
            f"document.querySelectorAll('.face-card[data-face-id]').length === {count}", timeout_s
        )

    def wait_for_boxes(self, count=1):
        """Wait until the overlay shows so many boxes just now: none are drawn while results come late."""
        self.wait_until(f"window.__drawn.at(-1)?.faces.length === {count}")

    def wait_until(self, expression, timeout_s=60):
        """Ask the page until it is true; Playwright's own way needs eval, which our policy forbids."""
        end_s = time.monotonic() + timeout_s
        while not self.page.evaluate(expression):
            if time.monotonic() > end_s:
                raise TimeoutError(f"{expression} was not true within {timeout_s} s; {self.condition()}")
            self.page.wait_for_timeout(50)

    def condition(self):
        """What a person would see just now, for the report of a failed test."""
        shown = self.page.evaluate(
            """() => ({
              state: document.getElementById("stage")?.dataset.state,
              texts: document.body.innerText.replace(/\\s+/g, " ").slice(0, 1500),
              drawn: window.__drawn?.length,
              lastDrawn: JSON.stringify(window.__drawn?.at(-1) ?? null).slice(0, 500),
            })"""
        )
        return f"page at {self.page.url}: {shown}, errors {self.errors}"

    def wait_for_state(self, state, timeout_s=60):
        self.page.wait_for_selector(
            f'#stage[data-state="{state}"]', timeout=timeout_s * 1000, state="attached"
        )

    def figure(self, name):
        """A figure of the HUD as a number."""
        text = self.page.text_content(f'#hud [data-field="{name}"]')
        digits = "".join(letter for letter in text if letter.isdigit() or letter == ".")
        return float(digits) if digits else None

    def wait_until_figure_passes(self, name, value, timeout_s=60):
        """Wait until a figure of the HUD is larger; it is written four times a second."""
        end_s = time.monotonic() + timeout_s
        while (self.figure(name) or 0) <= value:
            if time.monotonic() > end_s:
                raise TimeoutError(f"{name} did not pass {value} within {timeout_s} s")
            self.page.wait_for_timeout(50)

    def settled(self, read, ms=1000):
        """What this reads as soon as it stays the same for a while: what is on its way has arrived."""
        before, after = None, read()
        end_s = time.monotonic() + 60
        while before != after:
            assert time.monotonic() < end_s, f"it went on: {after}"
            self.page.wait_for_timeout(ms)
            before, after = after, read()
        return after

    def drawn(self, clear=False):
        """All drawings of the overlay so far."""
        drawings = self.page.evaluate("window.__drawn")
        if clear:
            self.page.evaluate("window.__drawn.length = 0")
        return drawings

    def ink(self, left, top, right, bottom):
        """How many pixels of the overlay are painted within a part of it, in fractions, as it is seen."""
        return self.page.evaluate(
            """([left, top, right, bottom]) => {
              const canvas = document.getElementById("overlay");
              const [x, y] = [left * canvas.width, top * canvas.height];
              const [width, height] = [(right - left) * canvas.width, (bottom - top) * canvas.height];
              const data = canvas.getContext("2d").getImageData(x, y, width, height).data;
              let inked = 0;
              for (let i = 3; i < data.length; i += 4) inked += data[i] > 90;
              return inked;
            }""",
            [left, top, right, bottom],
        )

    def observe(self, seconds):
        """The drawings of the next seconds."""
        self.page.evaluate("window.__drawn.length = 0")
        self.page.wait_for_timeout(seconds * 1000)
        return self.drawn()


def iou(first, second):
    """Intersection over union of two boxes: left, top, width, height."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)
