"""Tests of folders over HTTP, with a classifier that names expressions by how bright an image is."""

import gc
import io
import json
import re
import threading
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_web.analysis.folders import folder_test_store
from fer_web.analysis.folders.folder_scores import MAX_MISTAKES, ImagePrediction, score_folder
from fer_web.analysis.folders.folder_test_rows import FolderTestRows
from fer_web.analysis.folders.folder_test_store import FolderTestLimits, FolderTestStore, TestedWith
from fer_web.analysis.folders.labelled_images import labelled_image
from fer_web.errors import ImageError, NotFoundError, TooManyJobsError
from fer_web.history.repository import open_history
from fer_web.labels import EMOTIONS
from fer_web.web.api import folder_tests as folder_test_api
from tests.support.analysing import analysing_application

API = "/api/v1/folder-tests"
FROM_HERE = {"Origin": "http://localhost"}


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    with analysing_application(tmp_path_factory.mktemp("folders")) as built:
        yield built


class Browser:
    def __init__(self, application):
        self.client = application.flask.test_client()
        self.client.get("/")

    def begin(self, body=None):
        return self.client.post(API, json={} if body is None else body, headers=FROM_HERE)

    def send(self, test, path, data, **options):
        options = {"content_type": "image/png", **options}
        return self.client.post(
            f"{API}/{test}/images", query_string={"path": path}, data=data, headers=FROM_HERE, **options
        )

    def get(self, test, part=""):
        return self.client.get(f"{API}/{test}{part}")

    def delete(self, test):
        return self.client.delete(f"{API}/{test}", headers=FROM_HERE)


@pytest.fixture
def browser(application):
    return Browser(application)


def looks(expression):
    """An image that the classifier takes for this expression."""
    grey = np.full((48, 48), 30 * EMOTIONS.index(expression) + 15, np.uint8)
    return cv2.imencode(".png", grey)[1].tobytes()


def code_of(answer):
    assert answer.mimetype == "application/json"
    assert set(answer.json["error"]) == {"code", "message", "retryable"}
    return answer.status_code, answer.json["error"]["code"]


SENT = (
    ("happy/1.png", "happy", "right"),
    ("set/test/Happiness/2.png", "sad", "wrong"),
    ("sad\\3.png", "sad", "right"),
    ("fear/4.png", "neutral", "wrong"),
    ("contempt/5.png", "happy", "apart"),
)


def test_images_become_the_commands_report(browser):
    begun = browser.begin({"faces": "whole", "name": "../my photos"})
    assert (begun.status_code, begun.json["images"], begun.json["name"]) == (201, 0, "my photos")
    test = begun.json["id"]
    assert begun.headers["Location"] == f"{API}/{test}"
    for number, (path, said, outcome) in enumerate(SENT, 1):
        answer = browser.send(test, path, looks(said)).json
        assert (answer["images"], answer["outcome"], answer["label"]) == (number, outcome, said)
    report = browser.get(test).json
    assert (report["images"], report["scored"], report["accuracy"]) == (5, 4, 0.5)
    assert 0 <= report["accuracy_original"] <= 1
    assert "accuracy_original" in report["difference"]
    assert report["contempt"] == {"count": 1, "labels": {"happy": 1}, "unsure": 0, "said": None}
    assert report["shown"]["confusion"][EMOTIONS.index("happy")][EMOTIONS.index("sad")] == 1
    assert {each["file"] for each in report["mistakes"]} == {"set/test/Happiness/2.png", "fear/4.png"}
    assert set(score_folder([])) <= set(report)
    text = browser.get(test, "/report.txt")
    assert text.text.startswith("my photos: 5 images, 4 of them scored")
    assert browser.delete(test).status_code == 204
    assert code_of(browser.get(test)) == (404, "not_found")


def test_the_plots_are_pictures_to_download(browser):
    test = browser.begin({"faces": "whole"}).json["id"]
    for part in ("/confusion.png", "/mistakes.jpg"):
        assert code_of(browser.get(test, part)) == (409, "not_ready")
    for path, said, _ in SENT:
        browser.send(test, path, looks(said))
    for part, kind in (("/confusion.png", "PNG"), ("/mistakes.jpg", "JPEG")):
        answer = browser.get(test, part)
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{part[1:]}"'
        with Image.open(io.BytesIO(answer.data)) as picture:
            assert picture.format == kind
    browser.delete(test)


def test_an_image_that_is_sent_again_counts_once(browser):
    test = browser.begin({"faces": "whole"}).json["id"]
    for said in ("sad", "happy"):
        assert browser.send(test, "happy/1.png", looks(said)).json["images"] == 1
    assert browser.get(test).json["accuracy"] == 1
    browser.delete(test)


