"""Videos over HTTP, with a pipeline that finds one face in every frame at once."""

import csv
import io
import re
import time

import pytest

from fer_web.analysis.videos.job_rules import JobLimits
from fer_web.factory import create_application
from fer_web.settings import Settings
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline
from tests.support.fakes.video_tools import FramePipeline, video_tools
from tests.support.made_videos import numbered_frames, write_video

API = "/api/v1/videos"
AVI_HEAD = b"RIFF\0\0\0\0AVI LIST"
LIMIT = JobLimits().queued_of_owner


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.avi", numbered_frames(20))
    return path.read_bytes()


@pytest.fixture
def pipeline():
    return FramePipeline()


@pytest.fixture
def application(tmp_path, pipeline):
    settings = Settings(
        model=write_empty_model(tmp_path / "m"),
        async_mode="threading",
        detector="haar",
        data_dir=tmp_path / "data",
        max_video_mb=1,
        share="on",
    )
    built = create_application(settings, [InstantPipeline()], video_tools=video_tools(pipeline))
    yield built
    pipeline.is_held = False
    pipeline.go_on.release(1000)
    built.scheduler.stop()
    built.close()


class Browser:
    """A browser with a cookie of its own."""

    def __init__(self, application, address="127.0.0.1"):
        self.client = application.flask.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address
        self.client.get("/")

    def send(self, data, **arguments):
        headers = {"Origin": "http://localhost", "Content-Type": "video/x-msvideo"}
        return self.client.post(API, data=data, query_string=arguments, headers=headers)

    def send_form(self, fields, **arguments):
        headers = {"Origin": "http://localhost"}
        return self.client.post(API, data=fields, query_string=arguments, headers=headers)

    def get(self, path=""):
        return self.client.get(f"{API}{path}")

    def delete(self, job_id):
        return self.client.delete(f"{API}/{job_id}", headers={"Origin": "http://localhost"})

    def ended(self, job_id, timeout_s=300):
        end_s = time.monotonic() + timeout_s
        while (video := self.get(f"/{job_id}").json)["state"] in ("queued", "running"):
            assert time.monotonic() < end_s, video
            time.sleep(0.01)
        return video


@pytest.fixture
def browser(application):
    return Browser(application)


def code_of(answer):
    assert answer.mimetype == "application/json"
    assert set(answer.json["error"]) == {"code", "message", "retryable"}
    return answer.status_code, answer.json["error"]["code"]


def files_in(application):
    own = next(application.videos.scratch._root.glob("run-*"))
    return [path for path in own.rglob("*") if path.parent != own or path.is_dir()]


