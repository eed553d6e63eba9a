import logging
import time

import pytest

from fer_web.sharing.guessing import MAX_FAILURES
from tests.support.shared_application import PHONE, URL, Shared

PAGES = (
    "/",
    "/analyze",
    "/history",
    "/history/abc",
    "/compare",
    "/watch",
    "/healthz",
    "/nothing",
    "/socket.io",
    "/ltd",
    "/?host=x",
)
API = (
    "/api/v1/sessions",
    "/api/v1/sessions/abc",
    "/api/v1/sessions/abc/export",
    "/api/v1/share",
    "/api/nothing",
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    built = Shared(tmp_path_factory.mktemp("visitors"))
    yield built
    built.close()


@pytest.fixture
def own_shared(tmp_path):
    """One that may be left in any state."""
    built = Shared(tmp_path)
    yield built
    built.close()


@pytest.fixture(scope="module")
def visit(shared):
    """A phone that may read one session, and that session's id."""
    session_id = shared.session(name="Shared film")
    phone, link = shared.visitor("session", session=session_id)
    assert link["session"] == session_id
    return phone, session_id


def error_of(answer):
    return (answer.status_code, answer.json["error"]["code"])


def open_token(shared, token, **options):
    return shared.browser(**options).get(f"/l/{token}")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_an_outsider_gets_no_page(shared, path, method):
    answer = shared.browser().client.open(path, method=method, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    if method not in ("HEAD",):
        assert "You need a link" in answer.text
        assert "fer-options" not in answer.text


@pytest.mark.parametrize("path", [*API, *PAGES])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
def test_an_outsider_gets_no_answer_from_the_api(shared, path, method):
    assert error_of(shared.browser().send(method, path, {})) == (403, "link_needed")


@pytest.mark.parametrize("path", ["//api/v1/sessions", "/static/../api/v1/sessions", "/l/../api/v1/share"])
def test_no_odd_path_leads_around_the_gate(shared, path):
    headers = {"Accept": "application/json"}
    answer = shared.browser().client.get("/", environ_overrides={"PATH_INFO": path}, headers=headers)
    assert answer.status_code in (403, 404)
    assert answer.json.keys() == {"error"}


@pytest.mark.parametrize("path", ["/static/css/base.css", "/vendor/socket.io.esm.min.js", "/trust"])
def test_what_holds_nothing_of_anybody_is_given_to_all(shared, path):
    with shared.browser().get(path) as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::7", "::ffff:192.168.1.7", "", "nonsense"])
def test_who_is_not_at_this_machine_is_an_outsider(shared, address):
    assert shared.browser(address).get("/").status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_needs_no_link(shared, address):
    assert shared.browser(address).get("/").status_code == 200


def test_opening_a_link_swaps_the_token_for_a_cookie_and_a_clean_address(shared):
    link, phone = shared.link("join", hours=2), shared.browser()
    answer = phone.open(link)
    token = link["urls"][0].rsplit("/", 1)[1]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert (phone.cookie.http_only, phone.cookie.same_site, phone.cookie.path) == (True, "Lax", "/")
    assert 2 * 3600 - 5 < phone.cookie.max_age <= 2 * 3600
    assert token not in str(answer.headers)
    assert token not in answer.text
    assert phone.get("/").status_code == 200


def test_the_cookie_is_secure_on_https_alone(shared):
    path = shared.link()["urls"][0].removeprefix(URL)
    plain, secure = (
        shared.browser().get(path, base_url=base).headers["Set-Cookie"]
        for base in ("http://localhost", "https://localhost")
    )
    assert "Secure" not in plain
    assert "; Secure" in secure


def test_a_link_opens_for_many(shared):
    link = shared.link()
    phones = [shared.browser() for _ in range(3)]
    for phone in phones:
        phone.open(link)
    assert len({phone.cookie.value for phone in phones}) == 3
    (listed,) = [each for each in shared.host.get("/api/v1/share").json["links"] if each["id"] == link["id"]]
    assert listed["visitors"] == 3


def test_head_tells_where_a_link_leads_and_makes_no_visitor(shared):
    link, phone = shared.link(), shared.browser()
    before = len(shared.application.visitors.all())
    answer = phone.client.head(link["urls"][0].removeprefix(URL))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert phone.cookie is None
    assert len(shared.application.visitors.all()) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_link_is_opened_by_no_other_method(shared, method):
    link, phone = shared.link(), shared.browser()
    answer = phone.send(method, link["urls"][0].removeprefix(URL), {})
    assert answer.status_code == 405
    assert phone.cookie is None


def test_a_second_link_changes_what_a_visitor_may_do_and_keeps_who_it_is(shared):
    phone, _ = shared.visitor("join")
    first = shared.application.visitors.all()[0]
    watch = shared.link("watch")
    assert phone.open(watch).headers["Location"] == "/watch"
    (second,) = [visitor for visitor in shared.application.visitors.all() if visitor.id == first.id]
    assert second.link == watch["id"]
    assert phone.get("/").headers["Location"] == "/watch"


def test_a_link_to_watch_opens_the_overlay_too_and_others_their_own_page(shared):
    watch, join = shared.link("watch"), shared.link("join")
    token = watch["urls"][0].rpartition("/")[2]
    phone = shared.browser()
    answer = phone.get(f"/l/{token}/overlay?show=bars,labels&scale=2")
    assert answer.headers["Location"] == "/overlay?show=bars%2Clabels&scale=2"
    answer = phone.get(f"/l/{token}?show=labels,affect")
    assert answer.headers["Location"] == "/watch?show=labels%2Caffect"
    page = phone.get("/overlay?show=bars")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert phone.get("/history").status_code == 403
    other = shared.browser().get(f"/l/{join['urls'][0].rpartition('/')[2]}/overlay")
    assert other.headers["Location"] == "/"
    assert shared.browser().get("/overlay").status_code == 403


class TestJoin:
    def test_has_the_live_page_and_a_history_of_its_own(self, shared):
        phone, _ = shared.visitor("join")
        assert phone.get("/").status_code == 200
        assert phone.get("/history").status_code == 200
        assert phone.get("/analyze").status_code == 200
        assert phone.get("/api/v1/sessions").json["sessions"] == []

    def test_sees_nobody_elses_sessions(self, shared):
        session_id = shared.session()
        phone, _ = shared.visitor("join")
        assert phone.get(f"/history/{session_id}").status_code == 404
        assert error_of(phone.send("GET", f"/api/v1/sessions/{session_id}")) == (404, "not_found")

    def test_imports_nothing_onto_the_hosts_disk(self, shared):
        phone, _ = shared.visitor("join")
        answer = phone.send("POST", "/api/v1/sessions/import", {})
        assert error_of(answer) == (403, "share_refused")
        button = phone.get("/history").text.split('id="import" ')[1].split(">")[0]
        assert button.endswith(" hidden")

    def test_is_not_the_host(self, shared):
        phone, link = shared.visitor("join")
        for method, path in (
            ("GET", ""),
            ("POST", "/links"),
            ("DELETE", f"/links/{link['id']}"),
            ("GET", f"/links/{link['id']}/qr.svg"),
            ("POST", "/stop"),
        ):
            assert error_of(phone.send(method, f"/api/v1/share{path}", {})) == (403, "forbidden")
        assert shared.application.links.get(link["id"]).ended is None

    def test_cannot_become_the_host_with_its_token(self, shared):
        phone, _ = shared.visitor("join")
        assert phone.get("/", query_string={"host": shared.application.owners.host_token}).status_code == 403
        assert phone.client.get_cookie(shared.application.owners.host_cookie) is None


class TestWatch:
    @pytest.mark.parametrize(
        "path", ["/analyze", "/history", "/compare", "/history/abc", "/healthz", "/nothing"]
    )
    def test_has_no_other_page(self, shared, path):
        phone, _ = shared.visitor("watch")
        answer = phone.get(path)
        assert answer.status_code == 403
        assert "Your link opens one page" in answer.text
        assert 'href="/"' in answer.text

    @pytest.mark.parametrize("path", API)
    def test_has_no_api(self, shared, path):
        phone, _ = shared.visitor("watch")
        assert phone.send("GET", path).status_code == 403

    def test_opening_the_live_page_leads_to_the_watch_page(self, shared):
        phone, _ = shared.visitor("watch")
        answer = phone.get("/")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/watch")
        assert error_of(phone.send("POST", "/", {})) == (403, "share_refused")


class TestSession:
    def test_opening_the_link_or_the_live_page_leads_to_the_session(self, shared, visit):
        phone, session_id = visit
        assert phone.get("/").headers["Location"] == f"/history/{session_id}"

    def test_the_page_is_read_only(self, visit):
        phone, session_id = visit
        answer = phone.get(f"/history/{session_id}")
        assert answer.status_code == 200
        assert 'data-read-only="true"' in answer.text

    @pytest.mark.parametrize(
        "part", ["", "/samples", "/summary", "/export?format=csv", "/export?format=json"]
    )
    def test_its_data_are_given(self, visit, part):
        phone, session_id = visit
        answer = phone.send("GET", f"/api/v1/sessions/{session_id}{part}")
        assert answer.status_code == 200
        assert answer.data
        assert answer.headers["Cache-Control"] == "no-store"

    def test_it_has_its_one_sample(self, visit):
        phone, session_id = visit
        assert phone.send("GET", f"/api/v1/sessions/{session_id}/samples").json["at_s"] == [0.5]
        details = phone.send("GET", f"/api/v1/sessions/{session_id}").json
        assert (details["mine"], details["samples"]) == (False, 1)

    @pytest.mark.parametrize(
        ("method", "part"),
        [
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/restore"),
            ("POST", "/markers"),
            ("PATCH", "/markers/x"),
            ("DELETE", "/markers/x"),
            ("POST", "/samples"),
        ],
    )
    def test_it_cannot_be_changed(self, shared, visit, method, part):
        phone, session_id = visit
        assert error_of(phone.send(method, f"/api/v1/sessions/{session_id}{part}", {})) == (
            403,
            "share_refused",
        )
        assert shared.application.history.get_session(session_id, None).name == "Shared film"

    def test_other_sessions_are_not_there(self, shared, visit):
        phone, session_id = visit
        other = shared.session()
        for each in (other, "nothing", f"{session_id}x", f"{session_id}/markers"):
            assert phone.get(f"/history/{each}").status_code == 404
            assert error_of(phone.send("GET", f"/api/v1/sessions/{each}")) == (404, "not_found")

    @pytest.mark.parametrize(
        "path",
        [
            "/analyze",
            "/history",
            "/compare?ids=a,b",
            "/watch",
            "/healthz",
            "/api/v1/sessions",
            "/api/v1/share",
        ],
    )
    def test_nothing_else_is_given(self, visit, path):
        phone, _ = visit
        assert error_of(phone.send("GET", path)) == (403, "share_refused")

    def test_even_ones_own_session_is_read_only_by_a_link(self, shared):
        phone, _ = shared.visitor("join")
        phone.get("/")
        owner = phone.client.get_cookie(shared.application.owners.owner_cookie)
        session_id = shared.session(owner=shared.application.owners.owner_of({owner.key: owner.value}))
        phone.open(shared.link("session", session=session_id))
        assert 'data-read-only="true"' in phone.get(f"/history/{session_id}").text

    def test_the_host_who_opens_the_link_may_still_change_it(self, shared):
        session_id = shared.session()
        shared.host.open(shared.link("session", session=session_id))
        assert 'data-read-only="false"' in shared.host.get(f"/history/{session_id}").text
        answer = shared.host.send("PATCH", f"/api/v1/sessions/{session_id}", {"name": "New"})
        assert answer.status_code == 200

    def test_another_browser_at_this_machine_reads_by_the_link(self, shared):
        session_id = shared.session()
        local = shared.browser("127.0.0.1")
        assert local.get(f"/history/{session_id}").status_code == 404
        local.open(shared.link("session", session=session_id))
        assert 'data-read-only="true"' in local.get(f"/history/{session_id}").text
        assert local.send("PATCH", f"/api/v1/sessions/{session_id}", {"name": "x"}).status_code == 404

    def test_a_session_that_was_deleted_meanwhile_says_so(self, shared):
        session_id = shared.session()
        phone, _ = shared.visitor("session", session=session_id)
        shared.application.history.delete_session(session_id, None)
        page = phone.get(f"/history/{session_id}")
        assert page.status_code == 404
        assert "The host has deleted the session" in page.text
        assert error_of(phone.send("GET", f"/api/v1/sessions/{session_id}")) == (404, "not_found")


def revoke(shared, link):
    shared.host.send("DELETE", f"/api/v1/share/links/{link['id']}", {})


def stop(shared, link):
    shared.host.send("POST", "/api/v1/share/stop", {})


def expire(shared, link):
    later = time.time() + 13 * 3600
    shared.application.links._clock = shared.application.authenticator._clock = lambda: later


def remove(shared, link):
    for visitor in shared.application.visitors.all():
        shared.host.send("DELETE", f"/api/v1/share/visitors/{visitor.id}", {})


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (revoke, "link_revoked", "withdrawn"),
        (stop, "sharing_stopped", "stopped sharing"),
        (expire, "link_expired", "time of this link is over"),
        (remove, "visitor_removed", "host has removed you"),
    ],
)
def test_each_end_has_its_own_words_for_the_cookie_and_for_the_link(own_shared, end, code, words):
    phone, link = own_shared.visitor("join")
    assert phone.get("/").status_code == 200
    end(own_shared, link)
    for answer in (phone.get("/"), phone.open(link)):
        assert answer.status_code == 403
        assert words in answer.text
        assert f'data-code="{code}"' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    assert error_of(phone.send("GET", "/api/v1/sessions")) == (403, code)
    assert own_shared.browser("127.0.0.1").get("/").status_code == 200


