import io
import json
import logging
import os
import subprocess
import sys

import pytest

from fer_web.serving.logs import LINES_BURST, BoundedRate, JsonLines, TextLines, request_id, without_secrets
from tests.support.servers import ROOT


def logger_with(formatter, clock=lambda: 0.0):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(BoundedRate(clock))
    logger = logging.Logger("fer_web.tests")
    logger.addHandler(handler)
    return logger, stream


@pytest.fixture
def request_of_ours():
    token = request_id.set("abc123")
    yield
    request_id.reset(token)


def test_text_has_time_level_logger_and_request(request_of_ours):
    logger, stream = logger_with(TextLines())
    logger.warning("%d frames", 3)
    time, level, name, *rest = stream.getvalue().split()
    assert time[10] == "T"
    assert time.endswith("Z")
    assert (level, name, " ".join(rest)) == ("WARNING", "fer_web.tests:", "3 frames [abc123]")


def test_json_is_one_line_with_its_error(request_of_ours):
    logger, stream = logger_with(JsonLines())
    try:
        raise ValueError("with a line\nbreak")
    except ValueError:
        logger.exception('it "failed"')
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert (record["message"], record["level"], record["request"]) == ('it "failed"', "ERROR", "abc123")
    assert "ValueError" in record["error"]


def test_message_cannot_begin_a_record_of_its_own():
    logger, stream = logger_with(TextLines())
    logger.warning("x\n2026-01-01T00:00:00.000Z ERROR fer_web: forged")
    _first, second = stream.getvalue().splitlines()
    assert second.startswith("  ")


@pytest.mark.parametrize(
    "text",
    [
        "GET /l/SECRET_of_a_link_1234567 gone",
        "GET /?host=SECRET&x=1",
        "GET /socket.io/?EIO=4&sid=SECRET",
        "Authorization: Bearer SECRET",
        "the key fer_SECRETabcdefghijklmnopqrst is wrong",
        "Cookie: fer_owner=SECRET; other=SECRET",
        "set-cookie: fer_owner=SECRET",
        "postgresql://ann:SECRET@host:5432/db is away",
    ],
)
@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()], ids=["text", "json"])
def test_nothing_that_opens_anything_is_logged(text, formatter):
    logger, stream = logger_with(formatter)
    logger.warning("%s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("again")
    assert "SECRET" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_other_text_stays():
    text = "https://localhost/history/abc: 3 sessions at /data/l, 10:20:30"
    assert without_secrets(text) == text


def test_flood_of_one_kind_is_bounded_told_and_hides_no_other():
    now_s = [0.0]
    logger, stream = logger_with(TextLines(), lambda: now_s[0])
    for _ in range(50 * LINES_BURST):
        logger.warning("flood")
    logger.error("another kind")
    now_s[0] = 60.0
    logger.warning("flood")
    lines = stream.getvalue().splitlines()
    assert len(lines) == LINES_BURST + 2
    assert "another kind" in lines[-2]
    assert f"({49 * LINES_BURST} lines of this kind before it were left out)" in lines[-1]


NATIVE = """
import ctypes, logging, os, sys
from fer_web.serving.logs import begin_log
from fer_web.serving.native_output import native_output_logged
libc = ctypes.PyDLL(None)  # keeps Python's lock while it writes
with native_output_logged() as log:
    begin_log("json", log)
    block = b"Corrupt JPEG data: premature end\\n" * 40_000
    libc.write(2, block, len(block))
    libc.write(2, b"the last one", 12)
    print("a line of Python's", file=sys.stderr)
os.write(2, b"after it\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another C library")
def test_what_c_libraries_write_is_logged_bounded_and_holds_nothing_up():
    run = subprocess.run(
        [sys.executable, "-c", NATIVE], capture_output=True, text=True, timeout=120, check=True, cwd=ROOT
    )
    *lines, last = run.stderr.splitlines()
    assert last == "after it"
    assert "a line of Python's" in lines
    native = [json.loads(line) for line in lines if line.startswith("{")]
    assert {record["logger"] for record in native} == {"native"}
    assert 1 <= len(native) <= LINES_BURST + 20
    assert native[0]["message"] == "Corrupt JPEG data: premature end"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a crash of a process")
def test_crash_is_told_in_full_where_native_output_is_logged():
    code = NATIVE.split("    begin_log")[0] + "    import faulthandler; faulthandler._sigsegv()"
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert "Fatal Python error: Segmentation fault" in run.stderr
