"""What a person does on the pages of the history, in the tests' words."""

import json
import math
import random
import time

from fer_web.history.export import JSON_COLUMNS, SCHEMA_VERSION
from fer_web.labels import EMOTIONS
from tests.support.browser.browsers import new_context

DRAWN_JS = """
document.addEventListener("chartdrawn", () => { window.__drawnMs ??= performance.now(); }, true);
"""
"""Keeps when the chart was first drawn, in milliseconds since the navigation began."""

FETCH_JS = """async (path) => {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  return { status: response.status, body: await response.json() };
}"""


class HistoryPage:
    """The history in one tab of a browser that owns what it recorded."""

    def __init__(self, page, url):
        self.page = page
        self.url = url

    @classmethod
    def opened(cls, browser, url, **context_options):
        """A fresh browser on the list, which keeps its errors in `errors`."""
        page = new_context(browser, **context_options).new_page()
        page.add_init_script(DRAWN_JS)
        history = cls(page, url)
        history.errors = []
        page.on("pageerror", lambda error: history.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and history.errors.append(message.text))
        history.open_list()
        return history

    def open_list(self, query=""):
        self.page.goto(f"{self.url}/history{query}")
        self.page.wait_for_selector("#session-count:not(:empty)")

    def open_session(self, session_id):
        self.page.goto(f"{self.url}/history/{session_id}")
        self.wait_for_chart()

    def wait_for_chart(self):
        self.page.wait_for_selector('#session[data-state="ready"] #plot canvas')

    def sessions(self):
        """All sessions of this browser as the server tells them."""
        answer = self.page.evaluate(FETCH_JS, "/api/v1/sessions")
        assert answer["status"] == 200
        return answer["body"]["sessions"]

    def markers(self, session_id):
        """A session's markers as the server tells them."""
        return self.page.evaluate(FETCH_JS, f"/api/v1/sessions/{session_id}")["body"]["markers"]

    def names(self):
        return self.page.locator(".session [data-part=name]").all_text_contents()

    def wait_for_names(self, names, timeout_s=60):
        self.wait_until(lambda: self.names() == names, f"the list to be {names}", timeout_s)

    def import_session(self, tmp_path, **facts):
        """Import a made-up session through the page; returns its id."""
        path = tmp_path / f"{facts.get('name', 'session')}.json"
        path.write_text(json.dumps(session_export(**facts)))
        known = {session["id"] for session in self.sessions()}
        self.page.set_input_files("#import-file", path)
        self.page.wait_for_selector('.message[data-message="import"]', timeout=60_000)
        self.page.click('.message[data-message="import"] [data-part=dismiss]')
        return next(session["id"] for session in self.sessions() if session["id"] not in known)

    def table(self):
        """The chart's table as rows of texts, the head first."""
        return self.page.locator("#data-table tr").evaluate_all(
            "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
        )

    def wait_until(self, holds, what, timeout_s=60):
        end_s = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > end_s:
                raise TimeoutError(f"Waited {timeout_s} s for {what}")
            self.page.wait_for_timeout(50)


def session_export(*, name="A session", length_s=60, faces=1, away=(), markers=(), tags=(), day=3):
    """A JSON export of a session in which expressions take turns. `away`: (from_s, to_s) without a face."""
    chance = random.Random(day)
    rows = []
    for step in range(int(length_s * 5)):
        at_s = step / 5
        if any(from_s <= at_s < to_s for from_s, to_s in away):
            continue
        rows += [_row(at_s, face, chance) for face in range(1, faces + 1)]
    return {
        "schema_version": SCHEMA_VERSION,
        "program": "fer-web test",
        "session": {
            "id": "of-another-database",
            "name": name,
            "state": "finished",
            "source": "camera",
            "started_at": f"2026-05-{day:02}T12:00:00.000Z",
            "length_s": length_s,
            "notes": "",
            "tags": list(tags),
            "model": {"name": "flagship", "hash": "0" * 64},
            "sample_hz": 5.0,
            "settings": {},
            "markers": [{"at_s": at_s, "text": text} for at_s, text in markers],
        },
        "columns": list(JSON_COLUMNS),
        "samples": rows,
        "sample_count": len(rows),
    }


def _row(at_s, face, chance):
    """Happy, sad, neutral and surprise, ten seconds each."""
    turn = ("happy", "sad", "neutral", "surprise")[(int(at_s // 10) + face - 1) % 4]
    weights = [math.exp(3 * (emotion == turn) + chance.gauss(0, 0.2)) for emotion in EMOTIONS]
    scores = [round(weight / sum(weights), 6) for weight in weights]
    scores[0] = round(scores[0] + 1 - sum(scores), 6)
    best = max(range(len(scores)), key=scores.__getitem__)
    return [at_s, face, 0.1, 0.2, 0.3, 0.4, *scores, EMOTIONS[best], scores[best], scores[best] > 0.4]
