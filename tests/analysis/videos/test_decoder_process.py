"""A decoder that hangs, crashes or takes all memory ends alone, and says so."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from fer_web.analysis.videos import child_program, decoder_process
from fer_web.analysis.videos.decoder_process import DecoderProcess
from fer_web.analysis.videos.video_part import VideoPart
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.errors import VideoError, VideoTooLargeError
from tests.support.made_videos import number_of, numbered_frames, write_video
from tests.support.servers import ROOT

LIMITS = VideoLimits(1_000_000, 1.0)


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.avi", [frame for frame in numbered_frames(20) for _ in range(10)])


def process_of(reader):
    return psutil.Process(reader._decoder._program._process.pid)


def test_one_that_hangs_is_ended_and_what_came_is_kept(clip, monkeypatch):
    monkeypatch.setattr(child_program, "PATIENCE_S", 2.0)
    with VideoReader(clip, LIMITS) as reader:
        frames = iter(reader)
        first = next(frames)
        process_of(reader).suspend()
        rest = list(frames)
    assert number_of(first.frame_bgr) == 0
    assert len(rest) < 10
    assert not reader.is_complete
    assert "damaged or cut short" in reader.remarks[-1]


def test_one_that_hangs_before_its_first_frame_is_an_error(clip, monkeypatch):
    monkeypatch.setattr(child_program, "PATIENCE_S", 1.0)
    monkeypatch.setattr(decoder_process, "PATIENCE_S", 1.0)
    monkeypatch.setattr(child_program, "_BOOT", "import time; time.sleep(600)")
    with pytest.raises(VideoError, match="gave no frame in 1 seconds, and its decoder was ended"):
        VideoReader(clip, LIMITS)


def test_one_that_crashes_ends_the_video_there(clip):
    with VideoReader(clip, LIMITS) as reader:
        frames = iter(reader)
        next(frames)
        process_of(reader).send_signal(signal.SIGSEGV)
        rest = list(frames)
    assert len(rest) < 10
    assert not reader.is_complete


def test_one_that_crashes_at_once_is_an_error(clip, monkeypatch):
    monkeypatch.setattr(child_program, "_BOOT", "import os; os.abort()")
    with pytest.raises(VideoError, match="decoder broke down over this AVI"):
        VideoReader(clip, LIMITS)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone counts what is taken")
def test_one_that_takes_too_much_memory_is_refused(tmp_path, monkeypatch):
    path = write_video(tmp_path / "large.mp4", [np.zeros((2160, 3840, 3), np.uint8)] * 3, 10, "libx264")
    monkeypatch.setattr(decoder_process, "memory_bytes", lambda _pixels: 70_000_000)
    with (
        pytest.raises(VideoTooLargeError, match=r"needs more than 0\.1 GB of memory"),
        VideoReader(path, VideoLimits(9_000_000, 1.0)) as reader,
    ):
        list(reader)


def test_one_that_lost_its_reader_ends(clip):
    """However the reader's process ends: here it is killed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader\n"
        "reader = VideoReader(Path(sys.argv[1]), VideoLimits(1_000_000, 1.0))\n"
        "print(reader._decoder._program._process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(clip)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.communicate()
    child.wait(60)


def test_closing_ends_the_process_and_a_thread_that_reads(clip):
    reader = VideoReader(clip, LIMITS)
    process, seen = process_of(reader), []
    process.suspend()
    thread = threading.Thread(target=lambda: seen.extend(reader))
    thread.start()
    time.sleep(0.2)
    reader.close()
    thread.join(60)
    assert not thread.is_alive()
    assert not psutil.pid_exists(process.pid) or process.status() == psutil.STATUS_ZOMBIE
    assert len(seen) < 10
    reader.close()


def test_readers_leave_no_open_files_or_threads(clip):
    def counted():
        names = [thread.name for thread in threading.enumerate()]
        return len(os.listdir("/proc/self/fd")), names.count("child-program")

    before = counted()
    for _ in range(3):
        with VideoReader(clip, LIMITS) as reader:
            next(iter(reader))
    end_s = time.monotonic() + 60
    while counted() != before and time.monotonic() < end_s:
        time.sleep(0.05)
    assert counted() == before


def test_frames_also_come_through_the_pipe(clip, monkeypatch):
    """Where a system has no shared memory of this kind."""
    monkeypatch.setattr(decoder_process, "_shared_memory", lambda: None)
    with VideoReader(clip, LIMITS) as reader:
        assert [number_of(frame.frame_bgr) for frame in reader] == [n for n in range(20) for _ in range(10)]


def test_frames_that_grow_within_a_video_are_whole(tmp_path):
    """A stream that changes its size, as calls do: its frames no longer fit into the memory they came in."""
    small = write_video(tmp_path / "a.ts", numbered_frames(10, (64, 64)), 10, "libx264").read_bytes()
    large = write_video(tmp_path / "b.ts", numbered_frames(10, (480, 640)), 10, "libx264").read_bytes()
    (tmp_path / "both.ts").write_bytes(small + large)
    with VideoReader(tmp_path / "both.ts", LIMITS) as reader:
        frames = [frame.frame_bgr for frame in reader]
    assert {frame.shape for frame in frames} == {(64, 64, 3), (480, 640, 3)}
    assert [number_of(frame) for frame in frames] == [*range(10), *range(10)]


def test_frames_are_their_readers_own(clip):
    decoder = DecoderProcess(clip, "AVI", 1_000_000, VideoPart())
    frames = [decoder.next()[0] for _ in range(60)]
    decoder.close()
    assert [number_of(frame) for frame in frames] == [n for n in range(6) for _ in range(10)]
    frames[0][:] = 7


def test_what_lies_in_the_current_folder_is_not_run(clip, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    (tmp_path / "av.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with VideoReader(clip, LIMITS) as reader:
        assert number_of(next(iter(reader)).frame_bgr) == 0
