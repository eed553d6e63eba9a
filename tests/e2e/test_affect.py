"""More than the label, in a browser: on the live page, for who watches, and in the history."""

import numpy as np
import pytest

from fer_web.inference.affect import intensity, valence_arousal
from fer_web.labels import EMOTIONS
from tests.e2e.test_watch import watch, with_cookie
from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import left_face_video
from tests.support.browser.history_page import HistoryPage
from tests.support.browser.live_page import LivePage
from tests.support.watched_server import WatchedServer

INKED_JS = """() => {
  const canvas = document.getElementById("circumplex-canvas");
  const { width, height } = canvas;
  const data = canvas.getContext("2d").getImageData(width / 2 + 3, 0, width / 2 - 3, height / 2 - 3).data;
  // The orange of "happy": the fake camera's face smiles.
  let found = 0;
  for (let i = 0; i < data.length; i += 4)
    found += data[i] > 200 && data[i + 1] > 120 && data[i + 1] < 190 && data[i + 2] < 60;
  return found;
}"""
AGREE_JS = """async (rows) => {
  const { affectOf, intensityOf } = await import("/static/js/shared/affect.js");
  return rows.map((scores) => [...Object.values(affectOf(scores)), intensityOf(scores)]);
}"""


@pytest.fixture(scope="module")
def server():
    with WatchedServer() as running:
        yield running


@pytest.fixture(scope="module")
def browser(videos):
    with chromium_with_camera(left_face_video(videos)) as running:
        yield running


@pytest.fixture
def host(server, browser):
    live = LivePage(browser, server.url, **with_cookie(server.owner_cookie, server.url))
    yield live
    live.context.close()


def texts(live, selector):
    return live.page.locator(selector).all_inner_texts()


def test_parts_are_off_until_they_are_wanted_and_the_link_carries_them(server, browser, host):
    host.start()
    assert not host.page.locator("#circumplex").is_visible()
    assert texts(host, ".face-facts li") == []
    host.page.keyboard.press(",")
    drawer = host.page.locator("#settings")
    assert drawer.get_by_label("Second expression").is_checked()
    for label in ("Valence and arousal", "Intensity", "Mood of 10 s", "Time of the label"):
        drawer.get_by_label(label).check()
    host.wait_until("document.querySelectorAll('.face-facts li').length === 4")
    host.wait_until("document.querySelector('.face-facts').textContent.includes('Last 10 s: happy')")
    assert (
        host.page.locator("#circumplex-canvas")
        .get_attribute("aria-label")
        .startswith("Face 1: pleasant, active (valence +0.")
    )
    assert host.page.evaluate(INKED_JS) > 20
    drawer.get_by_role("button", name="Copy link").click()
    link = host.page.locator("#settings-link").input_value()
    assert link.endswith("show=boxes,labels,percentages,bars,second,affect,intensity,mood,since")
    drawer.get_by_label("Intensity").uncheck()
    host.wait_until("document.querySelectorAll('.face-facts li').length === 3")
    host.page.keyboard.press("Escape")
    host.page.keyboard.press("f")
    host.wait_until("document.querySelector('.large-facts')?.checkVisibility()")
    assert host.errors == []


def test_watchers_see_names_and_what_their_address_asks_for(server, browser, host):
    host.start()
    watcher = watch(server, browser)
    watcher.wait_for_faces(1)
    assert not watcher.page.locator("#circumplex").is_visible()
    host.page.fill(".face-rename", "Ann")
    host.page.keyboard.press("Enter")
    watcher.wait_until("document.querySelector('.face-name').textContent === 'Ann'")
    watcher.page.goto(f"{server.url}/watch?show=labels,affect,since,hats")
    watcher.wait_for_faces(1)
    watcher.wait_until("document.querySelectorAll('.face-facts li').length === 2")
    watcher.wait_until(
        "document.getElementById('circumplex-canvas').getAttribute('aria-label').startsWith('Ann: pleasant')"
    )
    assert not watcher.page.locator(".bars").first.is_visible()
    assert "show: allowed is" in watcher.page.locator("[data-message='link-settings']").inner_text()
    assert watcher.errors == []
    watcher.context.close()


def test_the_browser_computes_what_the_server_computes(host):
    rows = np.random.default_rng(5).dirichlet(np.full(7, 0.6), 40)
    found = host.page.evaluate(AGREE_JS, [dict(zip(EMOTIONS, row.tolist(), strict=True)) for row in rows])
    expected = np.column_stack([valence_arousal(rows), intensity(rows)])
    np.testing.assert_allclose(np.array(found), expected, atol=1e-6)


def test_the_history_draws_and_sums_up(server, browser, tmp_path):
    history = HistoryPage.opened(browser, server.url, viewport={"width": 320, "height": 800})
    history.import_session(tmp_path, name="First")
    history.open_session(history.sessions()[0]["id"])
    page = history.page
    page.check("input[value=affect]", force=True)
    items = page.locator(".readout-item")
    assert [text.split()[0] for text in items.all_inner_texts()] == ["Valence", "Arousal"]
    assert page.locator("#mean-valence").inner_text()[0] in "+-0"
    assert page.locator("#mean-intensity").inner_text().endswith("%")
    items.first.click()
    assert items.first.get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.check("input[value=lines]", force=True)
    assert items.count() == 7
    page.context.close()
