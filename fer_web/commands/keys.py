"""python -m fer_web keys: who may use the HTTP API from elsewhere."""

import argparse
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from fer_web.commands.parsers import parser_with_examples
from fer_web.history.repository import open_history
from fer_web.settings import settings_from
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import ApiKey, KeyBook

_EXAMPLES = """examples:
  python -m fer_web keys create laptop
  python -m fer_web keys list
  python -m fer_web keys revoke ID

A program sends its key with each request: Authorization: Bearer fer_...
A server that runs heeds what is made and revoked here at once.
exit status: 0 done, 1 refused or failed, with the reason on standard error, 2 wrong arguments.
The database is the server's: --data-dir FOLDER, or FER_DATA_DIR and FER_DATABASE_URL in the environment."""


def add_keys(tools: Any) -> None:
    """Add the tool to the command line."""
    keys = parser_with_examples(
        tools.add_parser, "keys", help="make, list and revoke keys of the HTTP API", epilog=_EXAMPLES
    )
    commands = keys.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = _command(commands, "create", create_key, "make a key, which is shown this once")
    create.add_argument("name", metavar="NAME", help="by which it is known when it is to be revoked")
    _command(commands, "list", list_keys, "list keys, the newest first, without what opens")
    revoke = _command(commands, "revoke", revoke_key, "end a key at once")
    revoke.add_argument("id", metavar="ID", help="as list shows it")


def create_key(keys: KeyBook, given: argparse.Namespace) -> None:
    """Make a key and print what opens."""
    key, text = keys.create(given.name)
    lines = (text, f"This is the key {key.name} ({key.id}). Keep it: it cannot be shown again.")
    _print(given, {**key.to_wire(), "key": text}, *lines)


def list_keys(keys: KeyBook, given: argparse.Namespace) -> None:
    """Print all keys."""
    found = keys.all()
    _print(given, [key.to_wire() for key in found], *(list(map(_line, found)) or ["No keys."]))


def revoke_key(keys: KeyBook, given: argparse.Namespace) -> None:
    """End a key."""
    key = keys.revoke(given.id)
    _print(given, key.to_wire(), f"The key {key.name} ({key.id}) opens nothing any more.")


def _command(commands: Any, name: str, command: Any, help_text: str) -> Any:
    parser = parser_with_examples(commands.add_parser, name, help=help_text, epilog=_EXAMPLES)
    parser.set_defaults(run=_run, command=command)
    parser.add_argument("--data-dir", metavar="FOLDER", help="the server's data folder; by default its own")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _run(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    settings = settings_from(["--data-dir", given.data_dir] if given.data_dir else [], environment)
    with contextlib.closing(open_history(settings.database_url, settings.data_dir)) as repository:
        given.command(KeyBook(DatabaseKeyStore(repository.engine)), given)
    return 0


def _line(key: ApiKey) -> str:
    wire = key.to_wire()
    used = f"used {wire['last_used_at']}" if key.used_s else "never used"
    state = f"revoked {wire['revoked_at']}" if key.revoked_s else used
    return f"{key.id}  made {wire['created_at']}  {state}  {key.name}"


def _print(given: argparse.Namespace, result: Any, *lines: str) -> None:
    print(json.dumps(result, ensure_ascii=False, indent=1) if given.json else "\n".join(lines))
