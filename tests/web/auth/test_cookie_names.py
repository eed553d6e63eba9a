"""By which names cookies are set and read: over HTTP, over HTTPS, and below a path."""

import pytest

from fer_web.sharing.signed_cookie import SignedCookie
from tests.support.shared_application import URL, Shared

SECRET = bytes(range(32))


@pytest.fixture(scope="module", params=["", "/fer"])
def shared(request, tmp_path_factory):
    built = Shared(tmp_path_factory.mktemp("names"), base_path=request.param)
    yield built
    built.close()


def set_cookies(answer):
    """Each cookie that an answer sets: its name without MARK, and its attributes."""
    lines = [line.split("; ") for line in answer.headers.getlist("Set-Cookie")]
    return {line[0].partition("=")[0].rpartition("_")[0]: set(line[1:]) for line in lines}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_cookie_has_the_strictest_name_that_browsers_take(shared, scheme):
    base, prefix = shared.base_path, ""
    if scheme == "https":
        prefix = "__Secure-" if base else "__Host-"
    host, phone = shared.browser("127.0.0.1"), shared.browser()
    token = shared.link()["urls"][0].removeprefix(URL)
    site = {"base_url": f"{scheme}://localhost"}
    page = host.client.get(f"{base}/?host={shared.application.owners.host_token}", **site)
    made = set_cookies(page) | set_cookies(host.client.get(f"{base}/", **site))
    if scheme == "https":
        made |= set_cookies(phone.client.get(f"{base}{token}", **site))
        assert f"{prefix}fer_guest" in made
    assert {f"{prefix}fer_host", f"{prefix}fer_owner"} <= made.keys()
    for name, attributes in made.items():
        assert name.startswith(prefix)
        assert f"Path={base or '/'}" in attributes
        assert {"HttpOnly", "SameSite=Lax"} <= attributes
        assert ("Secure" in attributes) is (scheme == "https")
        assert not any(each.startswith("Domain") for each in attributes)


def test_who_has_a_cookie_of_an_earlier_version_stays_who_they_are(shared):
    owners, browser = shared.application.owners, shared.browser("127.0.0.1")
    browser.client.set_cookie(owners.owner_cookie, owners.signed("ann"), secure=True, domain="localhost")
    answer = browser.client.get(f"{shared.base_path}/history", base_url="https://localhost")
    sent = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert owners.owner_of({sent[0]: sent[2]}) == "ann"
    assert sent[0].startswith("__")


@pytest.mark.parametrize(("base_path", "prefix"), [("", "__Host-"), ("/fer", "__Secure-")])
def test_a_name_that_others_can_set_never_overrides_the_strict_one(base_path, prefix):
    cookie = SignedCookie(SECRET, "owner", base_path)
    plain, strict = cookie.name, f"{prefix}{cookie.name}"
    assert cookie.options(is_secure=True)["key"] == strict
    assert cookie.read({plain: cookie.sign("mallory"), strict: cookie.sign("ann")}) == "ann"
    assert cookie.read({plain: cookie.sign("mallory"), strict: "forged"}) is None
    assert cookie.read({plain: cookie.sign("ann")}) == "ann"


def test_a_neighbour_s_secure_cookie_counts_for_nothing_on_a_whole_host():
    cookie = SignedCookie(SECRET, "owner")
    assert cookie.read({f"__Secure-{cookie.name}": cookie.sign("mallory")}) is None
