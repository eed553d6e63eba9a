"""python -m fer_web video, from file to files and history."""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest

from fer_web.commands.main import main
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.inference.pipeline import Pipeline
from fer_web.labels import EMOTIONS
from tests.support.faces import ASTRONAUT_XYXY
from tests.support.made_videos import CHANGES, FPS, LENGTH_S, label_at, still, write_video
from tests.support.servers import ROOT


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Stills with known times, 12 s at 10 frames a second."""
    stills = {label: still(label) for _, label in CHANGES}
    frames = (stills[label_at(number / FPS)] for number in range(round(LENGTH_S * FPS)))
    return write_video(tmp_path_factory.mktemp("clip") / "clip.avi", frames, FPS)


@pytest.fixture
def video(tmp_path, capsys, monkeypatch):
    """Runs the tool in an empty folder; returns exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")  # no program is needed

    def call(*arguments):
        status = main(["video", *map(str, arguments)], {"FER_DATA_DIR": str(tmp_path / "data")})
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return call


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def csv_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_timeline_of_stills_is_right_in_every_output(video, clip, tmp_path):
    status, out, err = video(clip, "--csv", "a.csv", "--json", "a.json", "--to-history", "--out", "drawn")
    assert (status, err) == (0, "")
    assert "120 frames, 12.0 s, 640x480" in out
    assert "drawn/clip-faces.mp4 (H.264, with the sound" in out
    rows = csv_rows("a.csv")
    by_time = {round(float(row["at_s"]), 3): row for row in rows}
    for number in range(round(LENGTH_S * FPS)):
        at_s = number / FPS
        shown = by_time[at_s]["label"] if at_s in by_time else None
        # 0.3 s after a change it is seen; before it, never.
        assert shown in {label_at(at_s), label_at(max(0.0, at_s - 0.3 + 1e-3))}, at_s
    assert len(rows) >= 88
    assert rows[0]["session"] == "clip.avi"

    exported = json.loads((tmp_path / "a.json").read_text())
    assert exported["session"]["source"] == "video"
    assert exported["session"]["length_s"] == pytest.approx(LENGTH_S, abs=0.01)
    assert 40 <= exported["sample_count"] <= 55  # five a second while somebody is there
    _check_history(tmp_path, exported)


def _check_history(tmp_path, exported):
    """What the tool stored, and what `history import` makes of its JSON, are the same session."""
    assert main(["history", "import", "a.json", "--data-dir", str(tmp_path / "data")], {}) == 0
    repository = open_history("", tmp_path / "data")
    sessions = repository.list_sessions(SessionFilter(), None).sessions
    tables = [list(repository.iter_samples(each.id, None)) for each in sessions]
    repository.close()
    assert len(sessions) == 2
    for session, (table,) in zip(sessions, tables, strict=True):
        assert (session.source, session.name, session.state) == ("video", "clip.avi", "finished")
        assert session.samples == len(table) == exported["sample_count"]
        assert session.length_s == pytest.approx(LENGTH_S, abs=0.01)
        assert session.strip[10] == EMOTIONS.index("happy")
        assert session.strip[28] == EMOTIONS.index("neutral")
        assert session.strip[46] is None
        np.testing.assert_allclose(table.at_s, [row[0] for row in exported["samples"]])


def test_astronaut_s_face_is_happy_with_the_box_on_the_face(video, tmp_path):
    write_video(tmp_path / "a.avi", [still("happy")] * 10, FPS)
    video("a.avi", "--csv", "a.csv", "--name", "Rehearsal, =1")
    rows = csv_rows("a.csv")
    assert len(rows) == 10
    assert {row["label"] for row in rows} == {"happy"}
    assert {row["session"] for row in rows} == {"Rehearsal, =1"}
    # In the frame, the portrait is scaled by 448/512 and moved.
    left, top, right, bottom = (value * 448 / 512 for value in ASTRONAUT_XYXY)
    centre_x, centre_y = 96 + (left + right) / 2, 16 + (top + bottom) / 2
    for row in rows:
        x = (float(row["left"]) + float(row["width"]) / 2) * 640
        y = (float(row["top"]) + float(row["height"]) / 2) * 480
        assert abs(x - centre_x) < 15
        assert abs(y - centre_y) < 20


