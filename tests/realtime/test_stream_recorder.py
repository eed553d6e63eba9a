"""Recording over Socket.IO: events of a test client, and a real server that is killed."""

import sqlite3
import threading
import time

import pytest
import requests
import socketio

from fer_web.factory import create_application
from fer_web.history.recorder import BATCH_S
from fer_web.history.repository import open_history
from fer_web.history.types import Person, SessionFilter
from fer_web.settings import Settings
from fer_web.vision.frames import encode_jpeg
from tests.support.clients import send, socket_client
from tests.support.faces import camera_frame_bgr
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline
from tests.support.servers import ServerProcess

WAIT_S = 60


@pytest.fixture
def application(tmp_path):
    settings = Settings(
        model=write_empty_model(tmp_path / "model"),
        async_mode="threading",
        detector="haar",
        data_dir=tmp_path / "data",
    )
    built = create_application(settings, [InstantPipeline()])
    yield built
    built.scheduler.stop()
    built.close()


class Browser:
    """A test client with the cookie of an owner, that films at a camera's pace."""

    def __init__(self, application, owner="ann"):
        cookies = {application.owners.owner_cookie: application.owners.signed(owner)} if owner else {}
        self.client = socket_client(application, cookies=cookies)
        self._seq = 0

    def call(self, event, *arguments):
        return self.client.emit(event, *arguments, callback=True)

    def record(self, **message):
        return self.call("record", {"on": True, **message})

    def film_until(self, event):
        """Send frames until this event comes; returns its data."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            self._seq += 1
            header = {"seq": self._seq, "captured_ms": time.monotonic() * 1000}
            assert self.call("frame", header, b"x")["dropped"] is None
            for received in self.client.get_received():
                if received["name"] == event:
                    return received["args"][0]
            time.sleep(0.05)
        raise AssertionError(f"no {event} came")


@pytest.fixture
def ann(application):
    return Browser(application)


def sessions_of(application, owner="ann"):
    return application.history.list_sessions(SessionFilter(), owner).sessions


def test_record_opens_a_session_of_the_cookies_owner(application, ann):
    reply = ann.record(name="A film")
    assert sessions_of(application) == (), "its row comes with its first sample"
    ann.film_until("saved")
    (session,) = sessions_of(application)
    assert reply == {"session": session.id, "sample_hz": 5.0}
    assert (session.name, session.state, session.model_name) == ("A film", "running", "tiny")
    assert session.settings["detector"] == "haar"
    assert len(session.model_hash) == 64


def test_saved_says_what_is_stored(application, ann):
    session_id = ann.record()["session"]
    saved = ann.film_until("saved")
    assert saved["session"] == session_id
    table = application.history.read_samples(session_id, "ann")
    # The next batch may have followed.
    assert saved["samples"] <= len(table)
    assert saved["until_s"] == table.at_s[saved["samples"] - 1]
    assert table.scores[0].tolist() == [0, 0, 0, 1, 0, 0, 0], "raw scores, not the steadied ones"


def test_stop_finishes_the_session_before_it_is_answered(application, ann):
    ann.record()
    ann.film_until("saved")
    assert ann.call("stop", {}) == {}
    (session,) = sessions_of(application)
    assert session.state == "finished"
    assert len(session.strip) == 60


def test_frames_without_record_store_nothing(application, ann):
    ann.call("frame", {"seq": 1, "captured_ms": 1}, b"x")
    assert ann.call("stop", {}) == {}
    assert sessions_of(application) == ()


def test_pause_and_go_on(application, ann):
    session_id = ann.record()["session"]
    ann.film_until("saved")
    assert ann.call("record", {"on": False}) == {"session": session_id}
    ann.client.get_received()
    before, after = -1, 0
    # What was taken before the pause may still be stored in it; it ends, or this does not.
    while after != before:
        before = application.history.get_session(session_id, "ann").samples
        end = time.monotonic() + 2 * BATCH_S
        while time.monotonic() < end:
            ann.call("frame", {"seq": 1, "captured_ms": time.monotonic() * 1000}, b"x")
            time.sleep(0.05)
        after = application.history.get_session(session_id, "ann").samples
    assert ann.record(session=session_id)["session"] == session_id
    ann.film_until("saved")


def test_pause_of_nothing_is_null(ann):
    assert ann.call("record", {"on": False}) == {"session": None}


def test_another_connection_of_the_same_browser_goes_on_after_a_disconnect(application, ann):
    session_id = ann.record()["session"]
    ann.film_until("saved")
    ann.client.disconnect()
    assert sessions_of(application)[0].state == "running"
    again = Browser(application)
    assert again.record(session=session_id)["session"] == session_id
    again.film_until("saved")
    again.call("stop", {})
    assert [(each.id, each.state) for each in sessions_of(application)] == [(session_id, "finished")]


def test_another_owner_cannot_go_on(application, ann):
    session_id = ann.record()["session"]
    error = Browser(application, "bob").record(session=session_id)["error"]
    assert (error["code"], error["retryable"]) == ("recording_stopped", False)


@pytest.mark.parametrize("owner", ["", None])
def test_client_without_a_cookie_cannot_record_but_is_served(application, owner):
    outsider = Browser(application, owner)
    assert outsider.record()["error"]["code"] == "no_owner"
    assert outsider.call("frame", {"seq": 1, "captured_ms": 1}, b"x")["dropped"] is None


def test_forged_cookie_is_none(application):
    client = socket_client(application, cookies={application.owners.owner_cookie: "ann.forged"})
    assert client.emit("record", {"on": True}, callback=True)["error"]["code"] == "no_owner"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (None,),
        ([],),
        ({},),
        ({"on": 1},),
        ({"on": "true"},),
        ({"on": True, "session": 5},),
        ({"on": True, "name": ["x"]},),
        ({"on": True, "owner": "bob"},),
        ({"on": True}, "more"),
    ],
)
def test_malformed_record_gets_one_clear_error(application, ann, arguments):
    error = ann.call("record", *arguments)["error"]
    assert error["code"] == "bad_message"
    assert "record takes" in error["message"]
    assert sessions_of(application) == ()


@pytest.mark.parametrize(
    ("name", "words"), [("a\0b", "U+0000"), ("a" * 201, "201 characters; 200"), ("\ud800", "")]
)
def test_record_with_a_bad_name_is_refused_and_opens_nothing(application, ann, name, words):
    error = ann.record(name=name)["error"]
    assert error["code"] == "bad_value"
    assert words in error["message"]
    assert sessions_of(application) == ()


def test_sessions_are_not_opened_faster_than_anybody_would(application, ann):
    codes = [ann.record().get("error", {}).get("code") for _ in range(10)]
    assert codes[:2] == [None, None]
    assert set(codes[3:]) == {"too_many_messages"}
    assert len(sessions_of(application)) <= 3


def test_marker_names_now_or_a_given_moment(application, ann):
    session_id = ann.record()["session"]
    now = ann.call("marker", {"text": "laughs"})["marker"]
    given = ann.call("marker", {"text": "<b>", "at_s": 2.5})["marker"]
    assert 0 <= now["at_s"] < 5
    assert (given["at_s"], given["text"]) == (2.5, "<b>")
    stored = application.history.get_session(session_id, "ann").markers
    assert {(each.id, each.text) for each in stored} == {(now["id"], "laughs"), (given["id"], "<b>")}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (None, "bad_message"),
        ({}, "bad_message"),
        ({"text": 5}, "bad_message"),
        ({"text": "x", "at_s": "1"}, "bad_message"),
        ({"text": "x", "at_s": True}, "bad_message"),
        ({"text": "x", "at_s": -1}, "bad_value"),
        ({"text": "x", "at_s": 1e12}, "bad_value"),
        ({"text": "a" * 501}, "bad_value"),
        ({"text": "\0"}, "bad_value"),
        ({"text": "x", "more": 1}, "bad_message"),
    ],
)
def test_marker_that_cannot_be_is_refused(application, ann, message, code):
    ann.record()
    ann.film_until("saved")
    assert ann.call("marker", message)["error"]["code"] == code
    assert sessions_of(application)[0].markers == ()


def test_a_name_goes_to_the_face_of_the_recording(application, ann):
    session_id = ann.record()["session"]
    assert ann.call("name", {"face": 1, "name": "Ann"}) == {}
    assert application.history.get_session(session_id, "ann").people == (Person(1, "Ann"),)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"face": 1}, "bad_message"),
        ({"face": True, "name": "x"}, "bad_message"),
        ({"face": 2**31, "name": "x"}, "bad_message"),
        ({"face": 1, "name": "x" * 81}, "bad_value"),
        ({"face": 1, "name": "x", "more": 1}, "bad_message"),
    ],
)
def test_name_that_cannot_be_is_refused(application, ann, message, code):
    ann.record()
    ann.film_until("saved")
    assert ann.call("name", message)["error"]["code"] == code
    assert sessions_of(application)[0].people == ()


def test_name_without_a_recording_is_refused(ann):
    assert ann.call("name", {"face": 1, "name": "x"})["error"]["code"] == "recording_refused"


def test_marker_without_a_recording_is_refused(ann):
    assert ann.call("marker", {"text": "x"})["error"]["code"] == "recording_refused"


def test_session_deleted_while_recording_is_told_and_the_live_view_goes_on(application, ann):
    session_id = ann.record()["session"]
    ann.film_until("saved")
    application.history.delete_session(session_id, "ann")
    problem = ann.film_until("recording_problem")
    assert (problem["code"], problem["retryable"]) == ("recording_stopped", False)
    assert ann.call("frame", {"seq": 1, "captured_ms": 1}, b"x")["dropped"] is None
    assert ann.call("marker", {"text": "x"})["error"]["code"] == "recording_refused"


def test_sessions_that_a_crash_left_are_interrupted_at_the_next_start(application, ann):
    session_id = ann.record()["session"]
    ann.film_until("saved")
    application.history.mark_interrupted()
    assert application.history.get_session(session_id, "ann").state == "interrupted"


class RealBrowser:
    """A client of a real server, with the cookie that its page sets."""

    def __init__(self, url):
        cookies = requests.get(url, timeout=60).cookies
        self.owner_header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
        self.saved = []
        self.client = socketio.Client(reconnection=False, request_timeout=WAIT_S)
        self.client.on("saved", self.saved.append)
        headers = {"Cookie": self.owner_header}
        self.client.connect(url, headers=headers, transports=["websocket"], wait_timeout=WAIT_S)


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_real_server_that_is_killed_keeps_every_acknowledged_sample(tmp_path, mode):
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    with ServerProcess("--async-mode", mode, data_dir=tmp_path) as server:
        browser = RealBrowser(server.url)
        session_id = browser.client.call("record", {"on": True, "name": "A film"})["session"]
        deadline = time.monotonic() + 60
        seq = 0
        while len(browser.saved) < 4 and time.monotonic() < deadline:
            seq += 1
            send(browser.client, jpeg, seq)
            time.sleep(0.02)
        server.kill()
        saved = browser.saved[-1]
        browser.client.disconnect()
    history = open_history("", tmp_path)
    stored = history.get_session(session_id, None)
    assert stored.state == "running"
    assert stored.samples >= saved["samples"] >= 4, "one for each time that it was told"
    assert history.read_samples(session_id, None).at_s[-1] >= saved["until_s"]
    assert stored.owner
    assert stored.owner not in browser.owner_header.split("=")[0]
    history.close()
    with ServerProcess("--async-mode", mode, data_dir=tmp_path):
        history = open_history("", tmp_path)
        assert history.get_session(session_id, None).state == "interrupted"
        history.close()


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_real_server_that_is_stopped_finishes_what_it_records(tmp_path, mode):
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    with ServerProcess("--async-mode", mode, data_dir=tmp_path) as server:
        browser = RealBrowser(server.url)
        session_id = browser.client.call("record", {"on": True})["session"]
        for seq in range(5):
            send(browser.client, jpeg, seq)
            time.sleep(0.05)
        server.stop()
        browser.client.disconnect()
    history = open_history("", tmp_path)
    stored = history.get_session(session_id, None)
    assert (stored.state, stored.samples >= 1) == ("finished", True)
    history.close()


def test_hub_answers_others_while_the_database_is_locked(tmp_path):
    with ServerProcess("--async-mode", "eventlet", data_dir=tmp_path) as server:
        browser = RealBrowser(server.url)
        browser.client.call("record", {"on": True}, timeout=60)
        other = sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        replies = []
        asking = threading.Thread(
            target=lambda: replies.append(browser.client.call("marker", {"text": "x"}, timeout=60))
        )
        asking.start()
        asked_s, slowest_s = time.monotonic(), 0.0
        while asking.is_alive():
            started_s = time.monotonic()
            requests.get(f"{server.url}/healthz", timeout=60)
            slowest_s = max(slowest_s, time.monotonic() - started_s)
        waited_s = time.monotonic() - asked_s
        other.execute("ROLLBACK")
        other.close()
        browser.client.disconnect()
    assert replies[0]["error"]["code"] == "database_locked"
    assert slowest_s < waited_s / 2, "the lock is waited for in a thread of its own"


def test_frames_are_answered_while_many_wait_for_a_locked_database(tmp_path):
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    with ServerProcess("--async-mode", "eventlet", "--detector", "haar", data_dir=tmp_path) as server:
        browser = RealBrowser(server.url)
        session = browser.client.call("record", {"on": True})["session"]
        send(browser.client, jpeg, 0)
        browser.client.call("stop", {})
        other = sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        def write():
            requests.patch(
                f"{server.url}/api/v1/sessions/{session}",
                json={"name": "again"},
                headers={"Cookie": browser.owner_header, "Origin": server.url},
                timeout=120,
            )

        writers = [threading.Thread(target=write) for _ in range(60)]
        for writer in writers:
            writer.start()
        time.sleep(1)
        replies = [send(browser.client, jpeg, seq) for seq in (1, 2, 3)]
        is_waiting = sum(writer.is_alive() for writer in writers)
        other.execute("ROLLBACK")
        other.close()
        for writer in writers:
            writer.join()
        browser.client.disconnect()
    assert [reply["dropped"] for reply in replies] == [None] * 3
    assert is_waiting >= 20, "more than there are native threads, or nothing was tried"
