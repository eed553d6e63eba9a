"""The Analyze page in a real browser: pictures, videos and a labelled folder."""

import csv
import json
import zipfile

import cv2
import numpy as np
import pytest

from fer_web.analysis.stills.still_formats import CSV_COLUMNS
from fer_web.labels import EMOTIONS
from tests.support.browser.analyze_page import AnalyzePage
from tests.support.browser.browsers import chromium
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr, grace_hopper_bgr, two_faces_bgr
from tests.support.made_videos import write_video

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def analyze(browser, server):
    opened = AnalyzePage(browser, server.url, **DESKTOP)
    yield opened
    assert opened.errors == []
    opened.context.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with pictures of each kind."""
    folder = tmp_path_factory.mktemp("files")
    cv2.imwrite(str(folder / "astronaut.jpg"), astronaut_bgr())
    cv2.imwrite(str(folder / "two.png"), two_faces_bgr())
    cv2.imwrite(str(folder / "scan.tiff"), grace_hopper_bgr())
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 300, 3), 120, np.uint8))
    (folder / "cut.jpg").write_bytes((folder / "astronaut.jpg").read_bytes()[:9000])
    return folder


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """happy/ with a smiling face, sad/ with the same one and a wall, and things beside them."""
    folder = tmp_path_factory.mktemp("labels") / "faces"
    for name in ("happy", "sadness", "notes"):
        (folder / name).mkdir(parents=True)
    cv2.imwrite(str(folder / "happy" / "a.jpg"), astronaut_bgr())
    cv2.imwrite(str(folder / "happy" / "b.png"), cv2.resize(astronaut_bgr(), (400, 400)))
    cv2.imwrite(str(folder / "sadness" / "c.jpg"), astronaut_bgr())
    cv2.imwrite(str(folder / "sadness" / "wall.png"), np.full((200, 300, 3), 120, np.uint8))
    (folder / "sadness" / "cut.jpg").write_bytes((folder / "happy" / "a.jpg").read_bytes()[:9000])
    cv2.imwrite(str(folder / "notes" / "extra.png"), two_faces_bgr())
    (folder / "notes" / "readme.txt").write_text("not a picture")
    return folder


def overlap(box, xyxy):
    """Share of the union that two boxes have in common."""
    x1, y1, x2, y2 = box[0], box[1], box[0] + box[2], box[1] + box[3]
    width = max(0, min(x2, xyxy[2]) - max(x1, xyxy[0]))
    height = max(0, min(y2, xyxy[3]) - max(y1, xyxy[1]))
    union = (x2 - x1) * (y2 - y1) + (xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1]) - width * height
    return width * height / union


def test_a_dropped_picture_gets_its_box_label_and_bars(analyze, files):
    analyze.drop(files / "astronaut.jpg")
    analyze.page.wait_for_selector('#viewer[data-state="done"]')
    analyze.wait_until(lambda: analyze.drawn()["hasPicture"] and analyze.drawn()["faces"], "the boxes")
    (face,) = analyze.drawn()["faces"]
    assert face["label"] == "happy"
    assert overlap(face["box"], [side / 512 for side in ASTRONAUT_XYXY]) > 0.5
    assert analyze.page.text_content("#face-card [data-part=label]") == "Happy"
    bars = analyze.page.locator("#face-card .bar")
    assert bars.count() == 7
    assert "is-top" in bars.nth(3).get_attribute("class")
    assert analyze.page.text_content("#announcer") == "astronaut.jpg: Expression: happy"


def face_pixels(analyze):
    """The first face as it is on the screen: int (height, width, 3), BGR."""
    rect = analyze.drawn()["faces"][0]["rect"]
    stage = analyze.page.locator(".viewer-stage").bounding_box()
    shot = cv2.imdecode(np.frombuffer(analyze.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    left, top = round(stage["x"] + rect["x"]), round(stage["y"] + rect["y"])
    return shot[top : top + round(rect["height"]), left : left + round(rect["width"])].astype(int)


def test_heat_maps_are_drawn_and_chosen_by_expression(analyze, files):
    analyze.choose(files / "astronaut.jpg")
    analyze.page.wait_for_selector('#viewer[data-state="done"]')
    analyze.page.click("#heat-switch")
    analyze.page.wait_for_selector("#heat-choice:not([hidden])")
    chosen = analyze.page.locator('#heat-choice [aria-checked="true"]')
    assert chosen.get_attribute("data-emotion") == "happy"
    happy = face_pixels(analyze)
    analyze.page.click('#heat-choice [data-emotion="fear"]')
    assert chosen.get_attribute("data-emotion") == "fear"
    fear = face_pixels(analyze)
    assert np.abs(happy - fear).mean() > 5
    analyze.page.keyboard.press("ArrowRight")
    assert chosen.get_attribute("data-emotion") == "happy"
    assert np.abs(face_pixels(analyze) - happy).mean() < 1
    small = analyze.page.locator("#heat-choice canvas").evaluate_all(
        "all => all.map((each) => each.toDataURL())"
    )
    # Expressions that nothing speaks for look the same.
    assert small.count(small[EMOTIONS.index("happy")]) == 1
    assert len(small) == 7
    analyze.page.reload()
    analyze.choose(files / "astronaut.jpg")
    analyze.page.wait_for_selector("#heat-choice:not([hidden])")


def test_the_pixels_of_the_box_are_on_the_face(analyze, files):
    analyze.choose(files / "astronaut.jpg")
    analyze.page.wait_for_selector('#viewer[data-state="done"]')
    analyze.wait_until(lambda: analyze.drawn()["hasPicture"] and analyze.drawn()["faces"], "the boxes")
    rect = analyze.drawn()["faces"][0]["rect"]
    stage = analyze.page.locator(".viewer-stage").bounding_box()
    shot = cv2.imdecode(np.frombuffer(analyze.page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    row = shot[round(stage["y"] + rect["y"] + rect["height"] / 2)]
    edge = row[round(stage["x"] + rect["x"]) - 1 : round(stage["x"] + rect["x"]) + 2].astype(int)
    # Orange, the colour of happy, in BGR.
    assert np.abs(edge - (0, 159, 230)).sum(axis=1).min() < 60
    button = analyze.page.locator(".face-button").bounding_box()
    assert button["x"] == pytest.approx(stage["x"] + rect["x"], abs=1.5)


def test_the_page_says_that_it_takes_what_is_held_over_it(analyze, files):
    analyze.hold(files / "astronaut.jpg")
    analyze.page.wait_for_selector("#drop-veil", state="visible")
    analyze.page.wait_for_selector("#drop-veil", state="hidden")


def test_a_picture_is_pasted(analyze):
    analyze.paste(cv2.imencode(".png", astronaut_bgr())[1].tobytes())
    analyze.page.wait_for_selector('#viewer[data-state="done"]')
    assert analyze.page.text_content("#face-card [data-part=label]") == "Happy"


def test_a_broken_file_says_what_is_wrong_and_the_others_go_on(analyze, files):
    analyze.choose(files / "cut.jpg", files / "two.png", files / "scan.tiff", files / "wall.png")
    analyze.wait_for_done(4)
    assert "damaged or cut short" in analyze.tile("cut.jpg").inner_text()
    assert analyze.tile("two.png").inner_text().endswith("2 faces: 1 happy, 1 neutral")
    assert analyze.tile("wall.png").inner_text().endswith("No face found")
    assert analyze.page.text_content("#images-count") == "4 pictures, 1 not analysed"
    # The first one is looked at: the broken one, with the way on.
    assert "damaged or cut short" in analyze.page.text_content("#viewer-error")
    analyze.page.click("#viewer-retry")
    analyze.wait_for_done(4)
    analyze.tile("cut.jpg").locator("[data-part=remove]").click()
    analyze.wait_until(lambda: analyze.page.locator(".tile").count() == 3, "the picture to go")


def test_a_kind_that_the_browser_cannot_show_comes_from_the_server(analyze, files):
    analyze.choose(files / "scan.tiff")
    analyze.wait_until(lambda: (analyze.drawn() or {}).get("hasPicture"), "the server's picture")
    assert analyze.page.is_hidden("#viewer-blind")


def test_faces_are_chosen_by_pressing_and_by_keys(analyze, files):
    analyze.choose(files / "two.png", files / "astronaut.jpg")
    analyze.wait_for_done(2)
    analyze.page.locator(".face-button").nth(1).click()
    assert analyze.page.text_content("#face-card [data-part=name]") == "Face 2 of 2"
    assert analyze.page.text_content("#face-card [data-part=label]") == "Neutral"
    analyze.page.locator(".face-button").nth(0).focus()
    analyze.page.keyboard.press("Enter")
    assert analyze.page.text_content("#face-card [data-part=label]") == "Happy"
    analyze.tile("two.png").locator("[data-part=open]").focus()
    analyze.page.keyboard.press("ArrowRight")
    assert analyze.page.text_content("#viewer-name") == "astronaut.jpg"
    assert analyze.page.evaluate("document.activeElement.closest('.tile').innerText").startswith(
        "astronaut.jpg"
    )


def test_all_results_are_downloaded(analyze, files, tmp_path):
    analyze.choose(files / "two.png", files / "cut.jpg", files / "astronaut.jpg")
    analyze.wait_for_done(3)
    with analyze.save("#download-csv", tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row[0] for row in rows[1:]] == ["two.png", "two.png", "cut.jpg", "astronaut.jpg"]
    found = json.loads(analyze.save("#download-json", tmp_path).read_text())
    assert [len(each.get("faces", [])) for each in found] == [2, 0, 1]
    assert found[1]["error"]["code"] == "bad_image"
    with zipfile.ZipFile(analyze.save("#download-annotated", tmp_path)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["two-faces.jpg", "astronaut-faces.jpg"]
        picture = cv2.imdecode(np.frombuffer(archive.read("astronaut-faces.jpg"), np.uint8), 1)
    assert picture.shape == (512, 512, 3)
    assert analyze.save("#one-annotated", tmp_path).name == "two-faces.jpg"


def test_each_picture_can_be_taken_for_one_face(analyze, files):
    analyze.choose(files / "two.png")
    analyze.page.wait_for_selector('#viewer[data-state="done"]')
    analyze.page.select_option("#image-faces", "whole")
    analyze.wait_until(lambda: analyze.page.locator(".face-button").count() == 1, "one face")
    assert "The whole picture was taken for one face" in analyze.page.text_content("#face-card")


def test_a_phone_shows_everything_in_one_column(browser, server, files, labelled):
    analyze = AnalyzePage(browser, server.url, **PHONE)
    analyze.choose(files / "two.png", files / "cut.jpg")
    analyze.wait_for_done(2)
    assert analyze.page.evaluate("document.documentElement.scrollWidth") == 390
    analyze.page.click("#menu-open")
    assert analyze.page.inner_text("header [aria-current=page]") == "Analyze"
    analyze.page.keyboard.press("Escape")
    assert analyze.page.is_visible("#face-card")
    analyze.tile("cut.jpg").locator("[data-part=open]").tap()
    stage = analyze.page.locator(".viewer-stage").bounding_box()
    assert 0 <= stage["y"] < stage["y"] + stage["height"] <= 844
    analyze.choose_folder(labelled)
    analyze.page.click("#folder-start")
    analyze.page.wait_for_selector('#folder-test[data-status="finished"]', timeout=300_000)
    assert analyze.page.evaluate("document.documentElement.scrollWidth") == 390
    analyze.page.set_viewport_size({"width": 320, "height": 700})
    assert analyze.page.evaluate("document.documentElement.scrollWidth") == 320
    assert analyze.errors == []
    analyze.context.close()


def test_the_page_speaks_the_readers_language(browser, server, files):
    analyze = AnalyzePage(browser, server.url, locale="de-DE", **PHONE)
    analyze.choose(files / "two.png", files / "cut.jpg")
    analyze.wait_for_done(2)
    page = analyze.page
    assert page.text_content("#announcer") == "1 Bild analysiert, 1 nicht"
    assert page.text_content("#images-count") == "2 Bilder, 1 nicht analysiert"
    assert page.text_content("#face-card [data-part=name]") == "Gesicht 1 von 2"
    assert analyze.tile("two.png").inner_text().endswith("2 Gesichter: 1 fröhlich, 1 neutral")
    # The meaning in the reader's language, then the server's own words.
    assert "beschädigt oder nicht lesbar. (The JPEG" in analyze.tile("cut.jpg").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{server.url}/api?lang=fr")
    assert page.inner_text("#types-title") == "Types"
    assert page.locator(".api-summary [lang=en]").count() > 10
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    analyze.context.close()


def test_a_video_is_sent_watched_and_leads_to_its_timeline(analyze, tmp_path):
    path = write_video(tmp_path / "smile.avi", [cv2.resize(astronaut_bgr(), (320, 320))] * 30)
    analyze.choose(path)
    analyze.page.wait_for_selector('.video[data-state="finished"]', timeout=300_000)
    row = analyze.page.locator(".video")
    assert "30 frames · 1 face" in row.inner_text()
    table = analyze.save(".video [data-part=csv]", tmp_path).read_text()
    assert table.count("\n") == 31
    assert analyze.save(".video [data-part=annotated]", tmp_path).stat().st_size > 1000
    analyze.page.reload()
    analyze.page.wait_for_selector('.video[data-state="finished"]')
    analyze.page.click(".video [data-part=timeline]")
    analyze.page.wait_for_selector('#session[data-state="ready"] #plot canvas')
    assert "smile" in analyze.page.title()


def test_a_running_video_is_cancelled(analyze, tmp_path):
    path = write_video(tmp_path / "long.avi", [cv2.resize(astronaut_bgr(), (480, 480))] * 600)
    analyze.choose(path)
    analyze.page.wait_for_selector('.video[data-state="running"]', timeout=300_000)
    analyze.wait_until(lambda: "of 600 frames" in analyze.page.inner_text(".video"), "frames to be counted")
    analyze.page.reload()
    analyze.page.wait_for_selector('.video[data-state="running"]')
    analyze.page.click(".video [data-part=cancel]")
    analyze.wait_until(lambda: analyze.page.locator(".video").count() == 0, "the video to go")
    analyze.page.wait_for_selector('#analyze[data-state="empty"]')


def test_many_videos_have_one_progress_one_table_and_one_stop(analyze, tmp_path):
    clips = [cv2.resize(astronaut_bgr(), (160, 160))] * 5
    analyze.choose(*(write_video(tmp_path / f"{name}.avi", clips) for name in "abcdef"))  # four may wait
    analyze.page.wait_for_selector("#videos-count:not([hidden])")
    analyze.wait_until(
        lambda: analyze.page.text_content("#videos-count") == "6 of 6 videos", "all to be analysed"
    )
    rows = list(csv.DictReader(analyze.save("#videos-csv", tmp_path).read_text().splitlines()))
    assert sorted({row["session"] for row in rows}) == [f"{name}.avi" for name in "abcdef"]
    assert len(rows) == 30
    long = write_video(tmp_path / "long.avi", [cv2.resize(astronaut_bgr(), (480, 480))] * 600)
    analyze.page.click("#video-part summary")
    analyze.page.fill("#part-end", "x")
    analyze.choose(long)
    assert analyze.page.locator(".video").count() == 6
    analyze.page.fill("#part-end", "0:09")
    analyze.choose(long, long)
    analyze.page.click("#videos-stop")
    analyze.wait_until(lambda: analyze.page.locator(".video").count() == 6, "the long ones to go")
    assert analyze.page.locator("#videos-progress").is_hidden()


def test_a_file_that_is_no_video_says_so(analyze, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video at all")
    analyze.choose(path)
    analyze.page.wait_for_selector('.video:is([data-state="unsent"], [data-state="failed"])', timeout=300_000)
    assert "no video" in analyze.page.inner_text(".video [data-part=error]")


def test_a_dropped_folder_is_counted_tested_and_reported(analyze, labelled, tmp_path):
    analyze.drop(labelled)
    analyze.page.wait_for_selector('#folder-test[data-status="ready"]')
    counts = analyze.page.locator("#folder-counts li").all_inner_texts()
    assert [text.replace("\n", " ") for text in counts] == ["Happy 2", "Sad 3"]
    left_out = analyze.page.inner_text("#folder-apart")
    assert "1 picture in folders that name no expression (faces/notes)" in left_out
    assert "1 file that is no picture" in left_out
    analyze.page.click("#folder-start")
    analyze.page.wait_for_selector('#folder-test[data-status="finished"]', timeout=300_000)
    # Two happy ones are right, the sad one is not; the wall and the broken file count apart.
    assert analyze.page.inner_text("#accuracy") == "66.7 %"
    assert analyze.page.inner_text("#accuracy-original").endswith("%")
    assert "only 63 %" in analyze.page.inner_text("#difference")
    apart = analyze.page.inner_text("#apart")
    assert "1 picture without a face" in apart
    assert "1 could not be read" in apart
    assert "cut.jpg: The JPEG" in analyze.page.text_content("#unreadable")
    rows = analyze.page.locator("#classes tr").all_inner_texts()
    assert [text.split("\t")[0] for text in rows][3:5] == ["Happy", "Sad"]
    cell = analyze.page.locator("#confusion tbody tr").nth(4).locator("td").nth(3)
    assert cell.get_attribute("title") == "1 picture, 100.0 %"
    mistake = analyze.page.locator(".mistake")
    assert mistake.inner_text().startswith("Happy")
    assert mistake.locator("img").evaluate("each => each.decode().then(() => each.naturalWidth)") == 512
    plot = cv2.imread(str(analyze.save("#report-confusion", tmp_path)))
    assert min(plot.shape[:2]) > 100
    assert cv2.imread(str(analyze.save("#report-mistakes", tmp_path))) is not None
    assert "faces: 5 images" in analyze.save("#report-txt", tmp_path).read_text()
    report = json.loads(analyze.save("#report-json", tmp_path).read_text())
    assert report["accuracy"] == pytest.approx(2 / 3)
    # The confusion's rows have no other names.
    assert tuple(report["shown"]["classes"]) == EMOTIONS
    analyze.page.click('[data-head="original"]')
    assert analyze.page.locator('[data-head="original"]').get_attribute("aria-checked") == "true"


def test_a_chosen_folder_that_is_stopped_reports_on_its_part(analyze, tmp_path):
    (tmp_path / "many" / "happy").mkdir(parents=True)
    jpeg = cv2.imencode(".jpg", astronaut_bgr())[1].tobytes()
    for number in range(300):
        (tmp_path / "many" / "happy" / f"{number}.jpg").write_bytes(jpeg)
    analyze.choose_folder(tmp_path / "many")
    analyze.page.wait_for_selector('#folder-test[data-status="ready"]')
    analyze.page.click("#folder-start")
    analyze.wait_until(lambda: "right so far" in analyze.page.inner_text("#folder-text"), "the first images")
    analyze.page.click("#folder-stop")
    analyze.page.wait_for_selector('#folder-test[data-status="finished"]', timeout=300_000)
    assert "of 300 pictures: the report is about these" in analyze.page.inner_text("#report-partial")
    assert analyze.page.inner_text("#accuracy") == "100.0 %"
    analyze.page.click("#folder-close")
    analyze.page.wait_for_selector('#analyze[data-state="empty"]')


def test_a_folder_without_labels_says_so_and_shows_its_pictures(analyze, files):
    analyze.drop(files)
    analyze.page.wait_for_selector("#folder-problem:not([hidden])")
    assert "No folder in it names an expression" in analyze.page.inner_text("#folder-problem")
    analyze.page.click("#folder-plain")
    analyze.wait_for_done(5)
    assert analyze.page.is_hidden("#folder-test")
