"""axe-core finds nothing on any page in any state.

A new state is one line in a table: its name, and how one gets there from the one above, in the same tab.
"""

import cv2
import pytest

from tests.support.browser.analyze_page import AnalyzePage
from tests.support.browser.axe import SIZES, violations
from tests.support.browser.browsers import CAMERA_FLAGS, chromium
from tests.support.browser.fake_camera import two_faces_video
from tests.support.browser.history_page import HistoryPage
from tests.support.browser.live_page import LivePage
from tests.support.browser.share_panel import (
    ELSEWHERE,
    RESOLVE_FLAG,
    SharePanel,
    SharingServer,
    Visit,
    proxied_page,
)
from tests.support.faces import two_faces_bgr
from tests.support.made_videos import write_video

QUIET = {"viewport": SIZES["desktop"], "reduced_motion": "reduce"}

NEVER = "new Promise(() => {})"
REFUSED = "Promise.reject(new DOMException('No', 'NotAllowedError'))"


def camera(live, answer):
    """Press Start where the browser answers so."""
    # Playwright would call a function that it gets as the value, and wait for its answer.
    live.page.evaluate(f"void (navigator.mediaDevices.getUserMedia = () => {answer})")
    live.page.click("#start-stop")


def at_phone_size(page, selector):
    page.set_viewport_size(SIZES["phone"])
    page.click(selector)


LIVE = {
    "idle": lambda live: live.page.wait_for_selector('#connection[data-state="connected"]'),
    "notice": lambda live: live.page.click("#start-stop"),
    "its details": lambda live: live.page.click("#notice-details summary"),
    "help": lambda live: (live.page.click("#notice-decline"), live.page.keyboard.press("?")),
    "figures": lambda live: (live.page.keyboard.press("Escape"), live.page.keyboard.press("h")),
    "menu": lambda live: at_phone_size(live.page, "#menu-open"),
    "live": lambda live: (
        live.page.keyboard.press("Escape"),
        live.page.click("#start-stop"),
        live.page.click("#notice-accept"),
        live.wait_for_faces(2),
    ),
    "marker, snapshot": lambda live: (live.page.keyboard.press("e"), live.page.keyboard.press("s")),
    "heat map": lambda live: live.page.click("#heatmap-toggle"),
    "settings": lambda live: (
        live.page.keyboard.press(","),
        live.page.wait_for_selector("#settings", state="visible"),
    ),
    "more than the label": lambda live: (
        [live.page.check(f"input[name=show][value={part}]") for part in ("affect", "mood", "since")],
        live.page.wait_for_selector(".face-facts li", state="visible"),
    ),
    "adjustment": lambda live: (
        live.page.click("#settings-close"),
        live.page.locator(".face-adjust").first.click(),
    ),
    "resting face": lambda live: live.page.click('#correction [data-part="resting"]'),
    "its result": lambda live: live.page.wait_for_selector(
        '#correction [data-part="result-text"]', state="visible"
    ),
    "clip, pause, stage menu": lambda live: (
        live.page.click('#correction [data-part="close"]'),
        live.page.keyboard.press("c"),
        live.page.keyboard.press("p"),
        live.page.click("#more summary"),
    ),
    "full screen": lambda live: (
        live.page.keyboard.press("Escape"),
        live.page.keyboard.press("f"),
        live.page.wait_for_selector("#large-bars .bar", state="visible"),
    ),
    "stopped": lambda live: (
        live.page.keyboard.press("f"),
        live.page.click("#start-stop"),
        live.wait_for_state("idle"),
    ),
    "starting": lambda live: camera(live, NEVER),
    "problem": lambda live: (
        live.page.click("#start-stop"),
        camera(live, REFUSED),
        live.wait_for_state("problem"),
    ),
}

SHARE = {
    "first link": lambda panel: panel.open(),
    "link": lambda panel: panel.make_link("watch", "Back row", has_video=True),
    "form": lambda panel: (panel.make_link(name="Seminar"), panel.page.click("#share-new summary")),
    "question": lambda panel: panel.page.click('[aria-label="Revoke Seminar"]'),
    "ended link": lambda panel: (panel.confirm(), panel.page.click("#share-ended summary")),
}

HISTORY = {
    "empty": lambda history: history.page.wait_for_selector("#empty", state="visible"),
    "two sessions": lambda history: (
        history.import_session(history.folder, name="First", day=2, tags=["film"], markers=[(20, "Begins")]),
        history.import_session(history.folder, name="Second", faces=2),
    ),
    "renaming": lambda history: history.page.click(".session [data-part=rename] >> nth=0"),
    "chosen": lambda history: [box.check() for box in history.page.locator(".session-pick").all()],
    "question": lambda history: history.page.click("#delete-all"),
    "nothing fits": lambda history: (
        history.page.click("#delete-all-cancel"),
        history.page.fill("#search", "nothing of the kind"),
        history.page.wait_for_selector("#nothing", state="visible"),
    ),
    "session": lambda history: history.open_session(history.sessions()[0]["id"]),
    "export menu": lambda history: history.page.click("#export-menu summary"),
    "stacked": lambda history: history.page.check("input[value=stacked]", force=True),
    "valence and arousal": lambda history: history.page.check("input[value=affect]", force=True),
    "compare": lambda history: (
        history.page.goto(f"{history.url}/compare?ids={','.join(each['id'] for each in history.sessions())}"),
        history.page.wait_for_selector('#comparison[data-state="ready"] #plot canvas'),
    ),
}