def test_a_removed_visitor_may_come_back_by_a_link_made_later(own_shared):
    phone, link = own_shared.visitor("join")
    remove(own_shared, link)
    phone.open(own_shared.link())
    assert phone.get("/").status_code == 200


def test_after_a_restart_an_old_link_and_its_cookie_say_that_sharing_stopped(tmp_path):
    first = Shared(tmp_path)
    phone, link = first.visitor("join")
    first.close()
    second = Shared(tmp_path)
    again = second.browser()
    again.client.set_cookie(phone.cookie.key, phone.cookie.value)
    for answer in (again.get("/"), again.open(link), second.browser().open(link)):
        assert answer.status_code == 403
        assert 'data-code="sharing_stopped"' in answer.text
    again.open(second.link())
    assert again.get("/").status_code == 200
    second.close()


@pytest.mark.parametrize("token", ["x", "x" * 24, "x" * 3000, "%00", "%2e%2e", "ä"])
def test_an_unknown_link_says_so_and_is_not_repeated(own_shared, token):
    answer = open_token(own_shared, token)
    assert answer.status_code == 404
    assert "No link has this address" in answer.text
    assert len(token) < 20 or token not in answer.text


def test_guessing_is_limited_by_address(own_shared):
    link = own_shared.link()
    for _ in range(MAX_FAILURES):
        assert open_token(own_shared, "x" * 24).status_code == 404
    answer = own_shared.browser().open(link)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "Too many wrong links" in answer.text
    assert own_shared.browser("192.168.1.8").open(link).status_code == 303


def test_an_ended_link_is_no_guess(own_shared):
    _, link = own_shared.visitor()
    revoke(own_shared, link)
    for _ in range(MAX_FAILURES + 1):
        assert own_shared.browser().open(link).status_code == 403


def test_the_token_is_in_no_file_no_log_and_no_table(own_shared, tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        phone, link = own_shared.visitor("join")
        token = link["urls"][0].rsplit("/", 1)[1]
        phone.get("/")
        phone.send("POST", f"/l/{token}", {})
        phone.get(f"/l/{token}/more")
        revoke(own_shared, link)
        phone.open(link)
    assert token not in caplog.text
    with own_shared.application.history.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM links").all()
    assert len(rows) == 1
    assert token not in repr(rows)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "history.sqlite3" for path in files)
    assert not [path for path in files if token.encode() in path.read_bytes()]


def test_a_visitor_is_told_apart_from_its_address(shared):
    phone, _ = shared.visitor()
    assert shared.browser(PHONE).get("/").status_code == 403
    elsewhere = shared.browser("192.168.1.99")
    elsewhere.client.set_cookie(phone.cookie.key, phone.cookie.value)
    assert elsewhere.get("/").status_code == 200  # phones change their address when they change networks
