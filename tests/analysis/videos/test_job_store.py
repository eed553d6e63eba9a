"""Jobs that outlive their server, on both databases."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from fer_web.analysis.videos.job_store import DatabaseJobStore
from fer_web.analysis.videos.scratch import FOLDER, FoundFolders
from fer_web.analysis.videos.video_job import NewVideo, restored, stored_of
from fer_web.analysis.videos.video_jobs import VideoQueue
from fer_web.analysis.videos.video_part import VideoPart
from fer_web.analysis.videos.video_service import build_video_service, remove_folder
from fer_web.errors import VideoError
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from tests.support.fakes.video_tools import FramePipeline, video_tools
from tests.support.made_videos import numbered_frames, write_video
from tests.support.postgres import PostgresServer

OWNER = "ann"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request):
    if request.param == "sqlite":
        yield lambda: ""
        return
    with PostgresServer() as postgres:
        yield postgres.new_database


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.avi", numbered_frames(10)).read_bytes()


class Servers:
    """One server after the other with the same data folder and database."""

    def __init__(self, folder, database_url, database_folder=None):
        self.folder, self.history = folder, open_history(database_url, database_folder or folder)
        self.pipeline = FramePipeline()
        self.running = None

    def start(self):
        self.running = build_video_service(
            self.folder,
            video_tools(self.pipeline),
            self.history,
            jobs_kept=DatabaseJobStore(self.history.engine),
        )
        self.running.open()
        return self.running

    def stop(self):
        """Stop while a frame may be held: it is let go, and nothing after it is analysed."""
        self.running.jobs.stop()
        self.pipeline.go_on.release(1000)
        self.running.stop()
        self.running = None
        while self.pipeline.go_on.acquire(blocking=False):
            pass

    def close(self):
        if self.running:
            self.stop()
        self.history.close()


@pytest.fixture
def servers(tmp_path, databases):
    made = Servers(tmp_path / "data", databases())
    yield made
    made.close()


def submit(service, data, **options):
    folder = service.scratch.new_folder()
    (folder / "source").write_bytes(data)
    return service.jobs.submit(NewVideo(OWNER, "clip.avi", folder, folder / "source", **options)).id


def wait_for(service, job_id, *states):
    end_s = time.monotonic() + 300
    while (view := service.jobs.get(job_id, OWNER)).state not in states:
        assert time.monotonic() < end_s, view
        time.sleep(0.01)
    return view


def test_what_waits_runs_and_is_done_outlives_a_server(servers, clip):
    service = servers.start()
    done = submit(service, clip, wants_annotated=True)
    before = wait_for(service, done, "finished")
    servers.pipeline.is_held = True
    runs = submit(service, clip)
    wait_for(service, runs, "running")  # of two that wait, a client that had no turn yet comes first
    waits = submit(service, clip, client_key="key k1")
    servers.stop()
    assert servers.history.list_sessions(SessionFilter(), None).total == 1

    servers.pipeline.is_held = False
    service = servers.start()
    assert {view.id for view in service.jobs.list_of(OWNER)} == {done, runs, waits}
    after = service.jobs.get(done, OWNER)
    assert (after.session, after.frames, after.created_at.replace(microsecond=0)) == (
        before.session,
        10,
        before.created_at.replace(microsecond=0),
    )
    assert after.table.read_text().startswith("at_s")
    assert after.annotated.stat().st_size > 1000
    for job in (runs, waits):
        assert wait_for(service, job, "finished", "failed").state == "finished"
    assert servers.history.list_sessions(SessionFilter(), None).total == 3


def test_what_is_removed_stays_removed_with_its_files(servers, clip):
    service = servers.start()
    job = submit(service, clip)
    wait_for(service, job, "finished")
    service.jobs.remove(job, OWNER)
    servers.stop()
    assert list((servers.folder / FOLDER).glob("run-*")) == []
    assert servers.start().jobs.list_of(None) == []


def test_a_failure_is_told_after_a_restart_as_before(servers, clip):
    service = servers.start()
    job = submit(service, clip[:3000])
    before = wait_for(service, job, "failed", "finished")
    servers.stop()
    after = servers.start().jobs.get(job, OWNER)
    assert (after.state, after.error, after.remarks) == (before.state, before.error, before.remarks)


def test_a_revoked_key_s_jobs_end_also_after_a_restart(servers, clip):
    servers.pipeline.is_held = True
    service = servers.start()
    ids = [submit(service, clip, client_key="key k1") for _ in range(2)]
    wait_for(service, ids[0], "running")
    servers.stop()
    service = servers.start()
    assert service.jobs.client_keys() == {"key k1"}
    assert service.jobs.cancel_of({"key k1"}) == 2
    servers.stop()
    assert servers.start().jobs.list_of(None) == []


def test_a_server_that_lives_keeps_its_jobs_to_itself(servers, clip):
    servers.pipeline.is_held = True
    first = servers.start()
    job = submit(first, clip)
    wait_for(first, job, "running")
    second = servers.start()
    assert second.jobs.list_of(None) == []
    second.stop()
    servers.running = first
    assert first.jobs.get(job, OWNER).state == "running"


def test_another_place_s_jobs_are_not_taken(tmp_path, databases, clip):
    url = databases()
    here, there = (Servers(tmp_path / name, url, tmp_path / "database") for name in ("here", "there"))
    try:
        service = here.start()
        wait_for(service, submit(service, clip), "finished")
        here.stop()
        assert there.start().jobs.list_of(None) == []
        assert len(here.start().jobs.list_of(None)) == 1
    finally:
        here.close()
        there.close()


def made_job(tmp_path, **changes):
    queue = VideoQueue(lambda folder: remove_folder(folder))
    queue.submit(NewVideo(OWNER, "clip.avi", tmp_path, tmp_path / "source"))
    job = queue.next()
    for name, value in changes.items():
        setattr(job, name, value)
    return job


def test_a_result_that_was_stored_is_not_made_twice(tmp_path):
    (tmp_path / "table.csv").write_text("at_s")
    (tmp_path / "source").write_bytes(b"x")
    job = restored(stored_of(made_job(tmp_path, noted="s1"), 5.0), tmp_path, 7.0)
    assert (job.state, job.session, job.table.name) == ("finished", "s1", "table.csv")


@pytest.mark.parametrize("folder", [None, "empty"])
def test_a_video_whose_file_is_gone_has_failed_and_says_so(tmp_path, folder):
    (tmp_path / "source").write_bytes(b"x")
    stored = stored_of(made_job(tmp_path), 5.0)
    (tmp_path / "empty").mkdir()
    job = restored(stored, folder and tmp_path / folder, 7.0)
    assert job.state == "failed"
    assert "Send it again" in job.error.to_wire()["message"]


def test_a_restart_keeps_which_part_was_asked_for(tmp_path):
    (tmp_path / "source").write_bytes(b"x")
    part = VideoPart(1.5, 4.0, 3)
    job = made_job(tmp_path)
    job.new = replace(job.new, part=part)
    assert restored(stored_of(job, 5.0), tmp_path, 7.0).new.part == part
    earlier = replace(stored_of(job, 5.0), told={})
    assert restored(earlier, tmp_path, 7.0).new.part == VideoPart()


def test_ages_go_on_after_a_restart(tmp_path):
    job = made_job(tmp_path, ended_s=100.0, started_s=90.0, state="failed", error=VideoError("No."))
    again = restored(stored_of(job, 160.0), None, 1000.0)
    assert again.ended_s == pytest.approx(940, abs=5)
    assert again.ended_s - again.started_s == pytest.approx(10)
    assert again.error.to_wire() == VideoError("No.").to_wire()


def test_a_job_of_another_living_server_is_left_alone():
    queue = VideoQueue(lambda folder: None)
    stored = stored_of(made_job(Path("/nowhere/f1")), 1.0)
    queue.restore([stored], FoundFolders(others=frozenset({"f1"})))
    assert queue.list_of(None) == []