def test_nobody_there_is_no_error(video, tmp_path):
    write_video(tmp_path / "a.avi", [still(None)] * 5, FPS)
    status, out, _ = video("a.avi", "--csv", "a.csv", "--json", "a.json", "--to-history")
    assert (status, csv_rows("a.csv")) == (0, [])
    assert "no face found" in out
    assert json.loads((tmp_path / "a.json").read_text())["samples"] == []


def test_a_cut_video_is_analysed_as_far_as_it_goes_and_says_so(video, clip, tmp_path):
    (tmp_path / "cut.avi").write_bytes(clip.read_bytes()[: clip.stat().st_size // 8])
    status, out, err = video("cut.avi", "--csv", "a.csv")
    assert status == 1
    assert "damaged or cut short" in err
    assert "happy" in out
    assert 8 <= len(csv_rows("a.csv")) <= 20


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_ends_half_way_leaves_nothing(video, clip, tmp_path, monkeypatch, failure):
    analyse, calls = Pipeline.analyse, []

    def fail_later(*arguments):
        calls.append(1)
        if len(calls) > 10:
            raise failure
        return analyse(*arguments)

    monkeypatch.setattr(Pipeline, "analyse", fail_later)
    status, out, err = video(clip, "--csv", "a.csv", "--json", "a.json", "--out", "a.avi", "--to-history")
    assert (status, out) == (130 if failure is KeyboardInterrupt else 1, "")
    assert err.startswith("fer-web: ")
    assert [name for name in names_in(tmp_path) if name != "data"] == []
    repository = open_history("", tmp_path / "data")
    assert repository.list_sessions(SessionFilter(), None).sessions == ()
    repository.close()


def test_ctrl_c_within_a_finalizer_ends_it_too(video, clip, tmp_path, monkeypatch):
    class InterruptedWhenFreed:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    analyse, calls = Pipeline.analyse, []

    def free_at_the_tenth(*arguments):
        calls.append(1)
        if len(calls) == 10:
            InterruptedWhenFreed()
        return analyse(*arguments)

    monkeypatch.setattr(Pipeline, "analyse", free_at_the_tenth)
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    status, out, err = video(clip, "--csv", "a.csv")
    assert (status, out, err) == (130, "", "fer-web: Interrupted.\n")
    assert len(calls) < 20
    assert names_in(tmp_path) == []


def test_ctrl_c_just_after_a_file_was_begun_leaves_none(video, clip, tmp_path, monkeypatch):
    begin = tempfile.mkstemp

    def interrupted_mkstemp(*arguments, **options):
        begun = begin(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return begun

    monkeypatch.setattr(tempfile, "mkstemp", interrupted_mkstemp)
    assert video(clip, "--csv", "a.csv")[0] == 130
    assert names_in(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl-C for one group of processes")
def test_ctrl_c_on_a_terminal_ends_all_processes_and_leaves_nothing(clip, tmp_path):
    (tmp_path / "work").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_web", "video", str(clip), "--out", "a.mp4", "--csv", "a.csv"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not list((tmp_path / "work").glob(".draft-*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, (process.returncode, err[-1500:])
    assert err.splitlines()[-1] == "fer-web: Interrupted."
    assert names_in(tmp_path / "work") == []


def test_files_are_replaced_only_when_told_and_never_the_video(video, tmp_path):
    write_video(tmp_path / "a.avi", [still(None)] * 2, FPS)
    before = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.csv").write_text("precious")
    for arguments in (
        ["--csv", "a.csv"],
        ["--out", "a.avi", "--force"],
        ["--csv", "b", "--json", "./b"],
        ["--csv", "none/b.csv"],
        ["--json", "."],
    ):
        status, _, err = video("a.avi", *arguments)
        assert (status, err.count("\n")) == (1, 1), err
    assert ((tmp_path / "a.csv").read_text(), (tmp_path / "a.avi").read_bytes()) == ("precious", before)
    assert video("a.avi", "--csv", "a.csv", "--force")[0] == 0
    assert (tmp_path / "a.csv").read_text().startswith("at_s,")


@pytest.mark.parametrize("name", ["empty.mp4", "folder", "text.mp4", "none.mp4"])
def test_bad_files_are_one_line(video, tmp_path, name):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    status, out, err = video(name, "--csv", "a.csv")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("fer-web: ")
    assert not (tmp_path / "a.csv").exists()


def test_limits_are_settings(video, clip):
    assert "--max-video-pixels" in video(clip, "--max-video-pixels", "300000")[2]
    assert "--max-video-hours" in video(clip, "--max-video-hours", "0.003")[2]
