"""Files from outsiders, sent to a real server in both modes: clear answers, nothing left, memory bounded."""

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from fer_web.labels import EMOTIONS
from tests.support.clients import SteadyClient
from tests.support.hostile_files import BROKEN_VIDEOS, GOOD_IMAGES, REFUSED_IMAGES, avi
from tests.support.machine import slowness
from tests.support.made_videos import CHANGES, FPS, LENGTH_S, label_at, still, write_video
from tests.support.servers import ServerProcess

API = "/api/v1"
MAX_PEAK_MB = 220
"""More than the server has anyway: an image of 50 million pixels may be decoded, but none of these is one."""

MB = bytes(1_000_000)

VIDEO_WAIT_S = 300
"""Videos are analysed behind all else, other programs included: on a busy machine they hardly go on."""


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with ServerProcess("--async-mode", request.param, "--max-video-mb", "1000") as running:
        yield running
    log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


@pytest.fixture(scope="module")
def browser(server):
    """A session of requests with an owner of its own."""
    session = requests.Session()
    session.headers["Origin"] = server.url
    session.get(server.url, timeout=60)
    # The analyser is opened with the first image.
    session.post(f"{server.url}{API}/predict", data=GOOD_IMAGES["16 bits"](), timeout=60, headers=BYTES)
    return session


BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def bounded(server):
    """The server's memory stays within MAX_PEAK_MB of what it was, at every moment; no file stays."""
    before = server.memory_mb
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak begins anew
    yield
    assert peak_mb(server.pid) - before < MAX_PEAK_MB
    wait_until(lambda: uploads_in(server) == [])


def peak_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1000


def uploads_in(server):
    """Files and folders of uploads; the lock of the server's own folder is none."""
    return list((server.data_dir / "uploads").glob("run-*/*/"))


def wait_until(is_so, timeout_s=VIDEO_WAIT_S):
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def error_of(answer):
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert "Traceback" not in error["message"]
    assert set(error) == {"code", "message", "retryable"}
    return answer.status_code, error["code"]


def ended(browser, server, video, timeout_s=VIDEO_WAIT_S):
    end_s = time.monotonic() + timeout_s
    while (seen := browser.get(f"{server.url}{API}/videos/{video}", timeout=60).json())["state"] in (
        "queued",
        "running",
    ):
        assert time.monotonic() < end_s, seen
        time.sleep(0.05)
    return seen


def send_video(browser, server, data, **arguments):
    url = f"{server.url}{API}/videos"
    return browser.post(url, data=data, params=arguments, headers=BYTES, timeout=60)


def forget(browser, server, video):
    assert browser.delete(f"{server.url}{API}/videos/{video}", timeout=60).status_code == 204