def test_an_image_that_cannot_be_read_counts_apart_and_the_others_go_on(browser):
    test = browser.begin({"faces": "whole"}).json["id"]
    for data, code in ((b"", "empty_image"), (b"text", "not_an_image"), (looks("sad")[:60], "bad_image")):
        answer = browser.send(test, f"sad/{code}.png", data).json
        assert (answer["outcome"], answer["error"]["code"], answer["label"]) == ("error", code, None)
    assert browser.send(test, "sad/good.png", looks("sad")).json["outcome"] == "right"
    report = browser.get(test).json
    assert (report["images"], report["scored"], report["accuracy"]) == (4, 1, 1)
    assert [each["error"]["code"] for each in report["unreadable"]] == [
        "empty_image",
        "not_an_image",
        "bad_image",
    ]
    browser.delete(test)


def test_errors_keep_no_image_in_memory(browser):
    test = browser.begin({"faces": "whole"}).json["id"]
    mark = b"\x89PNG" + b"a mark of this test" * 500
    browser.send(test, "sad/1.png", mark)
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, bytes) and each == mark]
    assert not [
        name
        for frame in (each for each in gc.get_objects() if type(each).__name__ == "traceback")
        for name, value in frame.tb_frame.f_locals.items()
        if isinstance(value, bytes) and value == mark
    ]
    browser.delete(test)


def test_a_form_brings_an_image_too(browser):
    test = browser.begin({"faces": "whole"}).json["id"]
    form = {"image": (io.BytesIO(looks("fear")), "x.png")}
    answer = browser.send(test, "fear/x.png", form, content_type="multipart/form-data")
    assert answer.json["outcome"] == "right"
    browser.delete(test)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "bad_value"),
        ("x" * 301, "bad_value"),
        ("1.png", "bad_folder"),
        ("3/1.png", "bad_folder"),
        ("happy", "bad_folder"),
        ("../..", "bad_folder"),
        ("test/happyish/1.png", "bad_folder"),
    ],
)
def test_a_path_that_says_nothing_is_refused(browser, path, code):
    test = browser.begin().json["id"]
    answer = browser.send(test, path, looks("sad"))
    assert code_of(answer) == (400, code)
    assert "happy/1.jpg" in answer.json["error"]["message"]
    assert browser.get(test).json["images"] == 0
    browser.delete(test)


@pytest.mark.parametrize(
    "path", ["happy/a\0\r\n\u202eb.png", "../../../happy/ab.png", "C:\\x\\happy\\ab.png"]
)
def test_odd_names_are_made_harmless(browser, path):
    test = browser.begin({"faces": "whole"}).json["id"]
    shown = browser.send(test, path, looks("sad")).json["path"]
    assert re.fullmatch(r"(C:/x/)?happy/ab\.png", shown)
    assert shown in json.dumps(browser.get(test).json["mistakes"])
    browser.delete(test)


@pytest.mark.parametrize("body", [{"faces": "half"}, {"faces": 3}, {"name": ["x"]}])
def test_other_values_are_refused(browser, body):
    assert code_of(browser.begin(body)) == (400, "bad_value")


def test_unknown_keys_are_refused(browser):
    assert code_of(browser.begin({"path": "x"})) == (400, "bad_message")


def test_tests_of_others_are_not_there_and_too_many_are_refused(application, browser):
    tests = [browser.begin().json["id"] for _ in range(3)]
    assert code_of(browser.begin()) == (429, "too_many_jobs")
    outsider = Browser(application)
    for answer in (
        outsider.get(tests[0]),
        outsider.get(tests[0], "/report.txt"),
        outsider.delete(tests[0]),
        outsider.send(tests[0], "sad/1.png", looks("sad")),
    ):
        assert code_of(answer) == (404, "not_found")
    assert outsider.begin().status_code == 201
    for test in tests:
        browser.delete(test)


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def book(**limits):
    clock = Clock()
    return FolderTestStore(TestedWith("m", "0" * 64, None), FolderTestLimits(**limits), clock), clock


def test_a_test_is_forgotten_when_nobody_uses_it():
    tests, clock = book(idle_s=100, of_owner=1, tests=1)
    kept = tests.begin("ann", "x", "auto")
    with pytest.raises(TooManyJobsError, match="1 folder tests are under way"):
        tests.begin("bob", "x", "auto")
    clock.now_s = 90
    tests.get(kept.id, "ann")
    clock.now_s = 180
    tests.get(kept.id, "ann")
    clock.now_s = 281
    with pytest.raises(NotFoundError, match="nobody used it for 2 minutes"):
        tests.get(kept.id, "ann")
    assert tests.begin("bob", "x", "auto").owner == "bob"


