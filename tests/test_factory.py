import logging

import pytest

from fer_web.errors import SetupError
from fer_web.factory import resolve_detector
from fer_web.vendor_files import BLAZEFACE_PATH, check_browser_modules


def test_resolve_detector_auto_takes_blazeface_where_it_is(caplog):
    assert resolve_detector("auto", BLAZEFACE_PATH) == "blazeface"
    assert caplog.records == []


def test_resolve_detector_auto_without_the_package_takes_haar_and_says_how_to_mend_it(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert resolve_detector("auto", tmp_path / "face.tflite") == "haar"
    (record,) = caplog.records
    assert str(tmp_path / "face.tflite") in record.getMessage()
    assert "make setup" in record.getMessage()


def test_resolve_detector_keeps_what_was_asked_for(tmp_path):
    assert resolve_detector("blazeface", tmp_path / "face.tflite") == "blazeface"


def test_check_browser_modules_missing_names_file_and_command(tmp_path):
    with pytest.raises(SetupError, match=r"socket\.js is missing.*make setup"):
        check_browser_modules({"socket.js": tmp_path / "socket.js"})
