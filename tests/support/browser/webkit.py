"""WebKitGTK's MiniBrowser with a mock camera, on a screen that nobody sees."""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.support.browser.chromium import require_tool

ANSWER_S = 60

CONSOLE_FLAG = "--enable-write-console-messages-to-stdout=true"
CAMERA_FLAG = "--enable-mock-capture-devices=true"
LISTEN_JS = """
window.__errors = [];
const write = console.error;
console.error = (...all) => { window.__errors.push(all.map(String).join(" ")); write(...all); };
addEventListener("error", ({ message }) => window.__errors.push(message));
addEventListener("unhandledrejection", ({ reason }) => window.__errors.push(String(reason)));
"""


@contextmanager
def _ended(*command, **options):
    """Run a program for as long as the block lasts."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextmanager
def _screen():
    """The environment of programs that draw on a screen of memory."""
    reading, writing = os.pipe()
    command = [require_tool("Xvfb"), "-displayfd", str(writing), "-nolisten", "tcp"]
    command += ["-screen", "0", "1280x900x24"]
    with _ended(*command, pass_fds=[writing], stderr=subprocess.DEVNULL):
        os.close(writing)
        # The whole line: a pipe that is closed before it has come ends the screen.
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        yield {**os.environ, "DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1"}


def _mini_browser():
    """Path of the browser; Debian keeps it beside the library."""
    require_tool("WebKitWebDriver")
    return str(next(Path("/usr").glob("lib*/*/webkit2gtk-4.*/MiniBrowser")))


class WebKit:
    """One window, as a context manager. `errors` are those of a page since it was loaded: `console_errors`
    shows the earlier ones, which WebDriver does not tell."""

    def __enter__(self):
        with ExitStack() as stack:
            environment = stack.enter_context(_screen())
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            driver = [require_tool("WebKitWebDriver"), f"--port={port}", "--host=127.0.0.1"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            stack.enter_context(_ended(*driver, env=environment, **quiet))
            self._url = f"http://127.0.0.1:{port}"
            self._begin()
            stack.callback(lambda: requests.delete(self._url, timeout=ANSWER_S))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception):
        self._stack.close()

    def _begin(self):
        options = {"binary": _mini_browser(), "args": ["--automation", CAMERA_FLAG]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        end_s = time.monotonic() + ANSWER_S
        while True:
            try:
                session = self._ask("session", capabilities=wanted)
                break
            except requests.ConnectionError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.1)
        self._url += f"/session/{session['sessionId']}"

    def open(self, url):
        self._ask("url", url=url)
        self.evaluate(f"void (() => {{ {LISTEN_JS} }})()")

    @property
    def errors(self):
        return self.evaluate("window.__errors ?? []")

    @errors.setter
    def errors(self, errors):
        self.evaluate(f"void (window.__errors = {json.dumps(errors)})")

    def evaluate(self, expression):
        """The value of an expression in the page."""
        return self._ask("execute/sync", script=f"return {expression}", args=[])

    def _ask(self, path, **body):
        answer = requests.post(f"{self._url}/{path}", json=body, timeout=ANSWER_S)
        value = answer.json()["value"]
        if not answer.ok:
            raise RuntimeError(f"{path}: {value['error']}: {value['message']}")
        return value


def console_errors(urls, seconds):
    """What the console of a browser without WebDriver shows as errors, of pages opened at once in tabs.

    A page with an error of its own is opened beside them, to see that the console is heard.
    Args: seconds: how long they stay open after that.
    """
    with tempfile.TemporaryDirectory() as folder, _screen() as environment:
        wrong, log = Path(folder) / "wrong.html", Path(folder) / "log"
        wrong.write_text("<script>wrongOnPurpose()</script>")
        command = [_mini_browser(), CONSOLE_FLAG, *urls, wrong.as_uri()]
        with log.open("w") as out, _ended(*command, env=environment, stdout=out, stderr=out):
            end_s = time.monotonic() + ANSWER_S
            while "wrongOnPurpose" not in log.read_text():
                if time.monotonic() > end_s:
                    raise TimeoutError("The console of MiniBrowser tells nothing.")
                time.sleep(0.1)
            time.sleep(seconds)
        lines = log.read_text().splitlines()
    return [line for line in lines if re.search("CONSOLE.*ERROR", line) and "wrongOnPurpose" not in line]