def test_a_video_is_taken_analysed_and_found_in_the_history(browser, clip):
    answer = browser.send(clip, name="../My clip.avi")
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    assert set(answer.json) == {
        "id", "name", "state", "position", "frames", "frames_total", "progress", "eta_s", "faces", "fps",
        "session", "error", "remarks", "annotated", "created_at",
    }  # fmt: skip
    assert answer.headers["Location"] == f"{API}/{answer.json['id']}"
    video = browser.ended(answer.json["id"])
    assert (video["state"], video["name"], video["frames"]) == ("finished", "My clip.avi", 20)
    assert (video["progress"], video["eta_s"], video["faces"], video["annotated"]) == (1.0, None, 1, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", video["created_at"])
    session = browser.client.get(f"/api/v1/sessions/{video['session']}").json
    assert (session["name"], session["source"], session["mine"]) == ("My clip.avi", "video", True)


@pytest.mark.parametrize("name", [None, "given.avi"])
def test_a_form_brings_one_too(browser, clip, name):
    fields = {"video": (io.BytesIO(clip), "/films/form.avi")}
    answer = browser.send_form(fields, **({"name": name} if name else {}))
    assert (answer.status_code, answer.json["name"]) == (202, name or "form.avi")
    assert browser.ended(answer.json["id"])["state"] == "finished"


def test_files_can_be_downloaded_and_go_when_it_is_removed(application, browser, clip):
    video = browser.ended(browser.send(clip, name='a"b\r\n.avi', annotated="1").json["id"])
    path = f"/{video['id']}"
    table = browser.get(f"{path}/table.csv")
    assert (table.mimetype, table.text.count("\n")) == ("text/csv", 21)
    drawn = browser.get(f"{path}/annotated")
    assert drawn.data[:4] == b"RIFF" or drawn.data[4:8] == b"ftyp"
    for answer in (table, drawn):
        assert re.fullmatch(
            r'attachment; filename="a-b(-faces)?\.\w+"', answer.headers["Content-Disposition"]
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_length == len(answer.data)
        assert answer.headers["Cache-Control"] == "no-store"
    assert (browser.delete(video["id"]).status_code, files_in(application)) == (204, [])
    for gone in (path, f"{path}/table.csv", f"{path}/annotated"):
        assert code_of(browser.get(gone)) == (404, "not_found")


def test_files_that_are_not_there_are_explained(browser, pipeline, clip):
    pipeline.is_held = True
    video = browser.send(clip, annotated="0").json["id"]
    assert code_of(browser.get(f"/{video}/table.csv")) == (409, "not_ready")
    pipeline.is_held = False
    pipeline.go_on.release(1000)
    browser.ended(video)
    answer = browser.get(f"/{video}/annotated")
    assert (code_of(answer), "annotated=1" in answer.text) == ((409, "not_ready"), True)


def test_progress_can_be_watched_and_a_running_video_cancelled(application, browser, pipeline, clip):
    pipeline.is_held = True
    video, waiting = (browser.send(clip).json["id"] for _ in range(2))
    for _ in range(6):
        assert pipeline.started.acquire(timeout=300)
        pipeline.go_on.release()
    assert pipeline.started.acquire(timeout=300)
    seen = browser.get(f"/{video}").json
    assert (seen["state"], seen["frames"], seen["frames_total"]) == ("running", 6, 20)
    assert (seen["progress"], seen["position"]) == (0.3, None)
    assert 0 <= seen["eta_s"] < 60
    assert seen["fps"] > 0
    assert browser.get(f"/{waiting}").json["position"] == 1
    assert [each["id"] for each in browser.get().json["videos"]] == [waiting, video], "newest first"
    for each in (waiting, video):
        assert browser.delete(each).status_code == 204
    pipeline.go_on.release(1000)
    assert browser.get().json == {"videos": []}
    end_s = time.monotonic() + 300
    while files_in(application):
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert browser.client.get("/api/v1/sessions").json["total"] == 0


def test_what_others_sent_is_not_there(application, browser, pipeline, clip):
    pipeline.is_held = True
    video = browser.send(clip).json["id"]
    outsider = Browser(application)
    assert outsider.get().json == {"videos": []}
    for path in (f"/{video}", f"/{video}/table.csv", f"/{video}/annotated"):
        assert code_of(outsider.get(path)) == (404, "not_found")
    assert code_of(outsider.delete(video)) == (404, "not_found")
    assert browser.get(f"/{video}").json["state"] in ("queued", "running")


def test_the_host_sees_and_cancels_what_others_sent(application, browser, pipeline, clip):
    pipeline.is_held = True
    video = browser.send(clip).json["id"]
    host = Browser(application)
    host.client.get("/", query_string={"host": application.owners.host_token})
    assert host.get().json == {"videos": []}
    assert [each["id"] for each in host.get("?everyone=1").json["videos"]] == [video]
    assert code_of(browser.get("?everyone=1")) == (403, "forbidden")
    assert host.delete(video).status_code == 204
    assert browser.get().json == {"videos": []}


def test_videos_of_a_revoked_key_are_cancelled_and_no_others(application, browser, pipeline, clip):
    pipeline.is_held = True
    kept = browser.send(clip).json["id"]
    key, text = application.keys.create("laptop")
    headers = {"Authorization": f"Bearer {text}", "Content-Type": "video/x-msvideo"}
    sent = application.flask.test_client().post(API, data=clip, headers=headers)
    assert sent.status_code == 202, sent.text
    assert application.videos.jobs.client_keys() >= {f"key {key.id}"}
    application.keys.revoke(key.id)
    end_s = time.monotonic() + 60
    while f"key {key.id}" in application.videos.jobs.client_keys():
        assert time.monotonic() < end_s
        time.sleep(0.05)
    assert [each["id"] for each in browser.get().json["videos"]] == [kept]


def test_one_video_too_many_is_refused_before_it_is_read(application, browser, pipeline, clip):
    pipeline.is_held = True
    browser.send(clip)
    assert pipeline.started.acquire(timeout=300)
    assert [browser.send(clip).status_code for _ in range(LIMIT)] == [202] * LIMIT
    before = len(files_in(application))
    answer = browser.send(clip)
    assert (code_of(answer), answer.json["error"]["retryable"]) == ((429, "too_many_jobs"), True)
    assert len(files_in(application)) == before
    assert Browser(application).send(clip).status_code == 202


BAD = {
    "empty": (b"", (400, "bad_video")),
    "text": (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n" * 100, (415, "not_a_video")),
    "an image": (b"\xff\xd8\xff\xe0" + bytes(5000), (415, "not_a_video")),
    "zeros": (bytes(300_000), (415, "not_a_video")),
}


@pytest.mark.parametrize("way", ["body", "form"])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_video_is_refused_and_leaves_nothing(application, browser, what, way):
    data, expected = BAD[what]
    answer = browser.send(data) if way == "body" else browser.send_form({"video": (io.BytesIO(data), "a")})
    assert code_of(answer) == expected
    assert answer.headers["Connection"] == "close"
    assert (files_in(application), browser.get().json) == ([], {"videos": []})
    assert sum(application.videos.jobs._uploading.values()) == 0


def test_a_video_that_is_a_little_too_large_is_told_the_limit(application, browser):
    answer = browser.send(AVI_HEAD + bytes(1_000_000))
    assert (code_of(answer), "--max-video-mb" in answer.text) == ((413, "video_too_large"), True)
    assert files_in(application) == []


def test_the_body_is_bounded_before_it_is_read(browser):
    too_long = {"CONTENT_LENGTH": "3000000000"}
    answer = browser.client.post(API, headers={"Origin": "http://localhost"}, environ_overrides=too_long)
    assert code_of(answer) == (413, "too_large")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"video": "text"},
        {"film": (io.BytesIO(AVI_HEAD), "a.avi")},
        {"video": [(io.BytesIO(AVI_HEAD), "a"), (io.BytesIO(AVI_HEAD), "b")]},
        {f"field{number}": "x" for number in range(10)},
    ],
    ids=["nothing", "a text", "another field", "two files", "many fields"],
)
def test_a_form_without_one_video_is_refused(application, browser, fields):
    headers = {"Origin": "http://localhost", "Content-Type": "multipart/form-data; boundary=x"}
    if not fields:
        answer = browser.client.post(API, data=b"--x--\r\n", headers=headers)
    else:
        answer = browser.client.post(
            API, data=fields, headers={"Origin": "http://localhost"}, content_type="multipart/form-data"
        )
    assert code_of(answer) == (400, "bad_message")
    assert files_in(application) == []


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_other_bodies_are_refused_with_an_example(application, browser, kind):
    answer = browser.client.post(
        API, data=b"{}", headers={"Origin": "http://localhost", "Content-Type": kind}
    )
    assert answer.status_code in (400, 415)
    assert "curl -F video=@" in answer.json["error"]["message"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=é"])
def test_a_damaged_form_is_refused(application, browser, kind):
    headers = {"Origin": "http://localhost", "Content-Type": kind}
    assert code_of(browser.client.post(API, data=b"--x\r\n\r\nabc", headers=headers)) == (400, "bad_message")
    assert files_in(application) == []


def test_a_part_of_a_video_is_analysed_by_every_nth_frame(browser, clip):
    video = browser.ended(browser.send(clip, start="0.2", end="0.6", every="2").json["id"])
    rows = csv.DictReader(browser.get(f"/{video['id']}/table.csv").text.splitlines())
    at_s = [float(row["at_s"]) for row in rows]
    assert (video["frames"], at_s) == (3, [0.2, 0.4, 0.6])
    whole = browser.ended(browser.send(clip).json["id"])
    assert whole["frames"] == 20


@pytest.mark.parametrize(
    "part",
    [
        {"every": "0"},
        {"every": "1.5"},
        {"start": "-1"},
        {"start": "nan"},
        {"end": "0"},
        {"start": "2", "end": "2"},
    ],
)
def test_a_part_that_cannot_be_is_refused(browser, clip, part):
    assert code_of(browser.send(clip, **part)) == (400, "bad_value")


def test_another_value_of_annotated_is_refused(browser, clip):
    assert code_of(browser.send(clip, annotated="yes")) == (400, "bad_value")


def test_no_space_is_told_before_anything_is_read(application, browser, clip, monkeypatch):
    monkeypatch.setattr(application.videos.scratch, "_free_bytes", lambda _path: 1000)
    answer = browser.send(clip)
    assert (code_of(answer), "0 MB" in answer.text) == ((507, "disk_full"), True)
    assert files_in(application) == []


@pytest.mark.parametrize(("kind", "status"), [("join", 202), ("watch", 403), ("session", 403)])
def test_only_links_to_join_let_visitors_send_videos(application, clip, kind, status):
    session = None
    if kind == "session":
        host = Browser(application)
        session = host.ended(host.send(clip).json["id"])["session"]
    owner = "ann" if kind == "watch" else None
    _, token = application.links.create(kind, "a link", session=session, owner=owner)
    visitor = application.flask.test_client()
    visitor.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    secure = {"base_url": "https://localhost"}
    assert visitor.get(f"/l/{token}", **secure).status_code == 303
    headers = {"Origin": "https://localhost", "Content-Type": "video/x-msvideo"}
    answer = visitor.post(API, data=clip, headers=headers, **secure)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert visitor.get(API, **secure).status_code == 403


def test_another_sites_page_may_not_send_videos(browser, clip):
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert browser.client.post(API, data=clip, headers=headers).status_code == 403
