import stat
import subprocess
import sys

import pytest

from fer_web.analysis.videos.scratch import FOLDER, MIN_FREE_BYTES, ScratchFolder
from fer_web.errors import DiskFullError, SetupError
from tests.support.servers import ROOT


@pytest.fixture
def scratch(tmp_path):
    folder = ScratchFolder(tmp_path, lambda _path: MIN_FREE_BYTES + 1000)
    folder.open()
    yield folder
    folder.close()


def runs_in(data_dir):
    return sorted(path for path in (data_dir / FOLDER).glob("run-*"))


def test_folders_are_for_their_user_alone_and_go_in_the_end(tmp_path):
    scratch = ScratchFolder(tmp_path)
    scratch.open()
    folder = scratch.new_folder()
    (folder / "source").write_bytes(b"x")
    for path in (tmp_path / FOLDER, folder.parent, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    scratch.close()
    assert runs_in(tmp_path) == []


def test_what_a_killed_process_left_goes_and_what_another_server_has_stays(tmp_path, scratch):
    kept = scratch.new_folder()
    program = (
        "import os, pathlib, sys; from fer_web.analysis.videos.scratch import ScratchFolder\n"
        "scratch = ScratchFolder(pathlib.Path(sys.argv[1])); scratch.open()\n"
        "(scratch.new_folder() / 'source').write_bytes(bytes(1000)); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, timeout=300, check=False)
    assert len(runs_in(tmp_path)) == 2
    another = ScratchFolder(tmp_path)
    another.open()
    assert len(runs_in(tmp_path)) == 2, "ours and the new one"
    assert kept.is_dir()
    another.close()


def test_room_is_promised_once(scratch):
    with scratch.room_for(600):
        with pytest.raises(DiskFullError, match="disk has room for 0 MB") as caught, scratch.room_for(500):
            pass
        with scratch.room_for(400):
            pass
    assert (caught.value.code, caught.value.http_status) == ("disk_full", 507)
    with scratch.room_for(1000):
        pass


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / FOLDER).write_text("")
    with pytest.raises(SetupError, match=r"uploads.*--data-dir"):
        ScratchFolder(tmp_path).open()
