"""The board of one process, which knows the streams and watchers of another."""

import pytest

from fer_web.realtime.watch_board import OwnStream, View, WatchBoard, WatcherAt

VIEW = View(0.0, None, b"jpeg", {"faces": []})


@pytest.fixture
def board():
    return WatchBoard()


def test_a_stream_elsewhere_is_live_here_and_its_views_are_sent(board):
    board.add_watcher("w", visitor="v", link="l", owner="anna")
    board.set_elsewhere("p1", [OwnStream("s", "anna", False)], [])
    assert board.own_streams() == []
    assert board.put_view("p1/s", VIEW)
    (due,) = board.take_due(0.0)
    assert (due.is_live, due.view, due.watchers, due.pages) == (True, VIEW, {"l": ("w",)}, ())
    board.set_elsewhere("p1", [], [])
    assert not board.put_view("p1/s", VIEW)
    (due,) = board.take_due(1.0)
    assert (due.is_live, due.has_changed) == (False, True)


def test_watchers_elsewhere_count_and_make_a_view_due_for_them(board):
    board.add_page("s", "anna")
    board.begin_stream("s")
    board.set_elsewhere("p1", [], [WatcherAt("v", "l", "anna"), WatcherAt("v", "m", "anna")])
    board.set_elsewhere("p2", [], [WatcherAt("w", "l", "anna")])
    assert board.put_view("s", VIEW)
    (due,) = board.take_due(0.0)
    assert (due.people, due.links_elsewhere, due.watchers, due.stream) == (2, {"l", "m"}, {}, "s")
    board.set_elsewhere("p1", [], [])
    board.set_elsewhere("p2", [], [])
    assert not board.put_view("s", VIEW)
    assert board.own_streams() == [OwnStream("s", "anna", False)]


def test_the_newest_of_all_processes_is_shown_and_followers_go_to_it(board):
    board.add_follower("f", visitor="v", link="host")
    board.add_page("s", "anna", is_local=True)
    board.begin_stream("s")
    assert [each.owner for each in board.own_watchers()] == ["anna"]
    board.set_elsewhere("p1", [OwnStream("t", "ben", True)], [])
    assert [each.owner for each in board.own_watchers()] == ["ben"]
    board.set_elsewhere("p1", [], [])
    assert [each.owner for each in board.own_watchers()] == ["anna"]


def test_nothing_is_kept_of_processes_that_are_gone(board):
    streams, watchers = [OwnStream("t", "ben", True)], [WatcherAt("v", "l", "anna")]
    for _ in range(3):
        board.set_elsewhere("p1", streams, watchers)
        board.set_elsewhere("p1", [], [])
    assert board.take_due(1e9) == []
    assert vars(board)["_scenes"] == {}
    assert vars(board)["_streams_elsewhere"] == {}
    assert vars(board)["_owner_of_page"] == {}
