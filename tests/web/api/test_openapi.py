import re

import pytest

from fer_web.web.api.openapi import AREAS, PREFIX, build_document
from tests.support.analysing import analysing_application

UNDOCUMENTED = f"{PREFIX}/share"
"""For the page of the host alone."""


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    with analysing_application(tmp_path_factory.mktemp("openapi")) as built:
        yield built


def documented():
    return {
        (method.upper(), path)
        for path, item in build_document()["paths"].items()
        for method in item.keys() - {"parameters"}
    }


def references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for value in part.values():
            yield from references(value)
    if isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_address_is_documented_and_every_documented_one_exists(application):
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+?)(?:_id)?>", r"{\1}", rule.rule))
        for rule in application.flask.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(PREFIX) and not rule.rule.startswith(UNDOCUMENTED)
    }
    assert served == documented()


def test_every_operation_has_a_name_of_its_own_and_a_tag_that_exists():
    document = build_document()
    tags = {tag["name"] for tag in document["tags"]}
    names = []
    for item in document["paths"].values():
        for method in item.keys() - {"parameters"}:
            assert set(item[method]["tags"]) <= tags
            names.append(item[method]["operationId"])
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere_and_every_schema_is_used():
    document = build_document()
    used = set(references(document))
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in document["components"][kind]
    }
    assert used == there


def test_every_path_parameter_is_declared():
    for path, item in build_document()["paths"].items():
        declared = [each["name"] for each in item.get("parameters", []) if each["in"] == "path"]
        assert re.findall(r"{(\w+)}", path) == declared


def test_no_two_areas_define_the_same():
    for kind in ("PATHS", "SCHEMAS"):
        names = [name for area in AREAS for name in getattr(area, kind)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/openapi.json", "/health"])
def test_the_server_says_what_it_is(application, path):
    answer = application.flask.test_client().get(PREFIX + path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    if path == "/openapi.json":
        assert answer.json == build_document()
    else:
        assert answer.json["status"] == "ok"
        assert set(answer.json) == {"status", "version", "model"}
