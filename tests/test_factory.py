import pytest

from fer_web.errors import SetupError
from fer_web.vendor_files import check_browser_modules


def test_check_browser_modules_missing_names_file_and_command(tmp_path):
    with pytest.raises(SetupError, match=r"socket\.js is missing.*make setup"):
        check_browser_modules({"socket.js": tmp_path / "socket.js"})
