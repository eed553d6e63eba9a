import threading
from pathlib import Path

import pytest

from fer_web.analysis.videos.video_jobs import JobLimits, NewVideo, VideoQueue
from fer_web.errors import NotFoundError, TooManyJobsError, VideoError


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def discarded():
    return []


@pytest.fixture
def jobs(clock, discarded):
    limits = JobLimits(
        queued_of_owner=3, queued=5, kept_of_owner=2, kept=3, kept_s=60.0, kept_bytes=1_000_000
    )
    return VideoQueue(lambda folder: discarded.append(folder.name), limits, clock)


def submit(jobs, owner, name, client_key=""):
    with jobs.slot_for(owner, client_key):
        return jobs.submit(NewVideo(owner, name, Path(name), Path(name, "source"), client_key=client_key))


def finish(jobs, job, tmp_path, size=10):
    table = tmp_path / f"{job.new.name}.csv"
    table.write_bytes(bytes(size))
    return jobs.finish(job, "session", table=table, annotated=None, remarks=())


def states(jobs, owner):
    return {view.name: view.state for view in jobs.list_of(owner)}


def test_new_cookies_give_no_further_turns(jobs, tmp_path):
    submit(jobs, "host", "h1", "here")
    finish(jobs, jobs.next(), tmp_path)
    for number in range(3):
        submit(jobs, f"new {number}", f"v{number}", "address")
    submit(jobs, "host", "h2", "here")
    order = []
    for _ in range(4):
        job = jobs.next()
        order.append(job.new.name)
        finish(jobs, job, tmp_path)
    assert order == ["v0", "h2", "v1", "v2"]


def test_new_cookies_give_no_further_slots(clock):
    jobs = VideoQueue(lambda folder: None, JobLimits(queued_of_owner=2, queued_of_client=3, queued=6), clock)
    for number in range(3):
        submit(jobs, f"new {number}", "v", "address")
    with pytest.raises(TooManyJobsError, match="from your address"):
        submit(jobs, "newest", "v", "address")
    submit(jobs, "ann", "a", "another address")


def test_who_was_served_is_forgotten_with_their_videos(jobs, clock, tmp_path):
    for number in range(100):
        submit(jobs, f"new {number}", "v", "address")
        finish(jobs, jobs.next(), tmp_path)
    assert len(jobs._served) < 10


def test_owners_take_turns(jobs, tmp_path):
    for owner, name in (("ann", "a1"), ("ann", "a2"), ("ann", "a3"), ("bob", "b1"), ("cem", "c1")):
        submit(jobs, owner, name)
    order = []
    for _ in range(5):
        job = jobs.next()
        order.append(job.new.name)
        finish(jobs, job, tmp_path)
    assert order == ["a1", "b1", "c1", "a2", "a3"]


def test_who_was_served_longest_ago_is_next(jobs, tmp_path):
    submit(jobs, "ann", "a1")
    finish(jobs, jobs.next(), tmp_path)
    submit(jobs, "ann", "a2")
    submit(jobs, "bob", "b1")
    assert [view.position for view in (*jobs.list_of("ann"), *jobs.list_of("bob"))] == [2, None, 1]
    assert jobs.next().new.name == "b1"


def test_positions_are_the_order_in_which_they_begin(jobs, tmp_path):
    for owner, name in (("ann", "a1"), ("ann", "a2"), ("bob", "b1"), ("bob", "b2")):
        submit(jobs, owner, name)
    views = {view.name: view for owner in ("ann", "bob") for view in jobs.list_of(owner)}
    said = sorted(views, key=lambda name: views[name].position)
    begun = []
    for _ in range(4):
        job = jobs.next()
        begun.append(job.new.name)
        finish(jobs, job, tmp_path)
    assert said == begun


def test_one_owner_may_have_so_many_waiting_with_those_that_come_in(jobs):
    submit(jobs, "ann", "a1")
    with jobs.slot_for("ann"), jobs.slot_for("ann"):
        with pytest.raises(TooManyJobsError, match="You have 3"), jobs.slot_for("ann"):
            pass
        with jobs.slot_for("bob"):
            pass
    with jobs.slot_for("ann"):
        pass


def test_all_together_may_have_so_many_waiting(jobs):
    for owner, name in (("ann", "a1"), ("ann", "a2"), ("bob", "b1"), ("bob", "b2"), ("cem", "c1")):
        submit(jobs, owner, name)
    with pytest.raises(TooManyJobsError, match="5 videos are waiting") as caught, jobs.slot_for("dia"):
        pass
    assert (caught.value.http_status, caught.value.retryable) == (429, True)
    jobs.next()
    submit(jobs, "dia", "d1")


