"""Reads the file that sets up rules and receivers. docs/events.md describes it."""

import json
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_web.errors import InvalidValueError, SettingsError
from fer_web.events.delivery import Delivery, Receiver
from fer_web.events.lsl import SCOPES, LslReceiver, check_lsl
from fer_web.events.mqtt import Broker, MqttReceiver, check_mqtt
from fer_web.events.rules import Rule, parse_rules
from fer_web.events.webhook import WebhookReceiver, secret_key, web_address

MAX_EVENTS_FILE_BYTES: Final = 100_000
"""A larger events file is not read."""

MAX_RECEIVERS: Final = 10
"""Receivers of the events file."""

_KEYS: Final = ("visitors", "keys", "rules", "receivers")
_LOGIN: Final = ("user", "password_env", "password_file")
_KINDS: Final = ("webhook", "mqtt", "lsl")


@dataclass(frozen=True)
class EventsConfig:
    """The events file, read.

    Attributes:
        rules: they hold for each stream that receivers are told of.
        deliveries: to the receivers; not started.
        keys: names or ids of the API keys that hear the events of this machine's streams.
        are_visitors_sent: whether streams from elsewhere reach receivers too.
    """

    rules: tuple[Rule, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    keys: frozenset[str] = frozenset()
    are_visitors_sent: bool = False


def read_events_file(path: Path, environment: Mapping[str, str] = os.environ) -> EventsConfig:
    """Read a TOML or JSON file, and build its receivers.

    Raises: SettingsError: the file, and what is wrong in it; the text holds no secret. SetupError: a package
        is not installed.
    """
    try:
        return _config(_table(path), path.parent, environment)
    except (InvalidValueError, SettingsError) as exc:
        raise SettingsError(f"{path.name}: {exc}") from exc


def _table(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise SettingsError(
            f"the events file cannot be read ({exc.strerror}). Name one that is there."
        ) from exc
    if len(data) > MAX_EVENTS_FILE_BYTES:
        raise SettingsError(f"it has {len(data)} bytes; {MAX_EVENTS_FILE_BYTES} are allowed.")
    try:
        text = data.decode()
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise SettingsError(f"it is no {kind}: {exc}") from exc
    if not isinstance(table, dict):
        raise SettingsError(f"it holds {', '.join(_KEYS)}; {type(table).__name__} came.")
    return table


def _config(table: dict[str, Any], folder: Path, environment: Mapping[str, str]) -> EventsConfig:
    section = _Section("the file", table, folder, environment)
    section.allow(_KEYS)
    rules = parse_rules(table.get("rules", []))
    keys = section.take("keys", list, [])
    if not all(isinstance(key, str) for key in keys):
        raise SettingsError("keys is a list of names or ids of API keys.")
    receivers = section.take("receivers", list, [])
    if len(receivers) > MAX_RECEIVERS:
        raise SettingsError(f"it has {len(receivers)} receivers; {MAX_RECEIVERS} are allowed.")
    deliveries = [
        _delivery(number, each, rules, folder, environment) for number, each in enumerate(receivers, start=1)
    ]
    names = [each.name for each in deliveries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"two receivers are called {twice[0]!r}. Give each a name of its own.")
    is_sent = section.take("visitors", bool, False)
    return EventsConfig(rules, tuple(deliveries), frozenset(keys), is_sent)


def _delivery(
    number: int, value: Any, rules: tuple[Rule, ...], folder: Path, environment: Mapping[str, str]
) -> Delivery:
    where = f"receiver {number}"
    if not isinstance(value, dict):
        raise SettingsError(f"{where} is a table with kind and name; {type(value).__name__} came.")
    section = _Section(where, value, folder, environment)
    kind = section.take("kind", str, "")
    if kind not in _KINDS:
        raise SettingsError(f"{where}: kind is one of {', '.join(_KINDS)}; {kind!r:.40} came.")
    name = section.take("name", str, kind)
    if not name or len(name) > 40 or not name.isprintable():
        raise SettingsError(f"{where}: name is one line of at most 40 characters; {name!r:.60} came.")
    receiver: Receiver
    try:
        if kind == "webhook":
            receiver = _webhook(section)
        elif kind == "mqtt":
            receiver = _mqtt(section, rules)
        else:
            receiver = _lsl(section)
    except SettingsError as exc:
        text = str(exc)
        raise SettingsError(text if text.startswith(where) else f"{where}: {text}") from exc
    return Delivery(name, receiver)


def _webhook(section: "_Section") -> Receiver:
    section.allow(("kind", "name", "url", "url_env", "secret_env", "secret_file", "allow_private", "ca_file"))
    # An address may hold a token, so that it too may stand in the environment.
    url = section.secret("url") if "url_env" in section.table else section.take("url", str, "")
    secret = secret_key(section.secret("secret"))
    is_private_allowed = section.take("allow_private", bool, False)
    return WebhookReceiver(
        web_address(url), secret, allow_private=is_private_allowed, tls=section.tls_context()
    )


def _mqtt(section: "_Section", rules: tuple[Rule, ...]) -> Receiver:
    section.allow(("kind", "name", "host", "port", "tls", "ca_file", "topic", "discovery", *_LOGIN))
    check_mqtt()
    host = section.take("host", str, "127.0.0.1")
    has_tls = section.take("tls", bool, False)
    port = section.take("port", int, 8883 if has_tls else 1883)
    if not host or not 1 <= port <= 65535:
        raise SettingsError(f"host is a name and port 1 to 65535; {host!r:.60} and {port} came.")
    user = section.take("user", str, "")
    return MqttReceiver(
        Broker(
            host,
            port,
            user=user,
            password=section.secret("password") if user else "",
            topic=_topic("topic", section.take("topic", str, "fer-web")),
            discovery=_topic("discovery", section.take("discovery", str, "homeassistant"), may_be_empty=True),
            tls=(section.tls_context() or ssl.create_default_context()) if has_tls else None,
        ),
        rules,
    )


def _lsl(section: "_Section") -> Receiver:
    section.allow(("kind", "name", "scope"))
    check_lsl()
    scope = section.take("scope", str, "machine")
    if scope not in SCOPES:
        raise SettingsError(f"scope is one of {', '.join(SCOPES)}; {scope!r:.40} came.")
    return LslReceiver(scope)


def _topic(key: str, text: str, *, may_be_empty: bool = False) -> str:
    is_fine = (
        text.isprintable() and len(text) <= 100 and not set(text) & set("#+ ") and not text.startswith("$")
    )
    if not is_fine or text.strip("/") != text or not (text or may_be_empty):
        raise SettingsError(f"{key} is an MQTT topic without # and +, such as fer-web; {text!r:.60} came.")
    return text


class _Section:
    """A table of the file, with where it stands."""

    def __init__(
        self, where: str, table: dict[str, Any], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.table = table
        self._where = where
        self._folder = folder
        self._environment = environment

    def allow(self, keys: tuple[str, ...]) -> None:
        """Raises SettingsError: another key is there."""
        if unknown := sorted(set(self.table) - set(keys)):
            raise SettingsError(f"{self._where} may have {', '.join(keys)}; {unknown[0]!r:.40} came.")

    def take(self, key: str, kind: type, default: Any) -> Any:
        """The value of a key. Raises SettingsError: it is of another type."""
        value = self.table.get(key, default)
        if type(value) is not kind:
            raise SettingsError(
                f"{self._where}: {key} is of type {kind.__name__}; {type(value).__name__} came."
            )
        return value

    def secret(self, name: str) -> str:
        """What stands in the environment under NAME_env, or in the file NAME_file.

        Raises: SettingsError: neither or both are named, or nothing stands there.
        """
        keys = [key for key in (f"{name}_env", f"{name}_file") if key in self.table]
        if len(keys) != 1:
            raise SettingsError(
                f"{self._where} needs {name}_env, which names an environment variable, or {name}_file, which "
                f"names a file; {' and '.join(keys) or 'neither'} came."
            )
        where = self.take(keys[0], str, "")
        text = self._environment.get(where, "") if keys[0].endswith("_env") else self._read(where)
        if not text:
            raise SettingsError(f"{self._where}: nothing stands in {where!r:.80}, which {keys[0]} names.")
        return text

    def tls_context(self) -> ssl.SSLContext | None:
        """One that trusts the authority of ca_file; None without it. Raises SettingsError."""
        if "ca_file" not in self.table:
            return None
        path = self._folder / self.take("ca_file", str, "")
        try:
            return ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as exc:
            raise SettingsError(
                f"{self._where}: {path.name}, which ca_file names, is no certificate."
            ) from exc

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError):
            return ""
