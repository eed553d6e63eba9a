"""Who watches gets what the link shows: the hub with a fake outlet, and the namespace with a test client."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fer_web.errors import NotFoundError
from fer_web.inference.results import FrameResult
from fer_web.realtime.watch_board import MAX_NAMES, WatchBoard
from fer_web.realtime.watching import MAX_UNREAD_PACKETS, NAMESPACE, WatchHub
from fer_web.sharing.types import Link
from fer_web.vision.frames import encode_jpeg
from tests.support.fakes.pipelines import HAPPY

JPEG = encode_jpeg(np.zeros((4, 8, 3), np.uint8))
OTHER_JPEG = encode_jpeg(np.full((4, 8, 3), 200, np.uint8))
LINK = Link("link", "watch", "For the class", 0.0, 1000.0, owner="ann")
WAIT_S = 60


class FakeOutlet:
    """Keeps what is sent, by client; `unread` packets wait for a client."""

    def __init__(self):
        self.sent = []
        self.encoded = 0
        self.unread = {}
        self.closed = {}

    def emit(self, event, *arguments, to, namespace):
        self.encoded += 1
        self.sent += [(namespace, sid, event, *arguments) for sid in to]

    def queued_packets(self, sid, namespace="/"):
        return self.unread.get(sid, 0)

    def close(self, sid, error, namespace="/"):
        self.closed[sid] = (namespace, error.code)

    def of(self, sid):
        return [entry[2:] for entry in self.sent if entry[1] == sid]


class Stage:
    """A hub whose sender is turned by hand, with a clock that is set by hand."""

    def __init__(self):
        self.now_s = 0.0
        self.links = {LINK.id: LINK}
        self.outlet = FakeOutlet()
        self.hub = WatchHub(
            self.outlet,
            SimpleNamespace(run_native=lambda function: function()),
            lambda: "ann",
            self._link,
            clock=lambda: self.now_s,
            wall_clock=lambda: self.now_s,
        )
        self.hub.page_arrived("page")
        self.hub.stream_began("page")

    def _link(self, link_id):
        if link_id not in self.links:
            raise NotFoundError("There is no such link.")
        return self.links[link_id]

    def watch(self, sid="watcher", visitor="bob", link=LINK):
        self.links[link.id] = link
        self.hub.watcher_arrived(sid, visitor, link)
        self.turn()

    def result(self, jpeg=JPEG, captured_s=1.5):
        self.hub.observe("page", captured_s, FrameResult((HAPPY,), {"total": 1.0}), jpeg)

    def turn(self):
        """Send what is due a second later."""
        self.now_s += 1
        for due in self.hub._board.take_due(self.now_s):
            self.hub._send(due)

    def change_link(self, **changes):
        self.links[LINK.id] = replace(self.links[LINK.id], **changes)
        self.hub.link_changed(self.links[LINK.id])


@pytest.fixture
def stage():
    return Stage()


def test_watcher_gets_state_and_the_page_is_told(stage):
    stage.watch()
    assert stage.outlet.sent == [
        (
            NAMESPACE,
            "watcher",
            "state",
            {"live": True, "video": False, "name": "For the class", "watchers": 1},
        ),
        ("/", "page", "watched", {"watchers": 1, "video": False}),
    ]


def test_view_has_the_faces_as_a_frames_answer_has_them_and_no_picture(stage):
    stage.watch()
    stage.outlet.sent.clear()
    stage.result()
    stage.turn()
    ((event, view),) = stage.outlet.of("watcher")
    assert event == "view"
    assert (view["captured_ms"], view["people"], view["size"]) == (1500.0, 1, [8, 4])
    assert view["faces"][0]["label"] == "happy"
    assert view["faces"][0]["box"] == [0.1, 0.2, 0.3, 0.4]


def test_watchers_see_what_people_are_called_as_long_as_the_stream_lasts(stage):
    stage.watch()
    stage.hub.person_named("page", 1, "Ann")
    stage.hub.person_named("page", 2, "nobody in view")
    names = []
    for name in (None, "", "Bob"):
        if name is not None:
            stage.hub.person_named("page", 1, name)
        stage.result()
        stage.turn()
        names.append(stage.outlet.of("watcher")[-1][1]["faces"][0].get("name"))
    assert names == ["Ann", None, "Bob"]
    stage.hub.stream_ended("page")
    stage.hub.stream_began("page")
    stage.result()
    stage.turn()
    assert "name" not in stage.outlet.of("watcher")[-1][1]["faces"][0]


def test_names_of_a_stream_are_bounded_and_a_page_without_a_stream_has_none():
    board = WatchBoard()
    board.add_page("page", "ann")
    board.name_person("page", 1, "too early")
    board.begin_stream("page")
    for face in range(MAX_NAMES + 5):
        board.name_person("page", face, "x")
    (due,) = board.take_due(1.0)
    assert list(due.names) == list(range(5, MAX_NAMES + 5))


def test_picture_goes_to_the_links_with_video_alone_and_is_encoded_once_for_all(stage):
    with_video = replace(LINK, id="video", video=True)
    stage.watch("plain")
    for number in range(20):
        stage.watch(f"video {number}", visitor=f"v{number}", link=with_video)
    stage.outlet.sent.clear()
    stage.outlet.encoded = 0
    stage.result(JPEG)
    stage.turn()
    assert [len(entry) for entry in stage.outlet.of("plain")] == [2]
    assert all(stage.outlet.of(f"video {number}")[0][2] == JPEG for number in range(20))
    assert stage.outlet.encoded == 2


def test_page_is_told_of_the_picture_as_long_as_one_of_the_links_shows_it(stage):
    other = replace(LINK, id="other", video=True)
    stage.watch()
    stage.watch("seer", "eve", other)
    assert stage.outlet.of("page")[-1] == ("watched", {"watchers": 2, "video": True})
    stage.links["other"] = replace(other, video=False)
    stage.hub.link_changed(stage.links["other"])
    stage.turn()
    assert stage.outlet.of("page")[-1] == ("watched", {"watchers": 2, "video": False})


def test_video_that_is_switched_off_ends_with_the_next_view_even_one_that_waited(stage):
    stage.watch(link=replace(LINK, video=True))
    stage.result(JPEG)
    stage.turn()
    stage.result(OTHER_JPEG)
    stage.outlet.sent.clear()
    stage.change_link(video=False)
    stage.turn()
    assert OTHER_JPEG not in [
        part for entry in stage.outlet.sent for part in entry if isinstance(part, bytes)
    ]
    assert ("watched", {"watchers": 1, "video": False}) in stage.outlet.of("page")
    assert stage.outlet.of("watcher")[0][1]["video"] is False


@pytest.mark.parametrize("changes", [{"ended": "revoked"}, {"ended": "stopped"}, {"expires_s": 1.5}])
def test_link_that_is_over_shows_nothing_from_that_moment(stage, changes):
    stage.watch(link=replace(LINK, video=True))
    stage.outlet.sent.clear()
    stage.change_link(**changes)
    stage.result()
    stage.turn()
    assert stage.outlet.of("watcher") == []
    assert stage.outlet.of("page") == [("watched", {"watchers": 1, "video": False})]


def test_link_that_is_gone_shows_nothing(stage):
    stage.watch()
    stage.outlet.sent.clear()
    del stage.links[LINK.id]
    stage.result()
    stage.turn()
    assert stage.outlet.of("watcher") == []


@pytest.mark.parametrize("other", [replace(LINK, kind="join", owner=None), replace(LINK, owner="carol")])
def test_change_of_a_link_that_nobody_watches_by_is_no_news(stage, other):
    stage.watch()
    stage.outlet.sent.clear()
    stage.hub.link_changed(other)
    stage.turn()
    assert stage.outlet.sent == []


def test_watcher_that_does_not_read_is_ended_and_the_others_go_on(stage):
    stage.watch("slow")
    stage.watch("quick", visitor="carol")
    stage.outlet.sent.clear()
    stage.outlet.unread = {"slow": MAX_UNREAD_PACKETS + 1, "quick": MAX_UNREAD_PACKETS}
    stage.result()
    stage.turn()
    assert stage.outlet.closed == {"slow": (NAMESPACE, "slow_reader")}
    assert [entry[1] for entry in stage.outlet.sent] == ["quick"]


def test_stream_that_stops_and_begins_again_is_told(stage):
    stage.watch()
    stage.outlet.sent.clear()
    stage.hub.stream_ended("page")
    stage.turn()
    stage.hub.stream_began("page")
    stage.turn()
    states = [arguments[0]["live"] for event, *arguments in stage.outlet.of("watcher") if event == "state"]
    assert states == [False, True]


def test_page_without_an_owner_is_not_shown():
    stage = Stage()
    stage.hub._owner_of_request = lambda: None
    stage.hub.page_arrived("anonymous")
    stage.watch()
    assert stage.outlet.of("anonymous") == []


def test_run_sends_from_its_own_thread_at_once_and_ends_with_stop():
    stage = Stage()
    threads = []
    is_sent = threading.Event()
    emit = stage.outlet.emit

    def emit_from(*arguments, **options):
        threads.append(threading.current_thread())
        emit(*arguments, **options)
        is_sent.set()

    stage.outlet.emit = emit_from
    stage.now_s = 100
    sender = threading.Thread(target=stage.hub.run)
    sender.start()
    stage.hub.watcher_arrived("watcher", "bob", LINK)
    assert is_sent.wait(WAIT_S)
    stage.hub.stop()
    sender.join(WAIT_S)
    assert not sender.is_alive()
    assert set(threads) == {sender}


def test_run_goes_on_after_a_failure():
    stage = Stage()
    is_sent = threading.Event()
    fails = iter([True, False])

    def emit(*_arguments, **_options):
        if next(fails, False):
            raise OSError("gone")
        is_sent.set()

    stage.outlet.emit = emit
    sender = threading.Thread(target=stage.hub.run)
    sender.start()
    stage.hub.watcher_arrived("watcher", "bob", LINK)
    for number in range(2000):
        stage.now_s = 100.0 + number
        stage.hub.link_changed(LINK)
        if is_sent.wait(0.05):
            break
    assert is_sent.is_set()
    stage.hub.stop()
    sender.join(WAIT_S)
