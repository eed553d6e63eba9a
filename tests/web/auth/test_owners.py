import pytest

from fer_web.factory import create_application
from fer_web.settings import Settings
from fer_web.web.auth.owners import Owners
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("owner")
    settings = Settings(
        model=write_empty_model(tmp_path / "m"), async_mode="threading", detector="haar", data_dir=tmp_path
    )
    built = create_application(settings, [InstantPipeline()])
    yield built
    built.scheduler.stop()
    built.close()


@pytest.fixture
def client(application):
    return application.flask.test_client()


def owner_in(application, client):
    cookie = client.get_cookie(application.owners.owner_cookie)
    return cookie and application.owners.owner_of({cookie.key: cookie.value})


@pytest.mark.parametrize("path", ["/", "/history", "/api/v1/sessions"])
def test_a_new_browser_becomes_an_owner(application, client, path):
    client.get(path)
    cookie = client.get_cookie(application.owners.owner_cookie)
    assert owner_in(application, client)
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.max_age > 300 * 86400


@pytest.mark.parametrize(
    "path", ["/static/js/live/live_page.js", "/healthz", "/vendor/socket.io.esm.min.js", "/nothing"]
)
def test_files_set_no_cookie(application, client, path):
    with client.get(path) as answer:
        assert "Set-Cookie" not in answer.headers


def test_an_owner_stays_the_same(application, client):
    client.get("/")
    owner = owner_in(application, client)
    for path in ("/", "/history", "/api/v1/sessions"):
        client.get(path)
        assert owner_in(application, client) == owner


def test_owners_differ(application):
    owners = set()
    for _ in range(3):
        client = application.flask.test_client()
        client.get("/")
        owners.add(owner_in(application, client))
    assert len(owners) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value + "x",
        lambda value: value[:-1],
        lambda value: "victim" + value[value.index(".") :],
        lambda value: value.split(".")[0],
        lambda value: "",
        lambda value: ".",
        lambda value: "ÿ" * 50,
        lambda value: Owners(bytes(32)).signed("victim"),
    ],
)
def test_a_cookie_that_was_tampered_with_makes_a_new_owner(application, client, change):
    client.get("/")
    owner = owner_in(application, client)
    name = application.owners.owner_cookie
    client.set_cookie(name, change(client.get_cookie(name).value))
    client.get("/")
    assert owner_in(application, client) not in (None, owner, "victim")


def test_a_host_cookie_is_no_owner_cookie_and_the_other_way_round():
    owners = Owners(SECRET)
    value = owners.signed(owners.host_token)
    assert owners.owner_of({owners.owner_cookie: value}) == owners.host_token
    assert owners._host.read({owners.host_cookie: value}) is None


def test_another_servers_cookie_has_another_name():
    assert Owners(SECRET).owner_cookie != Owners(bytes(32)).owner_cookie
    assert Owners(SECRET).owner_cookie == Owners(SECRET).owner_cookie


def is_host(application, client, **options):
    headers = {"Content-Type": "application/json", "Origin": "http://localhost"}
    answer = client.delete("/api/v1/sessions?everyone=1", data="{}", headers=headers, **options)
    return answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/history", "/history/"])
def test_the_token_is_swapped_for_a_cookie_and_a_clean_address(application, client, path):
    answer = client.get(path, query_string={"host": application.owners.host_token, "a": "b"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == path
    assert client.get_cookie(application.owners.host_cookie).http_only
    assert is_host(application, client)


def test_the_swap_leads_to_no_other_site(application, client):
    path = {"environ_overrides": {"PATH_INFO": "//evil.example"}}
    answer = client.get("/", query_string={"host": application.owners.host_token}, **path)
    assert answer.headers["Location"] == "/evil.example"


@pytest.mark.parametrize("token", ["", "wrong", "ž", "\0"])
def test_a_wrong_token_opens_nothing(application, client, token):
    answer = client.get("/", query_string={"host": token}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")
    assert not is_host(application, client)


def test_nobody_is_the_host_without_the_token(application, client):
    client.get("/")
    assert not is_host(application, client)


@pytest.mark.parametrize("address", ["192.168.1.20", "::ffff:192.168.1.20", "", "nonsense"])
def test_the_token_and_its_cookie_are_worth_nothing_on_another_machine(application, client, address):
    elsewhere = {"environ_base": {"REMOTE_ADDR": address}}
    answer = client.get("/", query_string={"host": application.owners.host_token}, **elsewhere)
    assert answer.status_code == 403
    client.get("/", query_string={"host": application.owners.host_token})
    assert is_host(application, client)
    assert not is_host(application, client, **elsewhere)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.9.1"])
def test_every_loopback_address_is_this_machine(application, client, address):
    here = {"environ_base": {"REMOTE_ADDR": address}}
    client.get("/", query_string={"host": application.owners.host_token}, **here)
    assert is_host(application, client, **here)


def test_the_host_cookie_ends_with_the_server(application, client, monkeypatch):
    client.get("/", query_string={"host": application.owners.host_token})
    monkeypatch.setattr(application.owners, "host_token", "the next start's")
    assert not is_host(application, client)


@pytest.mark.parametrize("path", ["/", "/history", "/api/v1/sessions", "/?host=TOKEN"])
def test_no_proxy_keeps_an_answer_with_a_cookie(application, client, path):
    answer = client.get(path.replace("TOKEN", application.owners.host_token))
    assert answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"
