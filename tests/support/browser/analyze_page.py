"""What a person does on the Analyze page, in the tests' words."""

import base64
import time

from tests.support.browser.browsers import new_context

LISTEN_JS = """
window.__drawn = [];
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("picture")?.addEventListener("picturedrawn", (event) => {
    window.__drawn.push(structuredClone(event.detail));
  });
});
"""
"""Keeps every drawing of the picture that is looked at, with its boxes."""

COPY_JS = """async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  const picture = new Blob([bytes], { type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}"""

REFUSED = "Failed to load resource"
"""What the browser notes of an answer that refuses a file; the page shows it to the person."""


class AnalyzePage:
    """The page in one tab of a fresh browser."""

    def __init__(self, browser, url, **context_options):
        self.context = new_context(browser, accept_downloads=True, **context_options)
        self.page = self.context.new_page()
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)
        self.page.add_init_script(LISTEN_JS)
        self.page.goto(f"{url}/analyze")
        self.page.wait_for_selector('#analyze[data-state="empty"]')

    def _note(self, message):
        if message.type == "error" and REFUSED not in message.text:
            self.errors.append(message.text)

    def choose(self, *paths):
        """Choose files with the system's dialog."""
        with self.page.expect_file_chooser() as chooser:
            self.page.click("#choose-files")
        chooser.value.set_files([str(path) for path in paths])

    def choose_folder(self, path):
        with self.page.expect_file_chooser() as chooser:
            self.page.click("#choose-folder")
        chooser.value.set_files(str(path))

    def drop(self, *paths):
        """Drag files or folders from outside over the page and let them go there."""
        self._drag("dragEnter", "dragOver", "drop", paths=paths)

    def hold(self, *paths):
        """Drag files over the page and keep them there."""
        self._drag("dragEnter", "dragOver", paths=paths)

    def _drag(self, *kinds, paths):
        session = self.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in kinds:
            session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 500, "data": data})
        session.detach()

    def paste(self, png):
        """Copy a PNG and press Ctrl V."""
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate(COPY_JS, base64.b64encode(png).decode())
        self.page.keyboard.press("Control+V")

    def wait_for_done(self, count, timeout_s=60):
        """Wait until so many pictures are over, analysed or not."""
        over = '.tile:is([data-state="done"], [data-state="failed"])'
        self.wait_until(lambda: self.page.locator(over).count() == count, f"{count} pictures", timeout_s)

    def tile(self, name):
        return self.page.locator(".tile", has=self.page.get_by_text(name, exact=True))

    def drawn(self):
        """The last drawing of the picture: faces with id, label, box (fractions)."""
        return self.page.evaluate("window.__drawn.at(-1)")

    def save(self, selector, folder):
        """Press what downloads; the path of what came."""
        with self.page.expect_download() as download:
            self.page.click(selector)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def wait_until(self, holds, what, timeout_s=60):
        end_s = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > end_s:
                shown = self.page.evaluate("document.body.innerText").replace("\n", " ")[:1500]
                raise TimeoutError(f"Waited {timeout_s} s for {what}; the page shows: {shown}")
            self.page.wait_for_timeout(50)
