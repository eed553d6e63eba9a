"""Sharing on a network: a host, a phone that was given a link, and an outsider that was not."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.browser.fake_camera import moving_face_video
from tests.support.browser.live_page import LivePage
from tests.support.browser.namespaces import OTHER_SUBNET, SUBNET, LocalNetwork, Machine
from tests.support.browser.phone import Phone
from tests.support.machine import slowness
from tests.support.servers import ServerProcess

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has network namespaces"),
]

PLAIN_PORT, TLS_PORT = 5000, 5443
HTTPS = f"https://{SUBNET}.1:{TLS_PORT}"
HTTP = f"http://{SUBNET}.1:{PLAIN_PORT}"
LOCAL = f"http://127.0.0.1:{PLAIN_PORT}"
LINK_ENDED_WITHIN_S = 1.0
NEW_ADDRESS_WITHIN_S = 60


@pytest.fixture(scope="module")
def network():
    with LocalNetwork() as made:
        yield made
        assert [machine.ways_out() for machine in made.machines] == [[], [], []]


@pytest.fixture(scope="module")
def server(network):
    options = ("--share", "--share-port", str(TLS_PORT), "--workers", "1")
    with ServerProcess(*options, port=PLAIN_PORT, within=network.host.command) as running:
        yield running
        log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


@pytest.fixture(scope="module")
def printed(server):
    """The link that the terminal shows."""
    return server.wait_for_line(r"Link to join.*?(https://\S+)").group(1)


@pytest.fixture(scope="module")
def host(network, server):
    """The person at the server's machine."""
    return Host(network.host, server)


@pytest.fixture(scope="module")
def authority(network, server, tmp_path_factory):
    """The authority's certificate, as a phone downloads it: over plain HTTP, which needs no trust yet."""
    page = network.phone.client.get(f"{HTTP}/trust")
    assert page["status"] == 200
    address = next(part for part in page["text"].split('"') if part.startswith("/trust/"))
    answer = network.phone.client.get(HTTP + address)
    assert answer["status"] == 200
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    path.write_text(answer["text"])
    return path


@pytest.fixture(scope="module")
def phone(network, authority, tmp_path_factory):
    made = Phone(network.phone, tmp_path_factory.mktemp("phone"))
    made.trust(authority)
    return made


@pytest.fixture(scope="module")
def phone_browser(phone, videos):
    with phone.browser(moving_face_video(videos)) as browser:
        yield browser


@pytest.fixture
def outsider(network, authority):
    """Somebody on the network without a link; they trust the authority, so that nothing else stops them."""
    network.outsider.client.ask("forget", "")
    return Asker(network.outsider.client, authority)


class Asker:
    """A program on a machine that trusts the authority."""

    def __init__(self, client, authority):
        self._client = client
        self._authority = str(authority)

    def ask(self, verb, url, **options):
        return self._client.ask(verb, url, authority=self._authority, **options)

    def get(self, url, **options):
        return self.ask("request", url, **options)


class Host:
    """What the host does in the Share panel, by its API."""

    def __init__(self, machine, server):
        self._client = machine.client
        token = server.wait_for_line(r"\?host=(\S+)").group(1)
        assert self._client.get(f"{LOCAL}/?host={token}")["status"] == 302

    def api(self, method, path, body=None):
        headers = {"Origin": LOCAL, "Content-Type": "application/json"}
        answer = self._client.get(f"{LOCAL}/api/v1/share{path}", method=method, headers=headers, body=body)
        assert answer["status"] < 300, answer
        return answer["json"]

    def share(self, kind="join", name="For a phone", **options):
        return self.api("POST", "/links", {"kind": kind, "name": name, **options})

    def revoke(self, link):
        return self.api("DELETE", f"/links/{link['id']}", {})


def https_of(link):
    return next(url for url in link["urls"] if url.startswith(HTTPS))


# The phone


def test_the_phone_opens_the_printed_link_and_gets_its_overlay(printed, phone_browser):
    assert printed.startswith(HTTPS)
    live = LivePage(phone_browser, printed)
    assert live.page.url == f"{HTTPS}/"
    assert live.page.evaluate("isSecureContext") is True
    live.start()
    live.wait_until("window.__drawn.filter(drawn => drawn.faces.length).length > 10")
    assert live.errors == []
    live.context.close()


def test_the_phone_hears_within_a_second_that_its_link_was_withdrawn(host, phone_browser):
    link = host.share()
    live = LivePage(phone_browser, https_of(link))
    live.start()
    (visitor,) = [each for each in host.api("GET", "")["visitors"] if each["link"] == link["id"]]
    assert visitor["streams"] is True
    assert visitor["address"] == f"{SUBNET}.2"
    with ThreadPoolExecutor(1) as pool:
        live.page.evaluate(WATCH_FOR_JS.replace("TEXT", "withdrew this link"))
        started_ms = time.time() * 1000
        revoking = pool.submit(host.revoke, link)
        live.wait_until("window.__shown !== undefined")
        revoking.result()
    assert live.page.evaluate("window.__shown") - started_ms < LINK_ENDED_WITHIN_S * 1000 * slowness()
    assert live.page.evaluate("document.querySelector('video').srcObject?.active ?? false") is False
    again = live.page.goto(f"{HTTPS}/")
    assert again.status == 403
    assert "withdrawn" in live.page.text_content("main")
    live.context.close()


