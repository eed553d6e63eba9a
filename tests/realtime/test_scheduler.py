import logging
import queue
import threading

import pytest

from fer_web.inference.stream_settings import SERVER_SETTINGS
from fer_web.realtime.protocol import MAX_IN_FLIGHT, FrameMessage
from fer_web.realtime.scheduler import MAX_WAITING_BYTES, FrameScheduler
from fer_web.realtime.streams import Stream
from fer_web.sharing.places import Sender
from tests.support.fakes.pipelines import HeldPipeline, InstantPipeline


class NativeThreads:
    """The threading mode without a server."""

    new_event = threading.Event
    new_queue = queue.Queue

    def spawn(self, target):
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        return thread

    def run_native(self, function, *args):
        return function(*args)


class Submitter:
    """Submits in threads of its own, as handlers do, and keeps the replies by sequence number."""

    def __init__(self, scheduler):
        self.scheduler = scheduler
        self.replies = {}
        self.threads = []

    def submit(self, stream, seq, jpeg=b"x"):
        def wait_for_reply():
            self.replies[seq] = self.scheduler.submit(stream, FrameMessage(seq, 0.0, jpeg))

        thread = threading.Thread(target=wait_for_reply)
        thread.start()
        self.threads.append(thread)

    def join(self):
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive()


@pytest.fixture
def scheduler_for():
    started = []

    def build(*pipelines, **options):
        scheduler = FrameScheduler(NativeThreads(), pipelines, **options)
        scheduler.start()
        started.append(scheduler)
        return scheduler

    yield build
    for scheduler in started:
        scheduler.stop()


