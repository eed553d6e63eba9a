"""python -m fer_web video with several files: processes, one table, and going on where it was stopped."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from fer_web.analysis.videos.video_journal import VideoJournal
from fer_web.commands.main import main
from fer_web.commands.many_videos import Progress, summary_table
from fer_web.commands.video import _time
from fer_web.commands.video_analysis import VideoSummary
from fer_web.commands.video_files import are_many, find_videos
from fer_web.errors import FileUnreadableError, InvalidValueError
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from tests.support.made_videos import codecs_of, still, write_video
from tests.support.servers import ROOT

FRAMES = 4


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    """Three videos in two folders, two of the same name."""
    folder = tmp_path_factory.mktemp("tapes")
    (folder / "b").mkdir()
    for name, label in (("a.avi", "neutral"), ("c.mp4", "happy"), ("b/a.avi", None)):
        codec = "libx264" if name.endswith("mp4") else "mjpeg"
        write_video(folder / name, [still(label)] * FRAMES, 10, codec)
    (folder / "notes.txt").write_text("no video")
    return folder


@pytest.fixture
def video(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = main(["video", *map(str, arguments)], {"FER_DATA_DIR": str(tmp_path / "data")})
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return call


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["session"], row["at_s"], row["label"]) for row in csv.DictReader(file)]


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_folders_become_one_table_and_what_is_done_is_skipped(video, tapes, tmp_path):
    folder = shutil.copytree(tapes, tmp_path / "tapes")
    arguments = [folder, "--csv", "all.csv", "--out", "drawn", "--json", "sessions", "--to-history"]
    status, out, _ = video(*arguments, "--jobs", "2")
    assert status == 0
    table = out[out.index("video ") :].splitlines()
    assert table[0].split() == ["video", "frames", "length", "faces", "seen", "in", "most", "often"]
    assert table[4].split()[:2] == ["all", "12"]
    assert out.count("stored as session") == 3
    before = rows_of("all.csv")
    assert sorted(set(before)) == [
        (str(folder / name), f"0.{tenth}00", label)
        for name, label in (("a.avi", "neutral"), ("c.mp4", "happy"))
        for tenth in range(FRAMES)
    ]
    assert len(before) == 2 * FRAMES
    assert names_in(tmp_path / "drawn") == ["a-2-faces.mp4", "a-faces.mp4", "c-faces.mp4"] or names_in(
        tmp_path / "drawn"
    ) == ["a-faces-2.mp4", "a-faces.mp4", "c-faces.mp4"]
    assert codecs_of(tmp_path / "drawn" / "c-faces.mp4") == ["h264"]
    assert len(names_in(tmp_path / "sessions")) == 3
    assert json.loads((tmp_path / "sessions" / "c.json").read_text())["session"]["source"] == "video"

    write_video(folder / "d.avi", [still("happy")] * FRAMES)
    status, out, _ = video(*arguments)
    assert (status, "3 of 4 videos were done before" in out) == (0, True)
    assert rows_of("all.csv")[: len(before)] == before
    assert len(rows_of("all.csv")) == len(before) + FRAMES
    with_open = open_history("", tmp_path / "data")
    assert len(with_open.list_sessions(SessionFilter(), None).sessions) == 4
    with_open.close()
    assert [name for name in os.listdir(tmp_path) if name.startswith(".draft")] == []


def test_one_that_cannot_be_read_fails_alone(video, tapes, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(500))
    status, out, _ = video(tapes / "a.avi", "broken.mp4", "--csv", "all.csv")
    assert status == 1
    assert "broken.mp4: not analysed: The MP4 has no index" in out
    assert "broken.mp4" in out[out.index("video ") :]
    assert len(rows_of("all.csv")) == FRAMES


def test_patterns_and_parts(video, tapes):
    part = ["--start", "0.1", "--end", "0:0.3", "--every", "2"]
    assert video(f"{tapes}/*.avi", "--csv", "all.csv", *part)[0] == 0
    assert [row[1] for row in rows_of("all.csv")] == ["0.100", "0.300"]


def test_other_options_need_another_name_or_force(video, tapes):
    names = [tapes / "a.avi", tapes / "c.mp4", "--csv", "all.csv"]
    assert video(*names)[0] == 0
    status, _, err = video(*names, "--every", "2")
    assert (status, "made with other options" in err) == (1, True)
    assert video(*names, "--every", "2", "--force")[0] == 0
    assert len(rows_of("all.csv")) == FRAMES


def test_ctrl_c_leaves_whole_videos_and_the_next_run_goes_on(tapes, tmp_path):
    """With one process, so that one video is done and another is not."""
    folder = shutil.copytree(tapes, tmp_path / "tapes")
    write_video(folder / "z.avi", [still("happy")] * 400)
    command = [sys.executable, "-m", "fer_web", "video", str(folder), "--csv", "all.csv", "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FER_DATA_DIR": str(tmp_path / "data")}
    options = {"cwd": tmp_path, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)
    journal = tmp_path / "all.csv.done"
    wait_until(lambda: journal.exists() and journal.read_text().count("\n") == 4)
    time.sleep(0.5)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err.splitlines()[-1]) == (130, "fer-web: Interrupted.")
    psutil.wait_procs(children, timeout=60)
    assert not [each for each in children if each.is_running()]
    assert sorted(os.listdir(tmp_path)) == ["all.csv", "all.csv.done", "tapes"]
    before = rows_of(tmp_path / "all.csv")
    assert len(before) == 2 * FRAMES

    # A crash, and no Ctrl-C, may also leave half a row and half a line.
    with (tmp_path / "all.csv").open("a") as file:
        file.write("0.100,3,happ")
    with journal.open("a") as file:
        file.write('{"file": "/a/b')
    (folder / "z.avi").unlink()
    write_video(folder / "z.avi", [still("happy")] * FRAMES)
    done = subprocess.run(command, text=True, check=False, timeout=300, **options)
    assert (done.returncode, "3 of 4 videos were done before" in done.stdout) == (0, True), done.stderr
    assert rows_of(tmp_path / "all.csv")[: len(before)] == before
    assert len(rows_of(tmp_path / "all.csv")) == len(before) + FRAMES


def test_a_process_that_is_killed_costs_one_video(tapes, tmp_path):
    write_video(tmp_path / "a.avi", [still("happy")] * 400)
    command = [
        sys.executable,
        "-m",
        "fer_web",
        "video",
        "a.avi",
        str(tapes / "c.mp4"),
        "--csv",
        "x.csv",
        "--jobs",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FER_DATA_DIR": str(tmp_path / "data")}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    this = psutil.Process(process.pid)
    wait_until(lambda: len(this.children(recursive=True)) >= 2)  # the worker and its decoder
    this.children()[0].kill()
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "a.avi: not analysed: Its process broke down" in out
    assert len(rows_of(tmp_path / "x.csv")) == FRAMES


def wait_until(is_so, timeout_s=300):
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_videos_are_found_once_and_results_are_none(tapes, tmp_path):
    found = find_videos([str(tapes), str(tapes / "c.mp4"), f"{tapes}/*.txt"])
    assert [path.relative_to(tapes).as_posix() for path in found] == [
        "a.avi",
        "b/a.avi",
        "c.mp4",
        "notes.txt",
    ]
    assert find_videos([str(tapes)], tapes / "b") == [tapes / "a.avi", tapes / "c.mp4"]
    with pytest.raises(FileUnreadableError, match="a folder without videos"):
        find_videos([str(tmp_path)])
    assert [are_many([name]) for name in (str(tapes), "x*.mp4", str(tapes / "a.avi"), "none.mp4")] == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("0.25", 0.25)]
)
def test_times(text, seconds):
    assert _time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:", "1:2:3:4", "1e3", "nan", "\u0663"])
def test_what_is_no_time_is_a_wrong_argument(video, text):
    with pytest.raises(SystemExit) as ended:
        video("clip.mp4", f"--start={text}")
    assert ended.value.code == 2


def test_an_end_before_the_start_is_told(video):
    assert "is not after --start" in video("clip.mp4", "--start", "10", "--end", "5")[2]


def test_progress_tells_frames_a_second_and_time_left():
    progress = Progress(files=10, done=4, frames=600, share=0.5, past_s=20.0, skipped=3)
    assert progress.fps == 30
    assert progress.left_s == pytest.approx(50)
    assert Progress(files=10, done=3, share=0.3, past_s=1.0, skipped=3).left_s is None


def test_a_changed_video_is_not_done(tmp_path):
    video, table = tmp_path / "a.avi", tmp_path / "a.csv"
    video.write_bytes(b"1")
    journal = VideoJournal(tmp_path / "done", {"every": 1}, None, begin_anew=False)
    journal.add(video, {"frames": 1}, [])
    again = VideoJournal(tmp_path / "done", {"every": 1}, None, begin_anew=False)
    assert again.entry(video)["found"] == {"frames": 1}
    video.write_bytes(b"22")
    assert again.entry(video) is None
    table.write_text("precious")
    with pytest.raises(InvalidValueError, match="exists"):
        VideoJournal(tmp_path / "other", {"every": 1}, table, begin_anew=False)
    assert table.read_text() == "precious"


def test_the_table_counts_all_faces_seen():
    one = VideoSummary(10, 1.0, 480, 640, 1, 10, {"happy": 8, "sad": 2}, True, (), 1.0)
    two = VideoSummary(30, 3.0, 480, 640, 2, 10, {"sad": 10}, True, (), 1.0)
    rows = summary_table({"a.mp4": one, "b.mp4": two}, {"c.mp4": "broken"}).splitlines()
    assert rows[1].split() == ["a.mp4", "10", "1.0", "s", "1", "100.0", "%", "happy", "80.0", "%"]
    assert rows[3].split()[:2] == ["c.mp4", "not"]
    assert rows[4].split() == ["all", "40", "4.0", "s", "3", "50.0", "%", "sad", "60.0", "%"]