def test_only_the_faces_of_the_worst_mistakes_are_kept():
    tests, _ = book()
    test = tests.begin("ann", "x", "whole")
    crop = np.zeros((4, 4, 1), np.uint8)
    for number in range(1000):
        confidence = (number * 37 % 1000) / 1000
        image = labelled_image(f"sad/{number}.png")
        tests.add(test, ImagePrediction(image, faces=1, label="happy", confidence=confidence, crop=crop))
    kept = [each for each in test.predictions.values() if each.crop is not None]
    assert len(kept) <= 2 * MAX_MISTAKES
    worst = tests.mistakes(test)
    assert [each.confidence for each in worst] == [(999 - place) / 1000 for place in range(MAX_MISTAKES)]


def test_a_test_takes_so_many_images():
    tests, _ = book(images=0)
    with pytest.raises(TooManyJobsError, match="Begin another one"):
        tests.check_room(tests.begin("ann", "x", "auto"))


def test_new_cookies_give_no_further_tests():
    tests, _ = book(of_client=2)
    for owner in ("ann", "bob"):
        tests.begin(owner, "x", "auto", "address")
    with pytest.raises(TooManyJobsError, match="2 folder tests are under way"):
        tests.begin("cem", "x", "auto", "address")
    assert tests.begin("dora", "x", "auto", "another").owner == "dora"


@pytest.mark.parametrize("limits", [{"images_of_client": 2}, {"all_images": 2}])
def test_all_tests_together_take_so_many_images(limits):
    tests, _ = book(**limits)
    first, second = (tests.begin(owner, "x", "auto", "address") for owner in ("ann", "bob"))
    for number in range(2):
        tests.check_room(second)
        tests.add(first, ImagePrediction(labelled_image(f"sad/{number}.png")))
    with pytest.raises(TooManyJobsError, match="2 images together"):
        tests.check_room(second)


def test_a_long_report_holds_up_no_other_thread():
    report = {"unreadable": [{"file": "a" * 200, "error": {"code": "x"}} for _ in range(40_000)]}
    is_over = threading.Event()
    turns_s = []

    def watch():
        while not is_over.is_set():
            time.sleep(0.001)
            turns_s.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started_s = time.monotonic()
    text = folder_test_api._as_json(report)
    ended_s = time.monotonic()
    is_over.set()
    watcher.join()
    assert json.loads(text) == report
    # Made at once, in C, it left other threads no turn but one before and one after.
    assert sum(started_s < turn_s < ended_s for turn_s in turns_s) >= 5


def test_a_test_is_there_after_a_restart_with_all_that_was_said(tmp_path):
    engine = open_history("", tmp_path).engine
    wrong = a_prediction(
        "happy/1.png", label="sad", confidence=0.75, crop=np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    )
    right = a_prediction("sad/2.png", label="sad", original_label="fear", is_sure=True, faces=2)
    broken = a_prediction("sad/3.png", error=ImageError("It is cut short."))
    store = kept_store(engine)
    test = store.begin("ann", "My faces", "detect", "key k1")
    for each in (right, wrong, broken, wrong):
        count = store.add(test, each)
    assert count == 3
    again = kept_store(engine)
    found = again.get(test.id, "ann")
    assert (found.name, found.faces, found.client_key) == ("My faces", "detect", "key k1")
    assert again.report(found) == store.report(test)
    (mistake,) = again.mistakes(found)
    assert (mistake.crop == wrong.crop).all()
    with pytest.raises(NotFoundError):
        kept_store(engine).get(test.id, "bob")
    again.remove(test.id, "ann")
    with pytest.raises(NotFoundError):
        kept_store(engine).get(test.id, "ann")
    engine.dispose()


def test_of_many_mistakes_the_worst_alone_keep_their_crops_in_the_database(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_test_store, "_TRIM_AT", 3)
    monkeypatch.setattr(
        folder_test_store, "worst_mistakes", lambda found: sorted(found, key=lambda e: -e.confidence)[:2]
    )
    engine = open_history("", tmp_path).engine
    store = kept_store(engine)
    test = store.begin("ann", "x", "detect")
    for number in range(4):
        crop = np.full((2, 2, 1), number, np.uint8)
        store.add(test, a_prediction(f"happy/{number}.png", label="sad", confidence=number / 10, crop=crop))
    found = kept_store(engine).get(test.id, "ann")
    assert sorted(path for path, each in found.predictions.items() if each.crop is not None) == [
        "happy/2.png",
        "happy/3.png",
    ]
    engine.dispose()


def a_prediction(path, **values):
    return ImagePrediction(labelled_image(path), **{"faces": 1, "framing": "detect", **values})


def kept_store(engine):
    return FolderTestStore(TestedWith("m", "0" * 64, None), rows=FolderTestRows(engine))