ANALYZE = {
    "empty": lambda analyze: None,
    "pictures": lambda analyze: (
        analyze.choose(analyze.folder / "two.png", analyze.folder / "cut.png"),
        analyze.wait_for_done(2),
    ),
    "heat maps": lambda analyze: (
        analyze.page.click("#heat-switch"),
        analyze.page.wait_for_selector("#heat-choice:not([hidden])"),
    ),
    "broken picture": lambda analyze: analyze.tile("cut.png").locator("[data-part=open]").click(),
    "video": lambda analyze: (
        analyze.choose(analyze.folder / "film.avi"),
        analyze.page.wait_for_selector('.video[data-state="finished"]'),
    ),
    "labelled folder": lambda analyze: analyze.choose_folder(analyze.folder / "faces"),
    "report": lambda analyze: (
        analyze.page.click("#folder-start"),
        analyze.page.wait_for_selector('#folder-test[data-status="finished"]'),
    ),
}

PAGES = {
    "/?lang=de": "Gesichtsausdrücke, live",
    "/history?lang=de": "Verlauf",
    "/api": "HTTP API",
    "/trust": "Trust this server",
    "/nothing-is-here": "There is no such page",
    "/l/nobody-made-this": "No link has this address",
}
"""Their paths and headings."""


def found_in(subject, area, states):
    """What axe-core finds in the states of a table, one after the other."""
    found = []
    for name, reach in states.items():
        reach(subject)
        found += violations(subject.page, f"{area}, {name}")
        subject.page.set_viewport_size(SIZES["desktop"])
    return found


@pytest.fixture(scope="module")
def browser(videos):
    video = two_faces_video(videos)
    with chromium(*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}", RESOLVE_FLAG) as running:
        yield running


def test_live_page(browser, server):
    live = LivePage(browser, server.url, accept_notice=False, has_hud=False, **QUIET)
    assert found_in(live, "live", LIVE) == []
    live.context.close()


def test_history(browser, server, tmp_path):
    history = HistoryPage.opened(browser, server.url, **QUIET)
    history.folder = tmp_path
    assert found_in(history, "history", HISTORY) == []
    history.page.context.close()


def test_analyze(browser, server, tmp_path):
    picture = cv2.imencode(".png", two_faces_bgr())[1].tobytes()
    (tmp_path / "faces" / "happy").mkdir(parents=True)
    for name in ("two.png", "faces/happy/two.png"):
        (tmp_path / name).write_bytes(picture)
    (tmp_path / "cut.png").write_bytes(picture[:9000])
    write_video(tmp_path / "film.avi", [two_faces_bgr()] * 5)
    analyze = AnalyzePage(browser, server.url, **QUIET)
    analyze.folder = tmp_path
    assert found_in(analyze, "analyze", ANALYZE) == []
    analyze.context.close()


def test_share_panel_and_what_a_watcher_and_a_stranger_see(browser):
    with SharingServer() as server:
        assert found_where_one_shares(browser, server) == []


def found_where_one_shares(browser, server):
    panel = SharePanel(browser, server, **QUIET)
    panel.stop_all()
    found = found_in(panel, "share", SHARE)
    watcher = Visit(browser, server, panel.make_link("watch", "Axe"), **QUIET)
    watcher.page.wait_for_selector('#stage[data-state="waiting"]')
    found += violations(watcher.page, "watch, waiting")
    panel.page.click("#share-close")
    panel.page.click("#start-stop")
    watcher.page.wait_for_selector(".face-card[data-face-id]")
    found += violations(watcher.page, "watch, live")
    watcher.page.goto(server.address_of("https://fer.test/overlay"))
    found += violations(watcher.page, "overlay")
    panel.page.click("#start-stop")
    panel.page.wait_for_selector('#stage[data-state="idle"]')
    stranger = proxied_page(browser, ELSEWHERE, ignore_https_errors=True, **QUIET)
    for page, url, heading in (
        *((panel.page, server.url + path, heading) for path, heading in PAGES.items()),
        (stranger, server.address_of("https://fer.test/"), "You need a link"),
        (stranger, f"http://fer.test:{server.port}/", "Open the https link"),
    ):
        page.goto(url)
        assert heading in page.inner_text("h1"), url
        found += violations(page, heading)
    return found
