import io

import pytest

from fer_web.sharing.guessing import MAX_FAILURES
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import KeyBook
from tests.support.shared_application import PHONE, Shared

KEYS = "/api/v1/keys"
SESSIONS = "/api/v1/sessions"
UNKNOWN = "fer_" + "a" * 32


@pytest.fixture
def shared(tmp_path):
    made = Shared(tmp_path)
    yield made
    made.close()


def code_of(answer):
    assert answer.mimetype == "application/json"
    return answer.status_code, answer.json["error"]["code"]


def new_key(shared, name="laptop"):
    answer = shared.host.send("POST", KEYS, {"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json


def ask(shared, key, path=SESSIONS, address=PHONE, method="GET", **options):
    headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
    client = shared.browser(address).client
    return client.open(path, method=method, headers=headers, **options)


def test_the_host_makes_lists_and_revokes_keys(shared):
    made = new_key(shared)
    (listed,) = shared.host.send("GET", KEYS).json["keys"]
    assert made["key"].startswith("fer_")
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["last_used_at"], listed["revoked_at"]) == (None, None)
    assert ask(shared, made["key"]).status_code == 200
    answer = shared.host.send("DELETE", f"{KEYS}/{made['id']}", {})
    assert (answer.status_code, answer.data) == (204, b"")
    assert code_of(ask(shared, made["key"])) == (401, "key_revoked")
    assert shared.host.send("GET", KEYS).json["keys"][0]["revoked_at"] is not None
    assert code_of(shared.host.send("DELETE", f"{KEYS}/unknown", {})) == (404, "not_found")


def test_answers_about_keys_are_kept_by_nobody(shared):
    for answer in (shared.host.send("GET", KEYS), shared.host.send("POST", KEYS, {"name": "x"})):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": 7}, {"name": None}, {"name": "x", "more": 1}, []]
)
def test_bodies_that_are_not_allowed(shared, body):
    assert shared.host.send("POST", KEYS, body).status_code == 400


def test_nobody_else_makes_keys(shared):
    joined, _ = shared.visitor("join")
    local = shared.browser("127.0.0.1")
    for browser in (joined, local):
        for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/x")):
            assert code_of(browser.send(method, path, {"name": "x"})) == (403, "forbidden")


def test_a_key_is_never_the_hosts_even_with_the_hosts_cookie(shared):
    key = new_key(shared)["key"]
    headers = {"Authorization": f"Bearer {key}", "Origin": "http://localhost"}
    assert code_of(shared.host.client.get(KEYS, headers=headers)) == (403, "forbidden")
    assert code_of(shared.host.client.get("/api/v1/share", headers=headers)) == (403, "forbidden")
    assert code_of(ask(shared, key, "/api/v1/share")) == (403, "forbidden")


def test_a_key_lets_an_outsider_of_the_network_in_to_the_api_alone(shared):
    key = new_key(shared)["key"]
    assert code_of(shared.browser().client.get(SESSIONS)) == (403, "link_needed")
    answer = ask(shared, key)
    assert answer.json["sessions"] == []
    assert "Set-Cookie" not in answer.headers
    assert ask(shared, key, "/api/v1/health").status_code == 200
    for path in ("/", "/history", "/watch"):
        page = ask(shared, key, path)
        assert code_of(page) == (403, "link_needed")
        assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize("address", [PHONE, "127.0.0.1"])
def test_a_key_sees_what_was_made_with_it(shared, address):
    key, other = new_key(shared), new_key(shared, "other")
    others = shared.session()
    export = shared.host.client.get(f"{SESSIONS}/{others}/export?format=json").data
    imported = ask(
        shared, key["key"], f"{SESSIONS}/import", address, "POST",
        data=io.BytesIO(export), content_type="application/json",
    )  # fmt: skip
    assert imported.status_code == 201
    session_id = imported.json["id"]
    assert [row["id"] for row in ask(shared, key["key"], address=address).json["sessions"]] == [session_id]
    assert ask(shared, other["key"], address=address).json["sessions"] == []
    assert code_of(ask(shared, other["key"], f"{SESSIONS}/{session_id}", address)) == (404, "not_found")
    assert code_of(ask(shared, key["key"], f"{SESSIONS}/{others}", address)) == (404, "not_found")


@pytest.mark.parametrize("address", [PHONE, "127.0.0.1"])
def test_a_wrong_key_is_told_even_where_none_is_needed(shared, address):
    for key in (UNKNOWN, "fer_x", "é"):
        answer = ask(shared, key, address=address)
        assert code_of(answer) == (401, "key_unknown")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_empty_key_is_none(shared):
    assert ask(shared, "", address="127.0.0.1").status_code == 200
    assert code_of(ask(shared, "")) == (403, "link_needed")


def test_guessing_is_slowed_down(shared):
    key = new_key(shared)["key"]
    for _ in range(MAX_FAILURES):
        assert code_of(ask(shared, UNKNOWN)) == (401, "key_unknown")
    answer = ask(shared, UNKNOWN)
    assert code_of(answer) == (429, "too_many_guesses")
    assert "keys" in answer.json["error"]["message"]
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert ask(shared, key, address="192.168.1.99").status_code == 200


def test_a_key_that_a_command_revokes_is_over_at_once(shared):
    made = new_key(shared)
    assert ask(shared, made["key"]).status_code == 200
    KeyBook(DatabaseKeyStore(shared.application.history.engine)).revoke(made["id"])
    assert code_of(ask(shared, made["key"])) == (401, "key_revoked")


def test_a_proxys_own_password_is_not_taken_for_a_key(shared):
    client = shared.browser("127.0.0.1").client
    assert client.get(SESSIONS, headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_another_sites_page_cannot_use_a_key_it_has(shared):
    answer = ask(shared, new_key(shared)["key"], headers={"Origin": "http://evil.example"})
    assert code_of(answer) == (403, "forbidden")


def test_keys_stand_in_no_log(shared, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    key = new_key(shared)["key"]
    ask(shared, key)
    ask(shared, UNKNOWN)
    monkeypatch.setattr(shared.application.history.__class__, "list_sessions", lambda *_: 1 / 0)
    assert ask(shared, key).status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert key not in caplog.text
    assert UNKNOWN not in caplog.text
