"""The page in a real browser, with a webcam that plays real faces."""

import json
import shutil

import cv2
import numpy as np
import pytest

from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from tests.support.browser.browsers import CAMERA_FLAGS, chromium, chromium_with_camera
from tests.support.browser.fake_camera import Truth, left_face_video, no_face_video, two_faces_video
from tests.support.browser.live_page import LivePage, iou
from tests.support.machine import slowness
from tests.support.servers import ServerProcess

SLOW = 1.3
"""From here on half of the boxes have to be right: a wrong place of all is seen on any machine."""


@pytest.mark.alone
def test_start_shows_box_label_and_seven_bars_on_the_moving_face(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    # The best of three looks: other work on the machine can only make results later, and so boxes worse.
    part = 1 / 20 if slowness() < SLOW else 1 / 2
    for _ in range(3):
        drawings = [drawn for drawn in live.observe(4) if drawn["faces"]]
        overlaps = sorted(iou(drawn["faces"][0]["box"], Truth(drawn["number"]).box()) for drawn in drawings)
        least = overlaps[int(part * len(overlaps))] if len(overlaps) > 20 else 0.0
        if least >= 0.5:
            break
    assert least >= 0.5, (part, overlaps)
    assert "happy" in drawings[-1]["faces"][0]["text"].lower()
    bars = live.page.locator(".face-card .bar")
    assert bars.evaluate_all("bars => bars.map(bar => bar.dataset.emotion)") == list(EMOTIONS)
    shares = [
        float(text.strip(" %<>")) for text in live.page.locator(".face-card .bar-value").all_text_contents()
    ]
    assert sum(shares) == pytest.approx(100, abs=4)
    assert live.errors == []


def test_overlay_has_ink_where_the_face_is_and_none_far_from_it(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    live.page.wait_for_timeout(500)
    live.wait_for_boxes()
    ink = live.page.evaluate("""() => {
      const canvas = document.getElementById("overlay");
      const context = canvas.getContext("2d");
      const count = (x, w) => {
        const data = context.getImageData(x * canvas.width, 0, w * canvas.width, canvas.height).data;
        let inked = 0;
        for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
        return inked;
      };
      return { middle: count(0.2, 0.6), left: count(0, 0.1), right: count(0.9, 0.1) };
    }""")
    assert ink["middle"] > 500
    assert ink["left"] == 0
    assert ink["right"] == 0


def test_two_faces_get_two_boxes_two_cards_and_keep_their_ids(server, videos):
    with chromium_with_camera(two_faces_video(videos)) as browser:
        live = LivePage(browser, server.url)
        live.start(faces=2)
        drawings = [drawn for drawn in live.observe(2) if drawn["faces"]]
        ids = {tuple(sorted(face["id"] for face in drawn["faces"])) for drawn in drawings}
        assert len(ids) == 1
        assert len(next(iter(ids))) == 2
        sides = sorted(face["box"][0] + face["box"][2] / 2 for face in drawings[-1]["faces"])
        assert sides[0] < 0.5 < sides[1]


def test_no_face_says_so(server, videos):
    with chromium_with_camera(no_face_video(videos)) as browser:
        live = LivePage(browser, server.url)
        live.page.click("#start-stop")
        live.page.wait_for_selector("#no-face", state="visible")
        assert live.page.locator(".face-card").count() == 0


def test_stop_ends_camera_and_overlay_and_start_begins_again(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    live.page.keyboard.press("Space")
    live.wait_for_state("idle")
    assert live.page.evaluate("document.getElementById('video').srcObject") is None
    assert live.page.locator(".face-card").count() == 0
    live.page.wait_for_timeout(300)
    assert [drawn for drawn in live.observe(0.7) if drawn["faces"]] == []
    live.page.keyboard.press("Space")
    live.wait_for_faces(1)


def test_notice_comes_before_the_first_start_and_only_then(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, accept_notice=False)
    live.page.click("#start-stop")
    notice = live.page.locator("#notice")
    text = notice.inner_text().lower()
    for word in ("this server", "not kept", "not the emotion felt", "employees", "students", "forbidden"):
        assert word in text, word
    assert live.page.evaluate("document.getElementById('video').srcObject") is None
    live.page.click("#notice-decline")
    live.wait_for_state("idle")
    live.page.click("#start-stop")
    live.page.click("#notice-accept")
    live.wait_for_faces(1)
    live.reload()
    live.start()


def test_mirror_turns_picture_and_overlay_and_not_the_words(server, videos):
    with chromium_with_camera(left_face_video(videos)) as browser:
        live = LivePage(browser, server.url, viewport={"width": 1280, "height": 900})
        live.start()
        live.page.wait_for_timeout(500)
        # A webcam is shown as a mirror at first.
        sides, turns = [], []
        for _ in range(2):
            live.wait_for_boxes()
            sides.append((live.ink(0, 0, 0.5, 1), live.ink(0.5, 0, 1, 1)))
            turns.append(live.page.evaluate("getComputedStyle(document.getElementById('video')).transform"))
            live.page.keyboard.press("m")
            live.page.wait_for_timeout(500)
        (mirrored_left, mirrored_right), (plain_left, plain_right) = sides
        assert mirrored_right > 500
        assert plain_left > 500
        assert mirrored_left == plain_right == 0
        assert turns[0].startswith("matrix(-1")
        assert not turns[1].startswith("matrix(-1")


def test_overlay_says_the_expression_above_the_box(server, videos):
    with chromium_with_camera(left_face_video(videos)) as browser:
        live = LivePage(browser, server.url, viewport={"width": 1280, "height": 900})
        live.start()
        live.page.keyboard.press("m")
        live.page.wait_for_timeout(700)
        live.wait_for_boxes()
        left, top, width, _ = live.drawn()[-1]["faces"][0]["box"]
        inside = live.ink(left + width * 0.3, top + 0.05, left + width * 0.7, top + 0.085)
        above = live.ink(left + width * 0.3, top - 0.06, left + width * 0.7, top - 0.025)
        assert above > 300
        assert above > 3 * inside


def test_snapshot_is_a_png_of_the_video_with_its_overlay(server, videos, tmp_path):
    with chromium_with_camera(left_face_video(videos)) as browser:
        live = LivePage(browser, server.url)
        live.start()
        live.page.wait_for_timeout(500)
        live.wait_for_boxes()
        with live.page.expect_download() as download:
            live.page.keyboard.press("s")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
    picture = cv2.imread(str(path))
    assert path.suffix == ".png"
    assert picture.shape == (480, 640, 3)
    # Okabe-Ito's orange, which stands for "happy", as blue, green, red.
    is_happy_colour = (np.abs(picture.astype(int) - (0, 159, 230)) <= 6).all(axis=2)
    assert is_happy_colour.sum() > 300
    # The picture of a webcam is a mirror: the face of the left half is on the right.
    assert is_happy_colour[:, :320].sum() == 0
    assert picture[:, 340:].std() > 30
    assert picture[:, :320].std() < 5


def test_full_screen_figures_and_help_by_keyboard(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, has_hud=False)
    live.start()
    live.page.keyboard.press("?")
    assert live.page.is_visible("#help")
    live.page.keyboard.press("Escape")
    assert not live.page.is_visible("#help")
    live.page.keyboard.press("f")
    live.wait_until("document.fullscreenElement?.id === 'stage-shell'")
    live.page.keyboard.press("f")
    live.wait_until("document.fullscreenElement === null")


def test_keyboard_keeps_its_place_when_the_camera_starts(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, viewport={"width": 1280, "height": 900})
    live.page.focus("#start")
    live.page.keyboard.press("Enter")
    live.wait_for_faces(1)
    assert live.page.evaluate("document.activeElement.id") == "start-stop"


def test_reduced_motion_stops_every_animation(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, reduced_motion="reduce")
    live.start()
    live.page.keyboard.press("s")
    running = "document.getAnimations().filter(a => a.effect.getComputedTiming().duration > 100).length"
    assert live.page.evaluate(running) == 0


def test_denied_camera_says_what_to_do(server):
    with chromium("--use-fake-device-for-media-stream", "--deny-permission-prompts") as browser:
        assert_problem(LivePage(browser, server.url), "denied", "allow")


def test_no_camera_says_what_to_do(server):
    with chromium(
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"
    ) as browser:
        assert_problem(LivePage(browser, server.url), "none_found", "plug")


INSECURE_JS = """
Object.defineProperty(globalThis, "isSecureContext", { value: false });
Object.defineProperty(navigator, "mediaDevices", { value: undefined });
"""


def test_insecure_page_says_what_to_do(server):
    # What a browser tells a page on http://192.168.x.x, behind a proxy that speaks no HTTPS for instance.
    with chromium(*CAMERA_FLAGS) as browser:
        live = LivePage(browser, server.url)
        live.page.add_init_script(INSECURE_JS)
        live.reload()
        assert_problem(live, "insecure", "https")


def assert_problem(live, kind, word):
    live.page.click("#start-stop")
    problem = live.page.wait_for_selector("#problem[data-kind]", state="visible")
    assert kind in problem.get_attribute("data-kind")
    assert word in problem.inner_text().lower()
    assert live.page.locator("#problem-steps li").count() >= 1


def test_server_restarted_in_the_middle_goes_on_without_old_frames(videos, browser_with_face):
    with ServerProcess() as first:
        port = first.port
        live = LivePage(browser_with_face, first.url)
        live.start()
        first.kill()
        live.page.wait_for_selector('#connection[data-state="reconnecting"]')
        seq_before = live.drawn(clear=True)[-1]["seq"]
        live.page.wait_for_timeout(1500)
    with ServerProcess(port=port):
        live.page.wait_for_selector('#connection[data-state="connected"]')
        live.wait_until(f"window.__drawn.some(drawn => drawn.faces.length && drawn.seq > {seq_before})")
        # 1.5 s of frames were captured meanwhile: had they been kept, they would all have been sent now.
        ages = live.page.evaluate("window.__drawn.filter(d => d.faces.length).map(d => d.at - d.capturedMs)")
        assert max(ages[-10:]) < 1500
        live.wait_for_faces(1)


def test_hidden_tab_sends_nothing(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    live.page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    answered = live.settled(lambda: live.figure("answered"))
    live.page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: false, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    live.wait_until_figure_passes("answered", answered + 5)


def test_announcement_names_the_expression_once(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    live.wait_until("document.getElementById('announcer').textContent === 'Expression: happy'")
    live.page.evaluate("""() => {
      window.__said = 0;
      const observer = new MutationObserver(() => { window.__said += 1; });
      const region = document.getElementById("announcer");
      observer.observe(region, { childList: true, characterData: true, subtree: true });
    }""")
    started_ms = live.page.evaluate("performance.now()")
    live.page.wait_for_timeout(4000)
    said, now_ms = live.page.evaluate("[window.__said, performance.now()]")
    assert said <= 2 + (now_ms - started_ms) / 3000, "one in three seconds at most"


def test_narrowest_window_has_no_sideways_scroll(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, viewport={"width": 320, "height": 640})
    live.start()
    assert live.page.evaluate("document.documentElement.scrollWidth") <= 320
    box = live.page.locator("#fullscreen").bounding_box()
    assert box["x"] + box["width"] <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_has_no_sideways_scroll_and_reachable_controls(server, browser_with_face, scheme):
    live = LivePage(
        browser_with_face,
        server.url,
        viewport={"width": 360, "height": 740},
        color_scheme=scheme,
        is_mobile=True,
        has_touch=True,
    )
    live.start()
    sizes = live.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert sizes[0] <= sizes[1]
    box = live.page.locator("#start-stop").bounding_box()
    assert box["y"] + box["height"] <= 740
    assert box["height"] >= 40


def test_policy_is_broken_by_nothing_on_the_page(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.page.evaluate("""() => document.addEventListener("securitypolicyviolation", (event) => {
      window.__violation = event.violatedDirective;
    })""")
    live.start()
    live.page.keyboard.press("s")
    live.page.wait_for_timeout(500)
    assert live.page.evaluate("window.__violation ?? null") is None
    assert json.dumps(live.errors) == "[]"


def inner_ink(live):
    """Pixels painted inside the face's box, away from its line and label, of all in there."""
    return live.page.evaluate("""() => {
      const canvas = document.getElementById("overlay");
      const face = window.__drawn.at(-1)?.faces[0];
      if (!face) return null;
      const [left, top, width, height] = face.box;
      const [w, h] = [canvas.width, canvas.height];
      const x = (1 - left - 0.75 * width) * w;
      const part = [x, (top + 0.25 * height) * h, width * w / 2, height * h / 2];
      const data = canvas.getContext("2d").getImageData(...part).data;
      let inked = 0;
      for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
      return inked / (data.length / 4);
    }""")


def test_heat_map_appears_on_the_face_disappears_and_is_remembered(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, viewport={"width": 1280, "height": 900})
    live.start()
    has_map = "window.__drawn.at(-1)?.faces[0]?.hasHeatmap === true"
    pressed = "document.getElementById('heatmap-toggle').ariaPressed"
    live.wait_for_boxes()
    assert (live.page.evaluate(pressed), inner_ink(live)) == ("false", 0)
    assert live.page.is_hidden("#heat-legend")
    live.page.keyboard.press("t")
    live.wait_until(has_map)
    assert inner_ink(live) > 0.5
    assert live.page.inner_text("#heat-legend").split("\n")[-1] == "Speaks for the label most"
    scale = live.page.evaluate(
        "getComputedStyle(document.querySelector('#heat-legend .heat-scale')).backgroundImage"
    )
    assert "rgb(252, 255, 164)" in scale
    assert live.page.evaluate(pressed) == "true"
    live.reload()
    live.start()
    live.wait_until(has_map)
    live.page.click("#heatmap-toggle")
    live.wait_until(f"window.__drawn.at(-1).faces.length && !({has_map})")
    assert inner_ink(live) == 0
    live.reload()
    live.start()
    assert all(not face["hasHeatmap"] for drawn in live.observe(1) for face in drawn["faces"])
    assert live.errors == []


def test_a_model_without_heat_maps_says_so_on_the_button(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(Settings().model, folder, ignore=shutil.ignore_patterns("plots"))
    meta = json.loads((folder / "meta.json").read_text())
    del meta["outputs"]["cam"]
    (folder / "meta.json").write_text(json.dumps(meta))
    with ServerProcess("--model", folder) as running, chromium() as browser:
        live = LivePage(browser, running.url)
        live.wait_until("document.getElementById('heatmap-toggle').disabled")
        assert "exported without heat maps" in live.page.get_attribute("#heatmap-toggle", "title")
        live.page.keyboard.press("t")
        assert live.page.get_attribute("#heatmap-toggle", "aria-pressed") == "false"
        assert live.errors == []