class RawUpload:
    """Begins a request by hand, so that it can be longer than any memory, or break off."""

    def __init__(self, server, browser, path, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.putrequest("POST", f"{API}{path}")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        for name, value in {"Origin": server.url, "Cookie": cookies, **BYTES, **headers}.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()
        self.sent = 0

    def send(self, data):
        """Whether the server still listens."""
        try:
            self.connection.send(data)
        except OSError:
            return False
        self.sent += len(data)
        return True

    def answer(self):
        """Status and body."""
        answer = self.connection.getresponse()
        body = answer.read()
        self.connection.close()
        return answer.status, body

    def hang_up(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


@pytest.mark.usefixtures("bounded")
def test_images_that_are_none_are_refused_each_for_its_reason(server, browser):
    wrong = []
    for name, (make, status, code) in REFUSED_IMAGES.items():
        data = make()
        for files in (None, {"image": ("a", data)}):
            given = {"files": files} if files else {"data": data, "headers": BYTES}
            answer = browser.post(f"{server.url}{API}/predict", timeout=60, **given)
            if error_of(answer) != (status, code):
                wrong.append((name, bool(files), error_of(answer)))
    assert not wrong


@pytest.mark.usefixtures("bounded")
def test_odd_images_are_seen_right(server, browser):
    for name, make in GOOD_IMAGES.items():
        answer = browser.post(f"{server.url}{API}/predict", data=make(), headers=BYTES, timeout=60)
        assert answer.status_code == 200, (name, answer.text)
        found = answer.json()
        assert (found["width"], found["height"]) == (640, 480), name
        assert [face["label"] for face in found["faces"]] == ["happy"], name


@pytest.mark.usefixtures("bounded")
def test_the_same_images_count_apart_in_a_folder_test(server, browser):
    begun = browser.post(f"{server.url}{API}/folder-tests", json={}, timeout=60).json()
    url = f"{server.url}{API}/folder-tests/{begun['id']}"
    for name, (make, _, code) in REFUSED_IMAGES.items():
        answer = browser.post(
            f"{url}/images", params={"path": f"happy/{name}"}, data=make(), headers=BYTES, timeout=60
        ).json()
        assert (answer["outcome"], answer["error"]["code"]) == ("error", code), name
    report = browser.get(url, timeout=60).json()
    count = len(REFUSED_IMAGES)
    assert (report["images"], report["scored"], len(report["unreadable"])) == (count, 0, count)
    assert browser.delete(url, timeout=60).status_code == 204


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("path", ["/videos", "/predict", "/folder-tests/x/images"])
def test_bodies_over_the_limit_are_refused_by_their_length(server, browser, path):
    upload = RawUpload(server, browser, path, **{"Content-Length": "3000000000"})
    status, body = upload.answer()
    assert (status, b'"too_large"' in body) == (413, True)
    chunked = RawUpload(server, browser, path, **{"Transfer-Encoding": "chunked"})
    status, body = chunked.answer()
    assert (status, b'"length_required"' in body) == (411, True)


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("form", [False, True], ids=["body", "form"])
def test_a_gigabyte_of_zeros_is_refused_by_its_first_bytes(server, browser, form):
    headers = {"Content-Length": "1000000000"}
    head = b""
    if form:
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        head = b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    upload = RawUpload(server, browser, "/videos", **headers)
    upload.send(head)
    started_s, largest = time.monotonic(), 0
    while upload.sent < 999_000_000 and upload.send(MB):
        largest = max(largest, sum(path.stat().st_size for path in uploads_in(server) if path.is_file()))
    status, body = upload.answer()
    assert (status, b'"not_a_video"' in body) == (415, True)
    assert largest == 0, "nothing of it was written"
    assert time.monotonic() - started_s < 20


def test_who_hangs_up_leaves_nothing(server, browser):
    uploads = [RawUpload(server, browser, "/videos", **{"Content-Length": "50000000"}) for _ in range(3)]
    for upload in uploads:
        assert upload.send(b"RIFF\0\0\0\0AVI LIST" + 5 * MB)
    wait_until(lambda: len(uploads_in(server)) == 3)
    for upload in uploads:
        upload.hang_up()
    wait_until(lambda: uploads_in(server) == [])
    assert browser.get(f"{server.url}{API}/videos", timeout=60).json() == {"videos": []}


@pytest.mark.usefixtures("bounded")
def test_broken_videos_fail_each_for_its_reason(server, browser, tmp_path):
    for name, (make, code) in BROKEN_VIDEOS.items():
        sent = send_video(browser, server, make(tmp_path), name=name)
        assert sent.status_code == 202, (name, sent.text)
        seen = ended(browser, server, sent.json()["id"])
        assert seen["state"] == "failed", (name, seen)
        assert seen["error"]["code"] == code, (name, seen)
        forget(browser, server, seen["id"])


@pytest.mark.parametrize("way", ["body", "form"])
def test_odd_names_make_no_odd_files(server, browser, tmp_path, way):
    name = '../../../etc/cron.d/x";\r\nSet-Cookie: a=b\0\u202e.avi'
    if way == "body":
        sent = send_video(browser, server, avi(tmp_path), name=name)
    else:
        files = {"video": (name.replace("\r\n", ""), avi(tmp_path))}
        sent = browser.post(f"{server.url}{API}/videos", files=files, timeout=60)
    assert sent.status_code == 202, sent.text
    assert sent.json()["name"].startswith('x"')
    seen = ended(browser, server, sent.json()["id"])
    table = browser.get(f"{server.url}{API}/videos/{seen['id']}/table.csv", timeout=60)
    assert table.headers["Content-Disposition"] == 'attachment; filename="x-Set-Cookie-a-b.csv"'
    assert not Path("/etc/cron.d/x").exists()
    assert list(server.data_dir.rglob("x*")) == []
    forget(browser, server, seen["id"])
    wait_until(lambda: uploads_in(server) == [])


def test_the_timeline_of_stills_with_known_times_is_right(server, browser, tmp_path):
    stills = {label: still(label) for _, label in CHANGES}
    frames = (stills[label_at(number / FPS)] for number in range(round(LENGTH_S * FPS)))
    clip = write_video(tmp_path / "clip.avi", frames, FPS)
    sent = send_video(browser, server, clip.read_bytes(), name="Stills.avi")
    seen = ended(browser, server, sent.json()["id"])
    assert (seen["state"], seen["frames"], seen["remarks"]) == ("finished", 120, [])
    session = f"{server.url}{API}/sessions/{seen['session']}"
    about = browser.get(session, timeout=60).json()
    assert (about["length_s"], about["source"], about["name"]) == (LENGTH_S, "video", "Stills.avi")
    samples = browser.get(f"{session}/samples", timeout=60).json()
    times, labels = samples["at_s"], [EMOTIONS[label] for label in samples["label"]]
    # Shown labels are averaged over a quarter of a second, and a new face may take a second.
    for at_s, label in zip(times, labels, strict=True):
        assert label == label_at(at_s), at_s
    for start_s, label in CHANGES:
        shown = [at_s for at_s in times if start_s <= at_s < start_s + 1.2]
        assert bool(shown) == (label is not None), (start_s, shown)
    forget(browser, server, seen["id"])


UPLOADER = """
import socket, sys
port, megabytes = map(int, sys.argv[1:])
# In a field of another name, so that it is refused when all of it came.
head = b'--x\\r\\nContent-Disposition: form-data; name="film"; filename="a"\\r\\n\\r\\n'
head += b"RIFF\\0\\0\\0\\0AVI LIST"
length = len(head) + megabytes * 1_000_000 + 9
connection = socket.create_connection(("127.0.0.1", port))
connection.sendall(
    b"POST /api/v1/videos HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\nContent-Length: %d\\r\\n"
    b"Content-Type: multipart/form-data; boundary=x\\r\\n\\r\\n" % (port, length)
)
connection.sendall(head)
for _ in range(megabytes):
    connection.sendall(bytes(1_000_000))
connection.sendall(b"\\r\\n--x--\\r\\n")
connection.shutdown(socket.SHUT_WR)
print(b"".join(iter(lambda: connection.recv(100_000), b"")).decode())
"""


def test_live_streams_go_on_while_videos_come_in_and_are_analysed(server, browser, tmp_path):
    clip = write_video(tmp_path / "clip.avi", [still("happy")] * 600, 30).read_bytes()
    live = SteadyClient(server.url)
    live.rate_for(0.5)
    alone = live.rate_for(1)
    # In a process of its own, so that it takes nothing from the client whose answers are counted.
    uploader = subprocess.Popen(
        [sys.executable, "-c", UPLOADER, str(server.port), "150"], stdout=subprocess.PIPE, text=True
    )
    during_upload = live.rate_for(1.5)
    said, _ = uploader.communicate(timeout=300)
    assert " 400 " in said.splitlines()[0], said
    assert "the field 'video'" in said
    video = send_video(browser, server, clip).json()["id"]
    wait_until(lambda: browser.get(f"{server.url}{API}/videos/{video}").json()["state"] == "running")
    during_analysis = live.rate_for(1.5)
    live.close()
    forget(browser, server, video)
    # The hub never stands still; how much slower it is depends on what else the machine does.
    assert min(during_upload, during_analysis) > 0.1 * alone, (alone, during_upload, during_analysis)
    wait_until(lambda: uploads_in(server) == [])


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_server_that_is_stopped_or_killed_keeps_whole_uploads_and_leaves_no_half_of_anything(end, tmp_path):
    clip = write_video(tmp_path / "clip.avi", [still("happy")] * 600, 30).read_bytes()
    with ServerProcess(data_dir=tmp_path / "data") as server, contextlib.ExitStack() as stack:
        browser = requests.Session()
        browser.headers["Origin"] = server.url
        browser.get(server.url, timeout=60)
        first, second = (send_video(browser, server, clip, annotated=1).json() for _ in range(2))
        assert second["state"] == "queued"
        upload = RawUpload(server, browser, "/videos", **{"Content-Length": "50000000"})
        stack.callback(upload.connection.close)
        upload.send(clip[:3_000_000])
        url = f"{server.url}{API}/videos/{first['id']}"
        wait_until(lambda: browser.get(url, timeout=60).json()["frames"] > 5)
        # The third is a request of its own, which may be taken in after frames of the first.
        wait_until(lambda: len(uploads_in(server)) == 3)
        started_s = time.monotonic()
        if end == "kill":
            server.kill()
            assert len(uploads_in(server)) == 3
        else:
            assert server.stop() == 0
            assert time.monotonic() - started_s < 8 * slowness()
            assert len(uploads_in(server)) == 2
    with ServerProcess(data_dir=tmp_path / "data") as server:
        wait_until(lambda: len(uploads_in(server)) == 2)
        browser = requests.Session()
        token = server.wait_for_line(r"\?host=(\S+)").group(1)
        browser.get(server.url, params={"host": token}, timeout=60)
        assert browser.get(f"{server.url}{API}/sessions", timeout=60).json()["total"] == 0
