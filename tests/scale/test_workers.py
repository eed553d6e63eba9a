"""Videos that workers of other processes analyse: handed on by a server and by a command."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from fer_web.analysis.videos.shared_service import build_shared_video_service
from fer_web.analysis.videos.video_job import NewVideo
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from tests.support.job_workers import environment_of_worker, start_worker
from tests.support.made_videos import still, write_video
from tests.support.redis import RedisServer
from tests.support.servers import ROOT

pytestmark = pytest.mark.timeout(600)
OWNER, FRAMES = "ann", 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [still("happy")] * FRAMES
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, 30, "libx264")


class Workers:
    """A folder, a Redis, and workers that can be killed one by one."""

    def __init__(self, folder, redis):
        self.folder, self.redis = folder, redis
        self.history = open_history("", folder)
        self.running = []

    def environment(self):
        return environment_of_worker(
            FER_DATA_DIR=str(self.folder), FER_JOB_WORKERS=self.redis.url, FER_DETECTOR="haar"
        )

    def start(self):
        self.running.append(start_worker(self.environment()))

    def stop(self):
        for worker in self.running:
            worker.kill()
            worker.wait(60)
            worker.stderr.close()
        self.history.close()


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def workers(tmp_path_factory, redis):
    made = Workers(tmp_path_factory.mktemp("data"), redis)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def service(workers):
    built = build_shared_video_service(workers.folder, workers.history.engine, workers.redis.url)
    built.open()
    yield built
    built.stop()


def submit(service, clip, **options):
    folder = service.scratch.new_folder()
    (folder / "source").write_bytes(clip.read_bytes())
    return service.jobs.submit(NewVideo(OWNER, "clip.mp4", folder, folder / "source", **options)).id


def until(service, job_id, is_so):
    end_s = time.monotonic() + 300
    while not is_so(view := service.jobs.get(job_id, OWNER)):
        assert time.monotonic() < end_s, view
        time.sleep(0.05)
    return view


def busy_s(pid):
    """Processor time of a worker with the decoder that it has started."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


def folder_of(service, job_id):
    return service.jobs._root / service.jobs._rows.get(job_id).folder


def is_done(view):
    return view.state in ("finished", "failed")


def sessions(workers):
    return workers.history.list_sessions(SessionFilter(), None).sessions


def test_a_killed_worker_s_video_is_done_once_and_whole_by_another(workers, service, clip):
    workers.start(), workers.start()
    job = submit(service, clip)
    folder = folder_of(service, job)
    running = until(service, job, lambda view: any(folder.glob(".draft-*")) or is_done(view))
    assert running.state == "running", "the clip is too short to be killed in its middle"
    # Whichever of the two has it: the other one is left.
    has_it = max(workers.running, key=lambda worker: busy_s(worker.pid))
    has_it.send_signal(signal.SIGKILL)
    workers.running.remove(has_it)
    has_it.wait(60)
    has_it.stderr.close()
    done = until(service, job, is_done)
    assert (done.state, done.frames, done.error) == ("finished", FRAMES, None)
    assert len(done.table.read_text().splitlines()) == FRAMES + 1
    assert [session.id for session in sessions(workers)] == [done.session]
    assert sorted(path.name for path in done.table.parent.iterdir()) == ["table.csv"]


def test_a_worker_that_is_told_to_end_gives_its_video_back(workers, service, clip):
    (second,) = workers.running
    before = len(sessions(workers))
    job = submit(service, clip)
    until(service, job, lambda view: view.state == "running")
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert until(service, job, lambda view: view.state != "running").state == "queued"
    workers.start()
    assert until(service, job, is_done).state == "finished"
    assert len(sessions(workers)) == before + 1


def test_a_video_that_is_cancelled_while_it_runs_leaves_nothing(workers, service, clip):
    before = len(sessions(workers))
    job = submit(service, clip)
    until(service, job, lambda view: view.state == "running")
    folder = folder_of(service, job)
    service.jobs.remove(job, OWNER)
    end_s = time.monotonic() + 120
    while folder.exists():
        assert time.monotonic() < end_s
        time.sleep(0.05)
    assert len(sessions(workers)) == before


def test_a_command_hands_a_folder_to_workers_and_shows_the_table(workers, clip, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.mp4").write_bytes(clip.read_bytes())
    command = ["video", str(tmp_path / "in"), "--csv", str(tmp_path / "all.csv"), "--workers"]
    made = subprocess.run(
        [sys.executable, "-m", "fer_web", *command, workers.redis.url],
        cwd=ROOT,
        env=workers.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert made.returncode == 0, made.stderr
    assert f"{2 * FRAMES}" in made.stdout
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 2 * FRAMES + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "all.csv.done", "in"]
