"""Requests that the OpenAPI document allows, and many that it forbids: no answer contradicts it."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    ignored_auth,
    positive_data_acceptance,
)

from fer_web.web.api.openapi import build_document
from tests.support.analysing import analysing_application
from tests.support.sample_tables import chunks, table_of
from tests.support.sessions import session_with

SHORT = table_of([(0.0, 1, "happy", 0.9), (0.2, 2, "unsure", 0.4), (0.9, 1, "sad", 0.7)])


class Served:
    """The application, as from this machine; before there is one, the document, for the tests' names."""

    flask = None

    def __call__(self, environ, start_response):
        if self.flask is None:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(build_document()).encode()]
        return self.flask({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


# A key is needed by outsiders alone: test_keys_api.py has them. What a schema allows may still be refused,
# such as a name with control characters.
NOT_HERE = [ignored_auth, positive_data_acceptance]
# It is the address of a session too, one that cannot be.
EXCLUDED = {"/api/v1/sessions/import": [*NOT_HERE, allow_header_conformance]}


@schemathesis.serializer("video/*")
def as_it_is(_context, value):
    """Videos are bytes."""
    return value.data if hasattr(value, "data") else str(value).encode()


SERVED = Served()
DOCUMENT = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", SERVED)


class Asker:
    """Headers of who asks, and ids of what there is."""

    def __init__(self, application):
        key, text = application.keys.create("fuzz")
        self.key = {"Authorization": f"Bearer {text}"}
        browser = application.flask.test_client()
        browser.get("/", query_string={"host": application.owners.host_token})
        cookie = browser.get_cookie(application.owners.host_cookie)
        self.host = {"Cookie": f"{cookie.key}={cookie.value}", "Origin": "http://localhost"}
        self._store = application.history
        self._owner = key.owner

    def session(self):
        """Id of a session that the key may see."""
        session = session_with(length_s=0.9, name="Film", tags=("evening",))
        return self._store.import_session(session, self._owner, chunks(SHORT)).id


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    with analysing_application(tmp_path_factory.mktemp("fuzz")) as built:
        SERVED.flask = built.flask
        yield built


@pytest.fixture(scope="module")
def asker(application):
    return Asker(application)


def _test_of(operation):
    @DOCUMENT.include(method=operation.method, path=operation.path).parametrize()
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def no_answer_contradicts_the_document(case, asker):
        if "session" in case.path_parameters and case.meta.generation.mode.is_positive:
            case.path_parameters["session"] = asker.session()
        headers = asker.host if case.path.startswith("/api/v1/keys") else asker.key
        case.call_and_validate(headers=headers, excluded_checks=EXCLUDED.get(case.path, NOT_HERE))

    return no_answer_contradicts_the_document


OPERATIONS = {each.ok().definition.raw["operationId"]: each.ok() for each in DOCUMENT.get_all_operations()}
# Under pytest 9.2 the tests that Schemathesis makes of one function all have the same id, and of those xdist
# runs one only: so each has a function of its own.
globals().update({f"test_{name}": _test_of(operation) for name, operation in OPERATIONS.items()})


def test_every_operation_of_the_document_is_asked():
    described = [
        operation["operationId"]
        for path in build_document()["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    # Schemathesis leaves out the address of the document itself.
    assert sorted([*OPERATIONS, "getDocument"]) == sorted(described)
