"""The history of real server processes, over real connections.

Times are of the server's processor, not of the clock: who tests may have other work on the machine.
`make bench-history` measures what a user waits.
"""

import json
import re
import socket
import time

import pytest
import requests

from fer_web.history.export import json_file
from tests.support.machine import slowness
from tests.support.sample_tables import chunks, lifelike_table, random_table
from tests.support.servers import ServerProcess
from tests.support.sessions import session_with

JSON = {"Content-Type": "application/json"}


def export_of(table):
    return b"".join(json_file(session_with(length_s=float(table.at_s[-1])), chunks(table)))


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with ServerProcess("--async-mode", request.param, "--detector", "haar") as running:
        yield running


@pytest.fixture
def browser(server):
    session = requests.Session()
    session.get(f"{server.url}/")
    session.headers["Origin"] = server.url
    session.api = f"{server.url}/api/v1/sessions"
    yield session
    session.close()


def imported(browser, table):
    answer = browser.post(f"{browser.api}/import", data=export_of(table), headers=JSON)
    assert answer.status_code == 201, answer.text
    return f"{browser.api}/{answer.json()['id']}"


def test_an_hour_of_three_faces_is_exported_in_three_seconds_and_little_memory(server, browser):
    table = lifelike_table(3600, 3)
    assert len(table) == 54_000
    address = imported(browser, table)
    browser.get(f"{address}/export?format=csv")
    before_mb = server.memory_mb
    before_s = server.cpu_s
    lines, most_mb = 0, before_mb
    with browser.get(f"{address}/export?format=csv", stream=True) as answer:
        for part in answer.iter_content(1_000_000):
            lines += part.count(b"\n")
            most_mb = max(most_mb, server.memory_mb)
    assert lines == 54_001
    assert server.cpu_s - before_s < 3 * slowness(time.process_time)
    assert most_mb - before_mb < 100


def test_an_hours_page_has_its_data_in_two_seconds(server, browser):
    address = imported(browser, lifelike_table(3600, 3))
    before_s = server.cpu_s
    samples = browser.get(f"{address}/samples").json()
    browser.get(f"{address}/summary").json()
    assert len(samples["at_s"]) == 54_000
    assert server.cpu_s - before_s < 2 * slowness(time.process_time)


def test_an_hour_of_five_faces_is_exported_in_as_much_memory_as_a_minute(server, browser):
    minute, hour = imported(browser, random_table(60, 5)), imported(browser, random_table(3600, 5))
    for name in ("csv", "json", "facereader"):
        assert browser.get(f"{minute}/export?format={name}").status_code == 200
        before_mb = server.memory_mb
        with browser.get(f"{hour}/export?format={name}", stream=True) as answer:
            most_mb = max(server.memory_mb for _ in answer.iter_content(500_000))
        assert most_mb - before_mb < 30, name


def test_who_leaves_during_an_export_leaves_a_server_that_works(server, browser):
    address = imported(browser, random_table(1200, 5))
    for _ in range(20):
        with browser.get(f"{address}/export?format=csv", stream=True) as answer:
            next(answer.iter_content(1000))
    assert browser.get(f"{address}/export?format=csv").text.count("\n") == 30_001
    assert not [line for line in server.output if "Traceback" in line]


def test_an_import_that_never_ends_stores_nothing(server, browser):
    body = export_of(random_table(60, 2))
    before = browser.get(browser.api).json()["total"]
    head = [
        "POST /api/v1/sessions/import HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Origin: {server.url}",
        "Content-Type: application/json",
        f"Cookie: {'; '.join(f'{cookie.name}={cookie.value}' for cookie in browser.cookies)}",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body[: len(body) // 2])
        assert browser.get(f"{server.url}/healthz").status_code == 200
    assert browser.get(browser.api).json()["total"] == before


@pytest.mark.parametrize(
    "lie", [{"Content-Length": "-5"}, {"Content-Length": str(10**9)}, {"Content-Length": "x"}]
)
def test_an_import_of_a_strange_length_is_refused(server, browser, lie):
    lines = [
        f"{name}: {value}" for name, value in {**lie, "Host": f"127.0.0.1:{server.port}", **JSON}.items()
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            ("\r\n".join(["POST /api/v1/sessions/import HTTP/1.1", *lines]) + "\r\n\r\n{}").encode()
        )
        status = connection.recv(100).split(b" ")[1]
    assert status in (b"400", b"413")


def test_a_first_start_tells_nothing_of_how_tables_are_made(server):
    assert not [line for line in server.output if "alembic" in line]


def test_the_printed_address_makes_the_host(server, browser):
    address = imported(browser, random_table(10, 1))
    printed = next(re.search(r"http://\S+/\?host=\S+", line) for line in server.output if "?host=" in line)
    with requests.Session() as host:
        host.headers["Origin"] = server.url
        assert host.get(address).status_code == 404
        page = host.get(printed.group())
        assert (page.status_code, page.url) == (200, f"{server.url}/")
        assert host.get(address).status_code == 200
        assert host.delete(address, data=json.dumps({}), headers=JSON).json() == {"undo_s": 600.0}
    assert browser.get(address).status_code == 404


def test_another_server_on_the_same_folder_knows_the_browser(server, browser):
    address = imported(browser, random_table(10, 1))
    with ServerProcess("--detector", "haar", data_dir=server.data_dir) as second:
        own = {"Origin": second.url}
        assert browser.get(address.replace(server.url, second.url), headers=own).status_code == 200
    assert browser.get(address).status_code == 200
