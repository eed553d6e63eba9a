"""The file that sets up rules and receivers: what it may say, and that it gives no secret away."""

import builtins
import json
import sys

import pytest

from fer_web.errors import SettingsError, SetupError
from fer_web.events.events_file import MAX_EVENTS_FILE_BYTES, MAX_RECEIVERS, read_events_file
from fer_web.events.rules import Rule
from tests.support.documents import blocks_of

SECRET = "a secret of more than 16 bytes"
HOOK = {"kind": "webhook", "name": "door", "url": "https://example.org/hook", "secret_env": "DOOR_SECRET"}
MQTT = {"kind": "mqtt", "name": "home", "host": "127.0.0.1"}
LSL = {"kind": "lsl", "name": "lab"}


def read(folder, value, name="events.json", **environment):
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return read_events_file(path, {"DOOR_SECRET": SECRET, **environment})


def test_the_examples_of_the_documentation_are_read(tmp_path):
    rules, receivers = (blocks_of("docs/events.md", name, "toml")[0] for name in ("Rules", "Receivers"))
    (tmp_path / "mqtt_password").write_text("p4ssword\n")
    receivers = receivers.replace('ca_file = "ca.pem"', "#")
    config = read(tmp_path, receivers + rules, "events.toml")
    assert config.rules == (Rule("sad", 5, 1, ("marker", "sound", "send"), "Sad for 5 s"),)
    assert [(each.state().name, each.state().kind) for each in config.deliveries] == [
        ("door", "webhook"),
        ("home", "mqtt"),
        ("lab", "lsl"),
    ]
    assert (config.keys, config.are_visitors_sent) == (frozenset({"laptop"}), False)
    assert [each.wants_frames for each in config.deliveries] == [False, True, True]


def test_an_empty_file_sets_nothing_up(tmp_path):
    for name in ("events.toml", "events.json"):
        config = read(tmp_path, "" if name.endswith("toml") else "{}", name)
        assert (config.rules, config.deliveries, config.keys, config.are_visitors_sent) == (
            (),
            (),
            set(),
            False,
        )


def test_secrets_come_from_the_environment_or_a_file_beside_it(tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    hook = {key: value for key, value in HOOK.items() if key != "secret_env"}
    assert read(tmp_path, {"receivers": [{**hook, "secret_file": "secret"}]}).deliveries
    by_environment = {key: value for key, value in HOOK.items() if key != "url"} | {"url_env": "DOOR_URL"}
    assert read(tmp_path, {"receivers": [by_environment]}, DOOR_URL="https://example.org/t0ken").deliveries


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[", "events.json: it is no JSON"),
        ("[]", "it holds visitors, keys, rules, receivers; list came."),
        ("9" * (MAX_EVENTS_FILE_BYTES + 1), "are allowed"),
        ('{"a":' * 5000, "it is no JSON"),
        ({"receiver": []}, "the file may have visitors, keys, rules, receivers; 'receiver' came."),
        ({"visitors": "yes"}, "visitors is of type bool; str came."),
        ({"keys": [1]}, "keys is a list of names or ids"),
        ({"rules": [{"when": "bored"}]}, "Rule 1: A rule's when is one of"),
        ({"receivers": [LSL] * (MAX_RECEIVERS + 1)}, "it has 11 receivers; 10 are allowed."),
        ({"receivers": [LSL, LSL]}, "two receivers are called 'lab'"),
        ({"receivers": ["lsl"]}, "receiver 1 is a table"),
        ({"receivers": [LSL, {"kind": "fax"}]}, "receiver 2: kind is one of webhook, mqtt, lsl; 'fax' came."),
        ({"receivers": [{**LSL, "name": "a\nb"}]}, "receiver 1: name is one line"),
        ({"receivers": [{**LSL, "scope": "world"}]}, "receiver 1: scope is one of machine, link, site"),
        ({"receivers": [{**HOOK, "secret": SECRET}]}, "receiver 1 may have kind, name, url"),
        ({"receivers": [{**HOOK, "secret_file": "x"}]}, "secret_env and secret_file came."),
        ({"receivers": [{**HOOK, "secret_env": "UNSET"}]}, "nothing stands in 'UNSET'"),
        ({"receivers": [{**HOOK, "secret_env": "SHORT"}]}, "a secret has at least 16 bytes; this one has 5."),
        ({"receivers": [{**HOOK, "url": "https://user:s3cret@example.org/"}]}, "url may have no user"),
        ({"receivers": [{**HOOK, "allow_private": 1}]}, "allow_private is of type bool; int came."),
        (
            {"receivers": [{**HOOK, "ca_file": "missing.pem"}]},
            "missing.pem, which ca_file names, is no certificate",
        ),
        ({"receivers": [{**MQTT, "port": 0}]}, "port 1 to 65535"),
        ({"receivers": [{**MQTT, "port": True}]}, "port is of type int; bool came."),
        ({"receivers": [{**MQTT, "topic": "#"}]}, "topic is an MQTT topic"),
        ({"receivers": [{**MQTT, "topic": ""}]}, "topic is an MQTT topic"),
        ({"receivers": [{**MQTT, "user": "fer"}]}, "receiver 1 needs password_env"),
        ({"receivers": [{**MQTT, "password": "s3cret", "user": "x"}]}, "receiver 1 may have"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_is_repeated(tmp_path, value, told):
    with pytest.raises(SettingsError) as raised:
        read(tmp_path, value, SHORT="12345")
    text = str(raised.value)
    assert text.startswith("events.json: ")
    assert told in text
    assert SECRET not in text
    assert "s3cret" not in text
    assert len(text) < 400


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_events_file(tmp_path / "none.toml", {})


@pytest.mark.parametrize(("receiver", "package"), [(MQTT, "paho"), (LSL, "pylsl")])
def test_a_package_that_is_missing_is_named_with_what_installs_it(tmp_path, monkeypatch, receiver, package):
    really_import = builtins.__import__

    def without(name, *arguments, **options):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return really_import(name, *arguments, **options)

    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SetupError, match=r"pip install -r requirements-events\.txt"):
        read(tmp_path, {"receivers": [receiver]})
    assert read(tmp_path, {"receivers": [HOOK]}).deliveries
