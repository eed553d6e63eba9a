import pytest

from benchmarks.mutate import BREAKS, broken
from tests.support.servers import ROOT


def test_there_are_twenty_breaks_of_different_names():
    assert len({each.name for each in BREAKS}) == len(BREAKS) >= 20


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: each.name)
def test_break_is_of_something_that_is_there_and_has_tests(each, tmp_path):
    copy = tmp_path / each.file
    copy.parent.mkdir(parents=True)
    copy.write_text((ROOT / each.file).read_text())
    broken(each, tmp_path)
    compile(copy.read_text(), each.file, "exec")
    assert copy.read_text() != (ROOT / each.file).read_text()
    assert (ROOT / each.tests[0]).exists()


def test_break_whose_place_has_gone_is_told(tmp_path):
    (tmp_path / "fer_web" / "vision").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        broken(BREAKS[0], tmp_path)
