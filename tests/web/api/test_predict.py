import csv
import errno
import io
import tempfile
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from tests.support.analysing import MAX_BYTES, analysing_application
from tests.support.shared_application import Shared

PREDICT = "/api/v1/predict"
GREY_PNG = cv2.imencode(".png", np.full((100, 200, 3), 100, np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    with analysing_application(tmp_path_factory.mktemp("predict")) as built:
        yield built


@pytest.fixture
def client(application):
    return application.flask.test_client()


def send(client, data=GREY_PNG, kind="application/octet-stream", **arguments):
    return client.post(PREDICT, data=data, content_type=kind, query_string=arguments)


def form(client, name="a.png", field="image", **more):
    return client.post(PREDICT, data={field: (io.BytesIO(GREY_PNG), name), **more})


def code_of(answer):
    assert answer.mimetype == "application/json"
    assert set(answer.json["error"]) == {"code", "message", "retryable"}
    return answer.status_code, answer.json["error"]["code"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", "text/plain", None])
def test_bytes_are_an_image_whatever_they_are_called(client, kind):
    answer = send(client, kind=kind)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    (face,) = found["faces"]
    assert (found["file"], found["width"], found["height"], found["framing"]) == (None, 200, 100, "detect")
    assert face["box_px"] == [20, 20, 60, 60]
    assert (found["found"], found["remarks"]) == (1, [])
    assert face["label"] == max(face["scores"], key=face["scores"].get)
    assert set(found["model"]) == {"name", "hash"}


@pytest.mark.parametrize(("name", "shown"), [("../holiday/über uns.png", "über uns.png"), ("x/", None)])
def test_a_form_names_its_file(client, name, shown):
    assert form(client, name).json["file"] == shown


def test_whole_takes_the_image_for_a_face(client):
    found = send(client, faces="whole").json
    assert (found["framing"], found["faces"][0]["box"]) == ("whole", [0, 0, 1, 1])


def test_an_image_in_the_body_is_named_by_the_address(client):
    assert send(client, name="/photos/me.png").json["file"] == "me.png"


def test_csv_has_a_row_for_each_face_and_no_formula(client):
    answer = client.post(
        PREDICT, data={"image": (io.BytesIO(GREY_PNG), "=1+1.png")}, query_string="format=csv"
    )
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="1-1-faces.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["file"], row["left"], row["face_width"], row["error"]) == ("'=1+1.png", "20", "60", "")


def test_annotated_is_a_jpeg_with_the_box_drawn(client):
    answer = send(client, format="annotated")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="image-faces.jpg"'
    picture = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (200, 400, 3)  # small images are enlarged
    assert picture[..., 0].std() > 5


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_image"),
        (b"no image", 415, "not_an_image"),
        (GREY_PNG[:60], 400, "bad_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not_an_image"),
        (b"x" * (MAX_BYTES + 1), 413, "image_too_large"),
        (b"x" * (MAX_BYTES + 20_000), 413, "too_large"),
        (cv2.imencode(".png", np.zeros((300, 300), np.uint8))[1].tobytes(), 413, "image_too_large"),
    ],
)
def test_what_is_no_image_gets_a_clear_error(client, data, status, code):
    assert code_of(send(client, data)) == (status, code)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_bodies_that_are_no_files_are_refused(client, kind):
    assert code_of(send(client, b"{}", kind)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "data",
    [
        {"photo": (io.BytesIO(GREY_PNG), "a.png")},
        {"image": "text"},
        {"image": (io.BytesIO(GREY_PNG), "a.png"), "more": "text"},
        {"image": [(io.BytesIO(GREY_PNG), "a.png"), (io.BytesIO(GREY_PNG), "b.png")]},
    ],
)
def test_a_form_has_one_file(client, data):
    answer = client.post(PREDICT, data=data, content_type="multipart/form-data")
    assert code_of(answer) == (400, "bad_message")


def test_a_form_of_many_files_is_not_read_to_its_end(client):
    answer = client.post(PREDICT, data={"image": [(io.BytesIO(b"x"), "a.png") for _ in range(6)]})
    assert code_of(answer) == (400, "bad_message")
    assert "one file, in the field 'image', and nothing else" in answer.json["error"]["message"]


def test_a_form_that_is_too_large_is_told_so(client):
    answer = client.post(PREDICT, data={"image": (io.BytesIO(b"x" * (MAX_BYTES + 20_000)), "a.png")})
    assert code_of(answer) == (413, "too_large")


def test_a_form_that_is_none_is_refused(client):
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert code_of(send(client, b"--y\r\n\r\nz", kind)) == (400, "bad_message")


@pytest.mark.parametrize(
    "arguments", [{"faces": "some"}, {"heatmap": "yes"}, {"format": "xml"}, {"faces": ""}]
)
def test_values_that_are_not_allowed(client, arguments):
    assert code_of(send(client, **arguments)) == (400, "bad_value")


def test_other_methods_and_other_sites_are_refused(client):
    assert code_of(client.get(PREDICT)) == (405, "method_not_allowed")
    answer = client.post(PREDICT, data=GREY_PNG, headers={"Origin": "http://evil.example"})
    assert code_of(answer) == (403, "forbidden")


def test_programs_get_no_cookie_that_they_would_have_to_send_an_origin_with(client):
    assert "Set-Cookie" not in send(client).headers
    assert send(client).status_code == 200


def test_temporary_files_are_gone(client, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("fer_web.web.api.received_files._KEPT_IN_MEMORY_BYTES", 10)
    assert send(client).status_code == 200
    assert form(client).status_code == 200
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(client, monkeypatch):
    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", full)
    assert code_of(send(client)) == (507, "disk_full")


def test_visitors_by_a_join_link_may_and_others_may_not(tmp_path):
    shared = Shared(tmp_path)
    try:
        joined, _ = shared.visitor("join")
        watching, _ = shared.visitor("watch")
        outsider = shared.browser()
        headers = {"Origin": "http://localhost"}
        answers = [
            each.client.post(PREDICT, data=b"x", headers=headers) for each in (joined, watching, outsider)
        ]
        assert [code_of(answer) for answer in answers] == [
            (415, "not_an_image"),
            (403, "share_refused"),
            (403, "link_needed"),
        ]
        for path in ("/api/v1/health", "/api/v1/openapi.json"):
            assert joined.client.get(path).status_code == 200
            assert code_of(outsider.client.get(path)) == (403, "link_needed")
    finally:
        shared.close()


def test_heat_maps_come_with_each_face_when_asked_for(client):
    (face,) = send(client, heatmap="1").json["faces"]
    assert set(face["heatmap"]) == {"side", "corners", "values", "method"}
    assert face["heatmap"]["values"]["happy"] == [255, 0, 255, 0]
    assert "heatmap" not in send(client, heatmap="0").json["faces"][0]
    assert "heatmap" not in send(client).json["faces"][0]
