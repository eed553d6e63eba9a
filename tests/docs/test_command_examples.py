"""The commands of docs/files.md, run as they stand there."""

import shlex
import shutil
import subprocess
import sys

import cv2
import pytest

from tests.support.documents import commands_of
from tests.support.faces import astronaut_bgr, camera_frame_bgr, two_faces_bgr
from tests.support.labelled_folders import write_rows
from tests.support.made_videos import write_video
from tests.support.servers import ROOT

DOCTOR = [line for line in commands_of("docs/cli.md", "The tools") if "fer_web doctor " in line]
COMMANDS = [*commands_of("docs/files.md", "Commands"), *DOCTOR]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the commands name."""
    root = tmp_path_factory.mktemp("readme")
    (root / "photos").mkdir()
    cv2.imwrite(str(root / "photo.jpg"), astronaut_bgr())
    cv2.imwrite(str(root / "photos" / "two.jpg"), two_faces_bgr())
    write_video(root / "clip.avi", [camera_frame_bgr()] * 10)
    for name in ("labelled", "crops"):
        write_rows(root / name, 35)
    shutil.copy(root / "photo.jpg", root / "labelled" / "happy" / "photo.jpg")
    return root


def test_the_documents_have_commands_of_all_tools():
    text = "\n".join(COMMANDS)
    assert "fer_web predict " in text
    assert "fer_web test-folder " in text
    assert "fer_web video " in text
    assert "fer_web doctor " in text


@pytest.mark.parametrize("line", COMMANDS)
def test_command_of_the_documents_does_what_it_says(line, folder, tmp_path):
    words = shlex.split(line, comments=True)
    assert words[0] == ".venv/bin/python"
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "FER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    for option in ("--out", "--csv"):
        if option in words:
            assert (folder / words[words.index(option) + 1]).exists()
