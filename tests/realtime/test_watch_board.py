import itertools

import pytest

from fer_web.inference.results import FrameResult
from fer_web.realtime.watch_board import INTERVAL_S, View, WatchBoard


def view(number=1):
    return View(float(number), FrameResult((), {}), b"jpeg %d" % number)


@pytest.fixture
def board():
    """Ann has a page that streams, and nobody watches; what that changed has been told."""
    built = WatchBoard()
    built.add_page("page", "ann")
    built.begin_stream("page")
    built.take_due(0)
    return built


def watch(board, sid="watcher", visitor="bob", link="link", now_s=1):
    """A watcher arrives; returns what is then due."""
    board.add_watcher(sid, visitor=visitor, link=link, owner="ann")
    (due,) = board.take_due(now_s)
    return due


def follow(board):
    board.add_follower("obs", visitor="host", link="host")


def scenes(board, now_s):
    """By owners' pages: who watches and whether it is live."""
    return {due.pages: (due.people, due.is_live) for due in board.take_due(now_s)}


def test_follower_waits_for_the_first_stream_of_this_machine():
    board = WatchBoard()
    follow(board)
    (due,) = board.take_due(0)
    assert (due.watchers, due.pages, due.is_live) == ({"host": ("obs",)}, (), False)
    board.add_page("page", "ann", is_local=True)
    board.add_page("far", "bob")
    for sid in ("far", "page"):
        board.begin_stream(sid)
        board.put_view(sid, view())
    assert scenes(board, 1) == {("page",): (1, True), ("far",): (0, True)}


def test_follower_goes_to_the_newest_stream_and_back_when_it_ends():
    board = WatchBoard()
    for page, owner in (("first", "ann"), ("second", "bob")):
        board.add_page(page, owner, is_local=True)
        board.begin_stream(page)
    follow(board)
    assert scenes(board, 0) == {("first",): (0, True), ("second",): (1, True)}
    assert not board.put_view("first", view())
    assert board.put_view("second", view())
    board.remove_page("second")
    assert scenes(board, 1) == {("first",): (1, True)}
    assert board.put_view("first", view())
    board.end_stream("first")
    assert scenes(board, 2) == {("first",): (1, False)}
    board.remove_watcher("obs")
    board.remove_page("first")
    assert board.next_due_s() is None


def test_follower_that_left_is_led_nowhere():
    board = WatchBoard()
    follow(board)
    board.remove_watcher("obs")
    board.add_page("page", "ann", is_local=True)
    board.begin_stream("page")
    assert scenes(board, 0) == {("page",): (0, True)}


def test_nothing_is_due_at_first():
    assert WatchBoard().next_due_s() is None
    assert WatchBoard().take_due(5) == []


def test_page_learns_at_once_that_nobody_watches():
    board = WatchBoard()
    board.add_page("page", "ann")
    (due,) = board.take_due(0)
    assert (due.pages, due.people, due.is_live, due.has_changed) == (("page",), 0, False, True)
    assert board.next_due_s() is None


def test_views_of_a_stream_that_nobody_watches_are_not_kept(board):
    assert not board.put_view("page", view())
    watch(board)
    assert board.next_due_s() is None


def test_watcher_hears_the_state_and_then_views(board):
    due = watch(board)
    assert (due.watchers, due.people, due.is_live, due.view) == ({"link": ("watcher",)}, 1, True, None)
    assert board.put_view("page", view(1))
    (due,) = board.take_due(1)
    assert (due.view, due.has_changed) == (view(1), False)


def test_newest_view_replaces_one_that_waits_and_ten_a_second_are_due(board):
    watch(board)
    seen, is_free = [], True
    for number in range(60):
        assert board.put_view("page", view(number)) == is_free
        due = board.take_due(2 + number / 30)
        is_free = bool(due)
        seen += [each.view.captured_s for each in due]
    assert 18 <= len(seen) <= 20
    assert all(later - earlier >= 3 for earlier, later in itertools.pairwise(seen))
    # The one that waits is the newest, whatever came before it.
    board.put_view("page", view(100))
    board.put_view("page", view(101))
    (due,) = board.take_due(10)
    assert due.view == view(101)


def test_next_due_is_when_the_interval_is_over(board):
    watch(board)
    board.put_view("page", view())
    board.take_due(5)
    board.put_view("page", view())
    assert board.next_due_s() == 5 + INTERVAL_S
    assert board.take_due(5 + INTERVAL_S / 2) == []


def test_visitor_with_two_tabs_is_one_person(board):
    watch(board, "tab 1", now_s=1)
    due = watch(board, "tab 2", now_s=2)
    assert due.people == 1
    due = watch(board, "other", visitor="carol", link="another link", now_s=3)
    assert (due.people, due.watchers) == (2, {"link": ("tab 1", "tab 2"), "another link": ("other",)})


def test_stream_that_ends_takes_its_waiting_view_with_it_and_a_late_result_is_dropped(board):
    watch(board)
    board.put_view("page", view())
    board.end_stream("page")
    assert not board.put_view("page", view()), "computed while the stream ended"
    (due,) = board.take_due(2)
    assert (due.is_live, due.view, due.has_changed) == (False, None, True)


def test_watcher_who_waits_sees_a_stream_that_begins_again_at_once(board):
    board.end_stream("page")
    assert not watch(board).is_live
    assert board.begin_stream("page")
    assert not board.begin_stream("page"), "known"
    board.put_view("page", view())
    (due,) = board.take_due(1 + INTERVAL_S)
    assert (due.is_live, due.view) == (True, view())


def test_newest_stream_of_the_owner_is_shown_and_the_older_one_after_it(board):
    watch(board)
    board.add_page("second", "ann")
    board.begin_stream("second")
    assert not board.put_view("page", view(1))
    assert board.put_view("second", view(2))
    board.remove_page("second")
    (due,) = board.take_due(2)
    assert (due.is_live, due.view, due.pages) == (True, None, ("page",))
    assert board.put_view("page", view(3))


def test_another_owners_stream_is_not_shown(board):
    watch(board)
    board.add_page("foreign", "carol")
    board.begin_stream("foreign")
    assert not board.put_view("foreign", view())


def test_result_of_an_unknown_client_is_ignored(board):
    watch(board)
    assert not board.put_view("unknown", view())
    assert not board.begin_stream("unknown")
    board.end_stream("unknown")
    board.remove_page("unknown")
    board.remove_watcher("unknown")


def test_last_watcher_leaves_and_the_page_is_told(board):
    watch(board)
    board.put_view("page", view())
    board.remove_watcher("watcher")
    (due,) = board.take_due(2)
    assert (due.people, due.watchers, due.view, due.has_changed) == (0, {}, None, True)


def test_states_are_told_ten_times_a_second_at_most(board):
    told = 0
    for step in range(100):
        board.add_watcher(f"w{step}", visitor="bob", link="link", owner="ann")
        board.remove_watcher(f"w{step}")
        told += len(board.take_due(1 + step / 100))
    assert 9 <= told <= 11


def test_everything_is_forgotten_with_the_last_page_and_watcher(board):
    watch(board)
    board.remove_page("page")
    board.remove_watcher("watcher")
    assert board.next_due_s() is None
    assert board._scenes == board._owner_of_page == board._owner_of_watcher == {}
