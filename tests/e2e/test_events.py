"""Rules in the drawer of settings, on a page that speaks German, with receivers of the host."""

import json

import pytest

from tests.support.browser.live_page import LivePage
from tests.support.deaf_receivers import DeafWebhook
from tests.support.hooks import Hook
from tests.support.servers import ServerProcess

COUNT_TONES = """() => {
  window.__tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { window.__tones += 1; start.apply(this, when); };
}"""


@pytest.fixture(scope="module")
def receiving(tmp_path_factory):
    """A server with one receiver that answers, and the receiver."""
    folder = tmp_path_factory.mktemp("events")
    (folder / "secret").write_text("a secret of the tests that is long enough")
    with Hook(200) as hook, DeafWebhook() as deaf:
        receivers = [
            {"kind": "webhook", "name": name, "url": url, "secret_file": "secret", "allow_private": True}
            for name, url in (("Tür", hook.url()), ("Taub", deaf.url))
        ]
        path = folder / "events.json"
        path.write_text(json.dumps({"receivers": receivers}))
        with ServerProcess("--events", str(path)) as running:
            yield running, hook


def test_a_rule_is_made_by_keyboard_fires_and_is_kept_and_removed(receiving, browser_with_face):
    server, hook = receiving
    live = LivePage(browser_with_face, f"{server.url}/?lang=de")
    page = live.page
    page.evaluate(COUNT_TONES)
    page.keyboard.press(",")
    drawer = page.locator("#settings")
    drawer.get_by_role("button", name="Regel hinzufügen").click()
    rule = drawer.get_by_role("group", name="Fröhlich seit 3 s")
    assert page.evaluate("document.activeElement.dataset.part") == "when"
    page.keyboard.press("J")  # Jemand
    rule = drawer.get_by_role("group", name="Jemand seit 3 s")
    rule.get_by_label("Sekunden").fill("0.5")
    page.keyboard.press("Tab")
    rule = drawer.get_by_role("group", name="Jemand seit 0,5 s")
    rule.get_by_label("Ton").check()
    rule.get_by_label("Senden").check()
    page.keyboard.press("Escape")

    live.start()
    live.wait_until(
        "[...document.querySelectorAll('.message')].some(m => m.innerText.includes('seit 0,5 s'))"
    )
    live.wait_until("window.__tones === 1")
    hook.wait_for(1)
    event = json.loads(hook.got[0][2])
    assert (event["rule"], event["when"], event["for_s"]) == ("Jemand seit 0,5 s", "anyone", 0.5)
    page.wait_for_selector("#timeline-markers :text('Jemand seit 0,5 s')", state="attached")

    page.keyboard.press(",")
    live.wait_until("document.querySelectorAll('#receivers .receiver').length === 2")
    live.wait_until("document.querySelector('#receivers').innerText.includes('verbunden')")
    page.set_viewport_size({"width": 320, "height": 640})
    events = "document.querySelector('#settings .events')"
    assert page.evaluate(f"{events}.scrollWidth <= {events}.clientWidth"), "it fits a small phone"
    assert "t0ken" not in page.locator("#settings").inner_html()

    live.reload()
    page.keyboard.press(",")
    rule = page.get_by_role("group", name="Jemand seit 0,5 s")
    assert rule.get_by_label("Ton").is_checked()
    rule.get_by_label("Sekunden").fill("-1")
    page.keyboard.press("Tab")
    assert rule.get_by_role("alert").is_visible()
    rule.get_by_role("button", name="Regel „Jemand seit 0,5 s“ entfernen").click()
    assert page.locator(".rule").count() == 0
    assert page.evaluate("document.activeElement.id") == "rule-add"
    assert page.evaluate("localStorage['fer-web.rules']") == "[]"
    assert live.errors == []