WATCH_FOR_JS = """
(() => {
  const look = () => {
    if (document.body.innerText.includes("TEXT")) window.__shown = Date.now();
    else requestAnimationFrame(look);
  };
  look();
})()
"""
"""Remembers when a text is first to be seen."""


def test_plain_http_on_the_network_shows_the_explanation(phone_browser, printed):
    path = printed.removeprefix(HTTPS)
    page = phone_browser.new_page()
    for address in (f"{HTTP}/", HTTP + path):
        answer = page.goto(address)
        assert answer.status == 421
        assert page.url == address
        assert "https" in page.text_content("h1")
        assert path not in page.content()
    assert page.evaluate("getComputedStyle(document.querySelector('main')).display") == "grid", (
        "has its style"
    )
    page.click("a[href='/trust']")
    page.wait_for_url(f"{HTTP}/trust")
    page.close()


def test_who_does_not_trust_the_authority_is_stopped_by_their_own_side(network, server):
    with pytest.raises(RuntimeError, match="CERTIFICATE_VERIFY_FAILED"):
        network.outsider.client.get(f"{HTTPS}/")


# The outsider


@pytest.mark.parametrize(
    "path", ["/", "/watch", "/history", "/history/ID", "/healthz", "/nothing", "/?host=guess", "/favicon.ico"]
)
def test_the_outsider_sees_no_page(outsider, path):
    answer = outsider.get(HTTPS + path)
    assert answer["status"] == 403
    assert "link" in answer["text"].lower()
    assert "fer_owner" not in str(answer["headers"])


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", ["sessions", "sessions/ID", "sessions/import", "share", "share/links", "share/stop"]
)
def test_the_outsider_gets_nothing_by_api(outsider, method, path):
    answer = outsider.get(
        f"{HTTPS}/api/v1/{path}", method=method, headers={"Content-Type": "application/json"}
    )
    assert answer["status"] == 403
    assert answer["json"]["error"]["code"] == "link_needed"


@pytest.mark.parametrize("namespace", ["/", "/watch", "/nothing"])
@pytest.mark.parametrize("verb", ["poll", "connect"])
@pytest.mark.parametrize("origin", [HTTPS, None])
def test_the_outsider_gets_no_socket(outsider, verb, namespace, origin):
    answer = outsider.ask(verb, HTTPS, origin=origin, namespace=namespace)
    assert answer["text"].startswith("44"), answer
    assert namespace == "/nothing" or "link_needed" in answer["text"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": "localhost"}])
def test_the_outsider_gets_nothing_by_another_name(outsider, headers):
    answer = outsider.get(f"{HTTPS}/", headers=headers)
    assert answer["status"] == 400


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"])
def test_the_outsider_does_not_become_the_host_by_saying_so(outsider, name):
    value = "for=127.0.0.1" if name == "Forwarded" else "127.0.0.1"
    assert outsider.get(f"{HTTPS}/api/v1/share", headers={name: value})["status"] == 403


def test_the_outsider_who_guesses_is_slowed_down(outsider):
    statuses = [outsider.get(f"{HTTPS}/l/{'x' * 22}{number:02}")["status"] for number in range(14)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert statuses == sorted(statuses)


# Networks that come and go


def test_a_new_address_is_covered_and_its_link_works(network, host, phone_browser):
    old, new = f"{SUBNET}.1/24", f"{OTHER_SUBNET}.1/24"
    network.phone.add_address(f"{OTHER_SUBNET}.2/24")
    network.host.add_address(new)
    network.host.remove_address(old)
    try:
        here = f"https://{OTHER_SUBNET}.1:{TLS_PORT}"
        wait_until(lambda: here in addresses(host) and HTTPS not in addresses(host), NEW_ADDRESS_WITHIN_S)
        link = host.share(name="On the new network")
        address = next(url for url in link["urls"] if url.startswith(here))
        page = phone_browser.new_page()
        answer = page.goto(address)
        assert (answer.status, page.url) == (200, f"{here}/")
        assert page.evaluate("isSecureContext") is True
        page.wait_for_selector("#start-stop:not([disabled])")
        page.context.close()
        assert HTTPS not in str(link["urls"])
    finally:
        network.host.add_address(old)
        wait_until(lambda: HTTPS in addresses(host), NEW_ADDRESS_WITHIN_S)
        network.host.remove_address(new)


def addresses(host):
    return [address["url"] for address in host.api("GET", "")["addresses"]]


def wait_until(is_true, timeout_s):
    end_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end_s, f"not within {timeout_s} s"
        time.sleep(0.1)


def test_without_any_network_the_start_says_so_and_serves_this_machine():
    alone = Machine("alone")
    try:
        with ServerProcess("--share", "--share-port", "0", "--workers", "1", within=alone.command) as server:
            server.wait_for_line("This machine has no address on any network")
            server.wait_for_line("SHA-256")
            assert alone.client.get(f"{server.url}/")["status"] == 200
            assert not [line for line in server.output if "/l/" in line]
    finally:
        alone.close()
