"""Videos on their way from the queue into the history, by the server's thread."""

import csv
import errno
import itertools
import os
import struct
import threading
import time
import types

import pytest

from fer_web.analysis.videos.scratch import MIN_FREE_BYTES
from fer_web.analysis.videos.video_encoders import EncoderProcess
from fer_web.analysis.videos.video_job import NewVideo
from fer_web.analysis.videos.video_service import build_video_service
from fer_web.analysis.videos.video_worker import NICENESS
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from tests.support.fakes.video_tools import FramePipeline, video_tools
from tests.support.made_videos import numbered_frames, with_sound, write_video

OWNER = "ann"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.avi", numbered_frames(20))


@pytest.fixture
def history(tmp_path):
    store = open_history("", tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def pipeline():
    return FramePipeline()


@pytest.fixture
def service(tmp_path, history, pipeline):
    built = build_video_service(tmp_path / "data", video_tools(pipeline), history)
    built.open()
    yield built
    pipeline.is_held = False
    pipeline.go_on.release(1000)
    built.stop()


def submit(service, data, name="clip.avi", **options):
    folder = service.scratch.new_folder()
    (folder / "source").write_bytes(data)
    return service.jobs.submit(NewVideo(OWNER, name, folder, folder / "source", **options))


def ended(service, job_id, timeout_s=300):
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        view = service.jobs.get(job_id, OWNER)
        if view.state not in ("queued", "running"):
            return view
        time.sleep(0.01)
    raise TimeoutError(view)


def files_of(service):
    """Files of jobs; the lock is none."""
    own = next(service.scratch._root.glob("run-*"))
    return sorted(path.name for path in own.rglob("*") if path.is_file() and path.parent != own)


def sessions(history):
    return history.list_sessions(SessionFilter(), None).sessions


def test_a_video_becomes_a_session_with_its_own_times(service, history, clip):
    view = ended(service, submit(service, clip.read_bytes()).id)
    assert (view.state, view.frames, view.frames_total, view.faces) == ("finished", 20, 20, 1)
    (session,) = sessions(history)
    assert (session.id, session.owner, session.source) == (view.session, OWNER, "video")
    assert (session.name, session.settings["file"], session.length_s) == ("clip.avi", "clip.avi", 2.0)
    table = history.read_samples(session.id, OWNER)
    fifths_of_seconds = [0.0, *(number / 10 for number in range(1, 20, 2))]
    assert table.at_s.tolist() == pytest.approx(fifths_of_seconds)
    rows = list(csv.DictReader(view.table.read_text("utf-8").splitlines()))
    assert [row["at_s"] for row in rows] == [f"{number / 10:.3f}" for number in range(20)]
    assert files_of(service) == ["table.csv"], "the upload itself is not kept"
    assert view.table.stat().st_mode & 0o777 == 0o600


def test_the_annotated_video_is_there_when_it_was_asked_for(service, tmp_path):
    source = with_sound(tmp_path / "sound.mp4")
    view = ended(service, submit(service, source.read_bytes(), wants_annotated=True).id)
    assert (view.state, view.annotated.name) == ("finished", "annotated.mp4")
    assert view.annotated.read_bytes()[4:8] == b"ftyp"
    assert files_of(service) == ["annotated.mp4", "table.csv"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda data: b"", "bad_video"),
        (lambda data: b"#EXTM3U\nhttp://example.org/a.ts\n", "not_a_video"),
        (lambda data: data[:300], "bad_video"),
        (lambda data: data[:2000] + bytes(len(data) - 2000), "bad_video"),
    ],
)
def test_what_cannot_be_read_fails_and_leaves_nothing(service, history, clip, make, code):
    view = ended(service, submit(service, make(clip.read_bytes())).id)
    assert (view.state, view.error["code"]) == ("failed", code)
    assert (files_of(service), sessions(history)) == ([], ())


