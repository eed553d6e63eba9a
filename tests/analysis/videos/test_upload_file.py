import errno
import stat

import pytest

from fer_web.analysis.videos.upload_file import BLOCK_BYTES, UploadFile
from fer_web.errors import DiskFullError, NotAVideoError, VideoTooLargeError


def upload_to(path, **given):
    options = {
        "check_head": lambda head: None,
        "head_bytes": 400,
        "check_size": lambda size: None,
        "call": lambda verb: verb(),
        **given,
    }
    return UploadFile(path, **options)


def test_any_portions_make_the_file(tmp_path):
    data = bytes(range(256)) * 12_000
    upload = upload_to(tmp_path / "file")
    sizes = [1, 399, 7, 65_536, BLOCK_BYTES, 1]
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        upload.write(data[at : at + size])
        at += size
    upload.finish()
    upload.close()
    assert (tmp_path / "file").read_bytes() == data
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert upload.size == len(data)


def test_little_is_in_memory(tmp_path):
    upload = upload_to(tmp_path / "file")
    for _ in range(30):
        upload.write(bytes(100_000))
    assert (tmp_path / "file").stat().st_size >= 3_000_000 - BLOCK_BYTES - 100_000
    upload.close()


@pytest.mark.parametrize("portion", [1, 150, 1000])
def test_the_first_bytes_are_checked_as_soon_as_they_are_there(tmp_path, portion):
    seen = []

    def check(head):
        seen.append(head)
        raise NotAVideoError("no")

    upload = upload_to(tmp_path / "file", check_head=check)

    def write_all():
        for _ in range(1000):
            upload.write(b"x" * portion)

    with pytest.raises(NotAVideoError):
        write_all()
    upload.close()
    assert seen == [b"x" * 400]
    assert upload.size < 400 + portion
    assert (tmp_path / "file").stat().st_size == 0


def test_a_short_file_is_checked_at_its_end(tmp_path):
    seen = []
    upload = upload_to(tmp_path / "file", check_head=seen.append)
    upload.write(b"abc")
    upload.finish()
    upload.close()
    assert seen == [b"abc"]


def test_a_size_that_is_refused_ends_it(tmp_path):
    def check(size):
        if size > 1000:
            raise VideoTooLargeError("no")

    upload = upload_to(tmp_path / "file", check_size=check)
    upload.write(bytes(1000))
    with pytest.raises(VideoTooLargeError):
        upload.write(b"x")
    upload.close()


def test_a_full_disk_is_told(tmp_path):
    calls = []

    def call(verb):
        calls.append(verb)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return verb()

    upload = upload_to(tmp_path / "file", call=call)
    with pytest.raises(DiskFullError):
        upload.write(bytes(BLOCK_BYTES))
    upload.close()


def test_other_trouble_of_the_disk_is_no_full_disk(tmp_path):
    with pytest.raises(FileNotFoundError):
        upload_to(tmp_path / "missing" / "file")