def waits_for(condition):
    """Spin until another thread has come as far as the test needs; bounded by the test's time limit."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.001)


def test_submit_answers_with_the_result(scheduler_for):
    reply = scheduler_for(InstantPipeline()).submit(Stream("client", None), FrameMessage(5, 0.0, b"x"))
    assert reply.seq == 5
    assert reply.result.faces[0].label == "happy"
    assert reply.dropped is None
    assert reply.wait_ms >= 0


def submit_behind_a_held_one(scheduler, pipeline, count):
    """Frame 1 is held by its worker while `count` more come; returns their Submitter."""
    submitter, stream = Submitter(scheduler), Stream("client", None)
    submitter.submit(stream, 1, b"1")
    assert pipeline.started.acquire(timeout=60)
    for seq in range(2, 2 + count):
        came = submitter.replies.copy()
        newest = stream.waiting[-1] if stream.waiting else None
        submitter.submit(stream, seq, str(seq).encode())
        waits_for(lambda newest=newest: stream.waiting and stream.waiting[-1] is not newest)
        assert came.keys() <= submitter.replies.keys()
    return submitter


def test_submit_frame_that_waited_too_long_gives_way_to_a_newer_one(scheduler_for):
    pipeline = HeldPipeline()
    submitter = submit_behind_a_held_one(scheduler_for(pipeline, patience_s=0.0), pipeline, 3)
    pipeline.go_on.release(2)
    submitter.join()
    assert pipeline.seen == [b"1", b"4"]
    assert [submitter.replies[seq].dropped for seq in (1, 2, 3, 4)] == [
        None,
        "newer_frame",
        "newer_frame",
        None,
    ]


def test_submit_late_frame_gives_way_at_its_turn_too(scheduler_for):
    pipeline = HeldPipeline()
    submitter = submit_behind_a_held_one(scheduler_for(pipeline, patience_s=0.2), pipeline, 2)
    threading.Event().wait(0.25)
    pipeline.go_on.release(2)
    submitter.join()
    assert pipeline.seen == [b"1", b"3"]


def test_submit_frames_that_come_in_a_burst_are_all_analysed_in_order(scheduler_for):
    pipeline = HeldPipeline()
    submitter = submit_behind_a_held_one(scheduler_for(pipeline, patience_s=60.0), pipeline, 6)
    pipeline.go_on.release(7)
    submitter.join()
    assert pipeline.seen == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
    assert {reply.dropped for reply in submitter.replies.values()} == {None}


def test_submit_no_stream_keeps_more_frames_than_may_be_in_flight(scheduler_for):
    pipeline = HeldPipeline()
    submitter = submit_behind_a_held_one(
        scheduler_for(pipeline, patience_s=60.0), pipeline, MAX_IN_FLIGHT + 2
    )
    pipeline.go_on.release(MAX_IN_FLIGHT + 1)
    submitter.join()
    dropped = [seq for seq, reply in submitter.replies.items() if reply.dropped == "newer_frame"]
    assert sorted(dropped) == [2, 3]


def test_submit_streams_take_turns_whatever_their_rate(scheduler_for):
    pipeline = HeldPipeline()
    submitter = Submitter(scheduler_for(pipeline))
    fast, slow = Stream("client", None), Stream("client", None)
    submitter.submit(fast, 1, b"fast")
    assert pipeline.started.acquire(timeout=60)
    submitter.submit(fast, 2, b"fast")
    waits_for(lambda: fast.waiting)
    submitter.submit(slow, 3, b"slow")
    waits_for(lambda: slow.waiting)
    for seq in (4, 5):
        pipeline.go_on.release()
        assert pipeline.started.acquire(timeout=60)
        submitter.submit(fast, seq, b"fast")
        waits_for(lambda: fast.waiting)
    pipeline.go_on.release(10)
    submitter.join()
    assert pipeline.seen[:3] == [b"fast", b"slow", b"fast"]


def test_submit_one_stream_is_never_in_two_workers_at_once(scheduler_for):
    first, second = HeldPipeline(), HeldPipeline()
    submitter, stream = Submitter(scheduler_for(first, second)), Stream("client", None)
    submitter.submit(stream, 1)
    waits_for(lambda: first.seen or second.seen)
    submitter.submit(stream, 2)
    waits_for(lambda: stream.waiting)
    assert len(first.seen) + len(second.seen) == 1
    first.go_on.release(2)
    second.go_on.release(2)
    submitter.join()
    assert len(first.seen) + len(second.seen) == 2


def test_submit_refused_frame_gives_the_error_and_the_next_one_goes_on(scheduler_for):
    scheduler, stream = scheduler_for(InstantPipeline()), Stream("client", None)
    reply = scheduler.submit(stream, FrameMessage(1, 0.0, b"bad"))
    assert (reply.seq, reply.result) == (1, None)
    assert reply.error.to_wire() == {
        "code": "bad_frame",
        "message": "The frame is bad.",
        "retryable": False,
    }
    assert scheduler.submit(stream, FrameMessage(2, 0.0, b"x")).dropped is None


def test_submit_bug_is_logged_once_and_told_without_its_text(scheduler_for, caplog):
    scheduler, stream = scheduler_for(InstantPipeline()), Stream("client", None)
    with caplog.at_level(logging.ERROR):
        reply = scheduler.submit(stream, FrameMessage(1, 0.0, b"crash"))
    assert reply.error.code == "internal"
    assert "a bug" not in str(reply.error)
    assert len(caplog.records) == 1
    assert scheduler.submit(stream, FrameMessage(2, 0.0, b"x")).dropped is None


def test_submit_no_worker_in_time_is_overloaded(scheduler_for):
    pipeline = HeldPipeline()
    scheduler = scheduler_for(pipeline, answer_timeout_s=0.05)
    assert scheduler.submit(Stream("client", None), FrameMessage(1, 0.0, b"x")).dropped == "overloaded"
    pipeline.go_on.release()


def test_cancel_answers_the_waiting_frame(scheduler_for):
    pipeline = HeldPipeline()
    scheduler = scheduler_for(pipeline)
    submitter, stream = Submitter(scheduler), Stream("client", None)
    submitter.submit(stream, 1)
    assert pipeline.started.acquire(timeout=60)
    submitter.submit(stream, 2)
    waits_for(lambda: stream.waiting)
    scheduler.cancel(stream)
    pipeline.go_on.release()
    submitter.join()
    assert submitter.replies[2].dropped == "stopped"


def test_stop_ends_every_worker():
    scheduler = FrameScheduler(NativeThreads(), [InstantPipeline(), InstantPipeline()])
    scheduler.start()
    workers = list(scheduler._workers)
    scheduler.stop()
    assert not any(worker.is_alive() for worker in workers)


def test_heat_maps_are_computed_for_the_frames_that_ask_for_them(scheduler_for):
    asked = []

    class Noting(InstantPipeline):
        def process(self, jpeg, captured_s, state, heatmaps=False, settings=SERVER_SETTINGS):
            asked.append(heatmaps)
            return super().process(jpeg, captured_s, state)

    scheduler, stream = scheduler_for(Noting()), Stream("one", None)
    for heatmap in (False, True, False):
        scheduler.submit(stream, FrameMessage(1, 0.0, b"x", heatmap))
    assert asked == [False, True, False]


def test_submit_bytes_that_wait_are_bounded_and_who_has_the_most_gives_way(scheduler_for):
    pipeline, size = HeldPipeline(), MAX_WAITING_BYTES // 20
    scheduler = scheduler_for(pipeline, patience_s=60.0, answer_timeout_s=60.0)
    submitter = Submitter(scheduler)

    def seqs(stream):
        return [each.message.seq for each in list(stream.waiting)]

    submitter.submit(Stream("held", None), 0, b"held")
    assert pipeline.started.acquire(timeout=60)
    modest = Stream("modest", None, sender=Sender("modest"))
    greedy = [Stream(str(number), None, sender=Sender("greedy")) for number in range(6)]
    submitter.submit(modest, 1, b"m" * size)
    waits_for(lambda: modest.waiting)
    most = 0
    for seq in range(2, 34):
        stream = greedy[seq % len(greedy)]
        submitter.submit(stream, seq, b"g" * size)
        waits_for(lambda seq=seq, stream=stream: seq in submitter.replies or seq in seqs(stream))
        most = max(most, sum(each.waiting_bytes for each in [modest, *greedy]))
    assert seqs(modest) == [1]
    dropped = {reply.dropped for reply in list(submitter.replies.values())}
    pipeline.go_on.release(100)
    submitter.join()
    assert most <= MAX_WAITING_BYTES
    assert dropped == {"overloaded"}