def test_a_video_that_was_cut_short_is_stored_with_a_remark(service, clip):
    data = clip.read_bytes()
    longer = write_video(clip.with_name("long.avi"), [*numbered_frames(20)] * 3).read_bytes()
    assert len(longer) > len(data)
    view = ended(service, submit(service, longer[: len(longer) // 2]).id)
    assert view.state == "finished"
    assert "damaged or cut short" in view.remarks[-1]


def test_a_video_of_many_hours_is_refused_by_its_header(tmp_path, history, pipeline, clip):
    service = build_video_service(tmp_path / "data", video_tools(pipeline, max_hours=0.0001), history)
    service.open()
    view = ended(service, submit(service, clip.read_bytes()).id)
    service.stop()
    assert (view.state, view.error["code"]) == ("failed", "video_too_large")


def test_a_video_that_runs_can_be_cancelled_at_any_frame(service, history, pipeline, clip):
    pipeline.is_held = True
    job = submit(service, clip.read_bytes())
    for _ in range(3):
        assert pipeline.started.acquire(timeout=300)
        pipeline.go_on.release()
    service.jobs.remove(job.id, OWNER)
    pipeline.go_on.release(2)
    wait_until(lambda: files_of(service) == [])
    assert service.jobs.list_of(OWNER) == []
    assert sessions(history) == ()
    assert len(pipeline.seen) < 10


def test_one_whose_frames_are_minutes_apart_can_be_cancelled(service, tmp_path, monkeypatch):
    """Each frame is written thousands of times; a single one took the thread for minutes."""
    written, count = threading.Event(), itertools.count()
    write = EncoderProcess.write

    def slow(self, frame_bgr):
        written.set()
        next(count)
        time.sleep(0.001)
        write(self, frame_bgr)

    monkeypatch.setattr(EncoderProcess, "write", slow)
    data = bytearray(write_video(tmp_path / "slow.avi", numbered_frames(3)).read_bytes())
    rate = data.index(b"strh") + 8 + 20
    data[rate : rate + 8] = struct.pack("<II", 1000, 1)  # seconds for each frame
    job = submit(service, bytes(data), wants_annotated=True)
    assert written.wait(300)
    before = next(count)
    service.jobs.remove(job.id, OWNER)
    wait_until(lambda: files_of(service) == [])
    assert next(count) - before < 1000, "of many thousands"


def test_results_leave_the_disk_some_room(service, history, clip, monkeypatch):
    def nearly_full(_path):
        return types.SimpleNamespace(free=MIN_FREE_BYTES - 1)

    with monkeypatch.context() as patched:
        patched.setattr("fer_web.analysis.videos.video_worker.shutil.disk_usage", nearly_full)
        view = ended(service, submit(service, clip.read_bytes()).id)
    assert (view.state, view.error["code"]) == ("failed", "disk_full")
    assert (files_of(service), sessions(history)) == ([], ())


def test_one_that_is_cancelled_while_it_is_stored_is_not_in_the_history(service, history, clip, monkeypatch):
    store = history.import_session

    def store_and_cancel(*arguments):
        session = store(*arguments)
        service.jobs.remove(job.id, OWNER)
        return session

    monkeypatch.setattr(history, "import_session", store_and_cancel)
    job = submit(service, clip.read_bytes())
    wait_until(lambda: not service.jobs.list_of(OWNER) and files_of(service) == [])
    assert sessions(history) == ()


def test_the_server_stops_at_once_and_leaves_no_file(service, history, pipeline, clip, monkeypatch):
    pipeline.is_held = True
    submit(service, clip.read_bytes(), wants_annotated=True)
    submit(service, clip.read_bytes())
    assert pipeline.started.acquire(timeout=300)
    pipeline.is_held = False
    pipeline.go_on.release(1)
    monkeypatch.setattr("fer_web.analysis.videos.video_worker.STOP_TIMEOUT_S", 60)
    service.stop()
    assert list(service.scratch._root.glob("run-*")) == []
    assert sessions(history) == ()
    assert not [thread for thread in threading.enumerate() if thread.name in ("video-worker", "read-ahead")]


def test_a_full_disk_is_told_and_the_next_video_goes_on(service, clip, monkeypatch):
    def full(self, analysed):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("fer_web.analysis.videos.video.VideoSamples.add", full)
        view = ended(service, submit(service, clip.read_bytes()).id)
    assert (view.state, view.error["code"]) == ("failed", "disk_full")
    wait_s = time.monotonic() + 300
    while files_of(service) and time.monotonic() < wait_s:  # they go just after it is told
        time.sleep(0.02)
    assert files_of(service) == []
    assert ended(service, submit(service, clip.read_bytes()).id).state == "finished"


def test_a_bug_is_logged_and_tells_outsiders_nothing(service, clip, pipeline, monkeypatch, caplog):
    def fails(*_arguments):
        raise RuntimeError("/secret/path")

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "analyse", fails)
        view = ended(service, submit(service, clip.read_bytes()).id)
    assert (view.state, view.error["code"]) == ("failed", "internal")
    assert "secret" not in view.error["message"]
    assert "/secret/path" in caplog.text
    assert ended(service, submit(service, clip.read_bytes()).id).state == "finished"


@pytest.mark.skipif(not hasattr(os, "getpriority") or os.uname().sysname != "Linux", reason="Linux's threads")
def test_live_streams_come_first(service, pipeline, clip):
    niceness = []
    analyse = pipeline.analyse

    def asks(*arguments):
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return analyse(*arguments)

    pipeline.analyse = asks
    ended(service, submit(service, clip.read_bytes()).id)
    assert set(niceness) == {NICENESS}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICENESS


def wait_until(is_so, timeout_s=300):
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.01)
