import re
from dataclasses import fields

import pytest

from fer_web.realtime.events import EVENTS
from fer_web.realtime.protocol import DROPPED_NEWER, DROPPED_OVERLOADED, DROPPED_STOPPED
from fer_web.settings import Settings, settings_from
from tests.support.documents import read
from tests.support.servers import ROOT
from tests.test_imports import LAYERS


def option_of(item):
    return (
        f"FER_{item.name.upper()}"
        if "only_environment" in item.metadata
        else f"--{item.name.replace('_', '-')}"
    )


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_every_setting_stands_in_the_table_of_its_page(item):
    rows = [line for line in read("docs/cli.md").splitlines() if line.startswith("| ")]
    assert sum(f"`{option_of(item)}`" in row for row in rows) == 1


def test_help_describes_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit):
        settings_from(["--help"], {})
    told = " ".join(capsys.readouterr().out.partition("options:")[2].split())
    options = [item for item in fields(Settings) if "only_environment" not in item.metadata]
    assert told.count("(default: ") == len(options)
    for item in options:
        assert re.search(rf" {option_of(item)} \S+ \w+.*?\(default: ", told), item.name


@pytest.mark.parametrize(
    "name",
    [
        *EVENTS,
        *("closing", "watched", "view", "state", "saved", "recording_problem", "rule", "marked"),
        *(DROPPED_NEWER, DROPPED_OVERLOADED, DROPPED_STOPPED),
        *("too_many_messages", "slow_reader", "link_needed", "moving"),
        *("link_expired", "link_revoked", "sharing_stopped", "visitor_removed"),
    ],
)
def test_every_event_and_reason_stands_in_the_protocol(name):
    assert f"`{name}`" in read("docs/protocol.md")


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/security.md", "docs/cli.md"])
def test_every_path_that_a_document_names_exists(name):
    for path in re.findall(r"(?:fer_web|train|static/js|tests|benchmarks|templates)/[\w/.*]*", read(name)):
        assert list(ROOT.glob(path.rstrip("./"))), f"{name} names {path}"


def test_every_flow_names_its_files():
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", read("ARCHITECTURE.md"), re.DOTALL | re.MULTILINE)
    flows = [text for language, text in blocks if not language]
    assert len(flows) == 4
    for line in "".join(flows).splitlines():
        assert (ROOT / line.split()[0]).is_file(), line


def test_the_diagram_shows_every_layer_and_only_imports_that_go_down():
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", read("ARCHITECTURE.md"), re.DOTALL)
    layer_of = {name: row for row, names in enumerate(LAYERS) for name in names}
    assert set(layer_of) <= set(re.findall(r"\w+", diagram))
    for line in re.findall(r".* --> .*", diagram):
        above, below = (
            [row for name, row in layer_of.items() if name in re.findall(r"\w+", side)]
            for side in line.split("-->")
        )
        assert "app.py" in line or min(above) > max(below), line


def test_every_option_that_the_page_names_exists():
    known = {item.name.replace("_", "-") for item in fields(Settings)}
    for folder, pattern in (("static/js", "*.js"), ("templates", "*.html")):
        for path in (ROOT / folder).rglob(pattern):
            named = set(re.findall(r"\s--([a-z][a-z-]+)", path.read_text()))
            assert named <= known, f"{path.name} names {named - known}"