def test_others_videos_are_not_there(jobs):
    video = submit(jobs, "ann", "a1")
    for verb in (jobs.get, jobs.remove):
        with pytest.raises(NotFoundError):
            verb(video.id, "bob")
    assert (jobs.list_of("bob"), states(jobs, "ann")) == ([], {"a1": "queued"})


def test_a_video_that_waits_can_be_removed(jobs, discarded, tmp_path):
    video = submit(jobs, "ann", "a1")
    submit(jobs, "ann", "a2")
    jobs.remove(video.id, "ann")
    assert (states(jobs, "ann"), discarded) == ({"a2": "queued"}, ["a1"])
    assert jobs.next().new.name == "a2"


def test_a_video_that_is_done_can_be_removed(jobs, discarded, tmp_path):
    video = submit(jobs, "ann", "a1")
    finish(jobs, jobs.next(), tmp_path)
    jobs.remove(video.id, "ann")
    assert (states(jobs, "ann"), discarded) == ({}, ["a1"])


def test_the_files_of_a_video_that_runs_go_when_its_worker_stops(jobs, discarded, tmp_path):
    video = submit(jobs, "ann", "a1")
    job = jobs.next()
    jobs.remove(video.id, "ann")
    assert (states(jobs, "ann"), discarded) == ({}, [])
    assert job.must_end.is_set()
    assert not finish(jobs, job, tmp_path), "its session is not wanted any more"
    jobs.cancelled(job)
    assert (job.state, discarded) == ("cancelled", ["a1"])


def test_progress_is_told_in_frames_and_seconds(jobs, clock, tmp_path):
    video = submit(jobs, "ann", "a1")
    job = jobs.next()
    jobs.progress(job, 0, None, 0)
    unknown = jobs.get(video.id, "ann")
    assert (unknown.progress, unknown.eta_s, unknown.fps) == (None, None, 0.0)
    clock.now_s += 2
    jobs.progress(job, 50, 200, 3)
    view = jobs.get(video.id, "ann")
    assert (view.progress, view.eta_s, view.fps, view.faces) == (0.25, 6.0, 25.0, 3)
    jobs.progress(job, 230, 200, 3)
    assert jobs.get(video.id, "ann").progress < 1, "headers count roughly"
    finish(jobs, job, tmp_path)
    clock.now_s += 50
    view = jobs.get(video.id, "ann")
    assert (view.progress, view.eta_s, view.fps, view.session) == (1.0, None, 115.0, "session")


def test_a_failure_says_why(jobs, discarded):
    video = submit(jobs, "ann", "a1")
    jobs.fail(jobs.next(), VideoError("It has no pictures."))
    view = jobs.get(video.id, "ann")
    assert (view.state, view.error["code"], view.error["message"]) == (
        "failed",
        "bad_video",
        "It has no pictures.",
    )
    assert discarded == ["a1"]


def test_the_oldest_of_one_owner_and_of_all_are_forgotten(jobs, clock, discarded, tmp_path):
    for owner, name in (("ann", "a1"), ("ann", "a2"), ("ann", "a3")):
        submit(jobs, owner, name)
        clock.now_s += 1
        finish(jobs, jobs.next(), tmp_path)
    assert (list(states(jobs, "ann")), discarded) == (["a3", "a2"], ["a1"])
    for owner in ("bob", "cem"):
        submit(jobs, owner, owner)
        clock.now_s += 1
        finish(jobs, jobs.next(), tmp_path)
    assert discarded == ["a1", "a2"]


def test_files_are_kept_for_a_time_and_up_to_a_size(jobs, clock, discarded, tmp_path):
    for owner, size in (("ann", 600_000), ("bob", 500_000)):
        submit(jobs, owner, owner)
        clock.now_s += 1
        finish(jobs, jobs.next(), tmp_path, size)
    assert discarded == ["ann"], "both were too large"
    clock.now_s += 60
    jobs.expire()
    assert discarded == ["ann"]
    clock.now_s += 0.5
    jobs.expire()
    assert discarded == ["ann", "bob"]


def test_stopping_wakes_the_worker_and_ends_what_runs(jobs):
    submit(jobs, "ann", "a1")
    running = jobs.next()
    got = []
    waiting = threading.Thread(target=lambda: got.append(jobs.next()))
    waiting.start()
    submit(jobs, "ann", "a2")
    waiting.join(60)
    jobs.stop()
    assert (got[0].new.name, running.must_end.is_set(), jobs.next()) == ("a2", True, None)
