import re
from dataclasses import fields

import pytest

from fer_web.realtime.events import EVENTS
from fer_web.realtime.protocol import DROPPED_NEWER, DROPPED_OVERLOADED, DROPPED_STOPPED
from fer_web.settings import Settings
from tests.support.servers import ROOT


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_stands_in_the_readme(name):
    assert f"`--{name.replace('_', '-')}`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "name",
    [*EVENTS, "closing", "watched", "view", "state", DROPPED_NEWER, DROPPED_OVERLOADED, DROPPED_STOPPED],
)
def test_every_event_and_reason_stands_in_the_architecture(name):
    assert f"`{name}`" in (ROOT / "ARCHITECTURE.md").read_text()


def test_every_module_of_the_data_flow_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    flow = text.split("```")[1]
    for word in flow.split():
        if word.endswith(".py"):
            assert (ROOT / "fer_web" / word).is_file(), word
        if word.endswith(".js"):
            assert (ROOT / "static" / "js" / word).is_file(), word


def test_every_option_that_the_page_names_exists():
    known = {item.name.replace("_", "-") for item in fields(Settings)}
    for folder, pattern in (("static/js", "*.js"), ("templates", "*.html")):
        for path in (ROOT / folder).rglob(pattern):
            named = set(re.findall(r"\s--([a-z][a-z-]+)", path.read_text()))
            assert named <= known, f"{path.name} names {named - known}"
