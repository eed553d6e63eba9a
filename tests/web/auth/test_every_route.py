"""Every address and method that the server knows: whom it is for, and what the others get."""

import re

import pytest

from tests.support.shared_application import Shared

PUBLIC = "public"
"""Holds nothing of anybody."""
OPERATING = "operating"
"""For who runs the server: whether it lives, and how it does."""
VISITOR = "visitor"
"""This machine, keys, and visitors whose link lets them do it."""
OWNER = "owner"
"""What somebody made, for that one alone: to others it does not exist."""
HOST = "host"
"""The host, at the server's machine, alone."""

CLASSES = {
    r"/static/.*|/vendor/<name>|/trust(/.*)?|/l/<token>.*": PUBLIC,
    r"/livez|/readyz|/metrics": OPERATING,
    r"/api/v1/(keys|share|settings|backup)(/.*)?": HOST,
    r"/api/v1/(sessions|videos|folder-tests)/<.*|/history/<session_id>": OWNER,
    r"/|/analyze|/api|/compare|/history|/watch|/overlay|/healthz": VISITOR,
    r"/api/v1/(health|openapi.json|predict|events|events/receivers)": VISITOR,
    r"/api/v1/(sessions|videos|folder-tests|sessions/import)": VISITOR,
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ABSENT = "aaaaaaaaaaaaaaaa"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    built = Shared(tmp_path_factory.mktemp("routes"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def routes(shared):
    """Pairs of a rule's text and a method."""
    return sorted(
        (rule.rule, method)
        for rule in shared.application.flask.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )


def class_of(rule):
    found = {kind for pattern, kind in CLASSES.items() if re.fullmatch(pattern, rule)}
    assert len(found) == 1, f"{rule} is for {found or 'nobody'}: name it once in CLASSES"
    return found.pop()


def path_of(rule, identifier=ABSENT):
    return re.sub(r"<(int:|path:)?\w+>", lambda match: "1" if match[1] == "int:" else identifier, rule)


def of_class(routes, kind):
    found = [(rule, method) for rule, method in routes if class_of(rule) == kind]
    assert found or kind == OPERATING
    return found


def wrong_answers(asked, expected):
    return [(what, answer) for what, answer in asked if answer != expected]


def test_every_route_is_for_somebody(routes):
    assert len({class_of(rule) for rule, _ in routes}) >= 4


def test_strangers_get_what_is_public_and_nothing_else(shared, routes):
    stranger = shared.browser()
    rules = {rule for rule, _ in routes if class_of(rule) in (VISITOR, OWNER, HOST)}
    asked = [
        ((method, rule), stranger.send(method, path_of(rule), {}).status_code)
        for rule in rules
        for method in METHODS
    ]
    assert len(asked) > 200
    assert wrong_answers(asked, 403) == []
    assert stranger.get("/metrics").status_code in (401, 403, 404)


def test_what_is_the_hosts_is_refused_to_all_others(shared, routes):
    visitor, _ = shared.visitor()
    watcher, _ = shared.visitor("watch")
    neighbour = shared.browser("127.0.0.1")
    others = {"visitor": visitor, "watcher": watcher, "neighbour": neighbour}
    asked = [
        ((name, method, rule), other.send(method, path_of(rule), {}).status_code)
        for name, other in others.items()
        for rule, method in of_class(routes, HOST)
    ]
    assert len(asked) >= 30
    assert wrong_answers(asked, 403) == []


def test_a_key_does_not_open_what_is_the_hosts(shared, routes):
    made = shared.host.send("POST", "/api/v1/keys", {"name": "script"})
    headers = {"Authorization": f"Bearer {made.json['key']}", "Accept": "application/json"}
    asked = [
        (
            (method, rule),
            shared.browser().client.open(path_of(rule), method=method, headers=headers, json={}).status_code,
        )
        for rule, method in of_class(routes, HOST)
    ]
    assert [each for each in asked if each[1] not in (401, 403)] == []


def test_what_is_somebody_elses_looks_like_what_does_not_exist(shared, routes):
    session_id = shared.session()
    visitor, _ = shared.visitor()
    others = {"visitor": visitor, "neighbour": shared.browser("127.0.0.1")}
    sessions = [item for item in of_class(routes, OWNER) if "<session_id>" in item[0]]
    assert len(sessions) >= 10
    for name, other in others.items():
        for rule, method in sessions:
            foreign, absent = (other.send(method, path_of(rule, each), {}) for each in (session_id, ABSENT))
            assert foreign.status_code == absent.status_code, (name, method, rule)
            assert foreign.text.replace(session_id, ABSENT) == absent.text, (name, method, rule)
            assert foreign.status_code in (400, 404), (name, method, rule)
    assert shared.host.get(f"/api/v1/sessions/{session_id}").status_code == 200, "it is still there"


def test_who_may_only_look_changes_nothing(shared, routes):
    watcher, _ = shared.visitor("watch")
    asked = [
        ((method, rule), watcher.send(method, path_of(rule), {}).status_code)
        for rule, method in routes
        if method != "GET" and class_of(rule) in (VISITOR, OWNER, HOST)
    ]
    assert len(asked) >= 15
    assert [each for each in asked if each[1] not in (403, 404)] == []


def test_every_answer_forbids_scripts_of_others(shared, routes):
    loose = []
    for rule, method in routes:
        with shared.host.client.open(path_of(rule), method=method) as answer:
            policy = answer.headers["Content-Security-Policy"]
            parts = dict(part.split(" ", 1) for part in policy.split("; "))
            if parts["script-src"] != "'self'" or parts["default-src"] != "'none'" or "unsafe" in policy:
                loose.append((rule, policy))
    assert loose == []
