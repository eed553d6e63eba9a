"""python -m fer_web: the tools beside the server, for the person at this machine."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from fer_web.commands.backup import run_backup, run_restore
from fer_web.commands.camera import add_camera
from fer_web.commands.doctor import add_doctor
from fer_web.commands.history import (
    delete_sessions,
    export_session,
    import_file,
    list_sessions,
    purge_sessions,
)
from fer_web.commands.keys import add_keys
from fer_web.commands.models import add_models
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.commands.predict import add_predict
from fer_web.commands.test_folder import add_test_folder
from fer_web.commands.video import add_video
from fer_web.commands.worker import add_worker
from fer_web.errors import FerWebError
from fer_web.history.export import FORMATS
from fer_web.history.repository import open_history
from fer_web.settings import join_ranges, settings_from

_EXAMPLES = """examples:
  python -m fer_web doctor
  python -m fer_web predict photo.jpg
  python -m fer_web test-folder photos
  python -m fer_web video clip.mp4
  python -m fer_web camera 0 --duration 60
  python -m fer_web history list
  python -m fer_web history --help
  python -m fer_web keys create laptop"""

_HISTORY_EXAMPLES = """examples:
  python -m fer_web history list --search rehearsal --json
  python -m fer_web history export SESSION --format csv
  python -m fer_web history export SESSION --format json --out - > session.json
  python -m fer_web history import session.json
  python -m fer_web history delete SESSION
  python -m fer_web history purge --older-than-days 7
  python -m fer_web history backup --out history.sqlite3
  python -m fer_web history restore history.sqlite3

exit status: 0 done, 1 refused or failed, with the reason on standard error, 2 wrong arguments.
The database is the server's: --data-dir FOLDER, or FER_DATA_DIR and FER_DATABASE_URL in the environment."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one tool; returns the exit status."""
    given = build_parser().parse_args(join_ranges(arguments))
    try:
        status: int = given.run(given, environment)
        sys.stdout.flush()
    except FerWebError as exc:
        return _failed(str(exc))
    except BrokenPipeError:
        # Who reads our output has seen enough. Python would complain once more when it closes it.
        sys.stdout = None
        return 1
    except OSError as exc:
        return _failed(f"{exc.filename or 'The file'}: {exc.strerror or exc}.")
    except KeyboardInterrupt:
        return _failed("Interrupted.", 128 + signal.SIGINT)
    return status


def build_parser() -> argparse.ArgumentParser:
    """All tools with their help. Each one sets `run`, which takes what was given and the environment."""
    parser: argparse.ArgumentParser = parser_with_examples(
        argparse.ArgumentParser,
        prog="python -m fer_web",
        description="Tools beside the server, python app.py.",
        epilog=_EXAMPLES,
    )
    tools = parser.add_subparsers(title="tools", required=True, metavar="TOOL")
    add_doctor(tools)
    add_predict(tools)
    add_test_folder(tools)
    add_video(tools)
    add_worker(tools)
    add_camera(tools)
    add_models(tools)
    _add_history(tools)
    add_keys(tools)
    return parser


def _add_history(tools: Any) -> None:
    history = parser_with_examples(
        tools.add_parser,
        "history",
        help="list, export, import, delete and back up recorded sessions",
        epilog=_HISTORY_EXAMPLES,
    )
    commands = history.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_list(commands)
    _add_export(commands)
    _add_import(commands)
    _add_delete(commands)
    _add_purge(commands)
    _add_backup(commands)
    _add_restore(commands)


def _run_history(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    folder = ["--data-dir", given.data_dir] if given.data_dir else []
    settings = settings_from(folder, environment)
    with contextlib.closing(open_history(settings.database_url, settings.data_dir)) as repository:
        given.command(repository, settings, given)
    return 0


def _command(commands: Any, name: str, command: Any, help_text: str, run: Any = _run_history) -> Any:
    parser = parser_with_examples(commands.add_parser, name, help=help_text, epilog=_HISTORY_EXAMPLES)
    parser.set_defaults(run=run, command=command)
    parser.add_argument("--data-dir", metavar="FOLDER", help="folder of the history; the server's by default")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _add_list(commands: Any) -> None:
    parser = _command(commands, "list", list_sessions, "list sessions, the newest first")
    parser.add_argument("--search", default="", metavar="WORDS", help="all of them in name, notes or tags")
    parser.add_argument("--tag", default="", help="sessions with this tag")
    parser.add_argument(
        "--limit", type=number_in(1, 1_000_000), default=50, metavar="N", help="at most so many (50)"
    )


def _add_export(commands: Any) -> None:
    parser = _command(commands, "export", export_session, "write a session to a file")
    parser.add_argument("session", metavar="SESSION", help="its id, as list shows it")
    parser.add_argument("--format", choices=list(FORMATS), default="csv", help="csv by default")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="where to; - is standard output; by default a name made of date and name",
    )
    parser.add_argument("--force", action="store_true", help="replace the file where there is one")


def _add_import(commands: Any) -> None:
    parser = _command(commands, "import", import_file, "store a session that was exported as JSON")
    parser.add_argument("file", metavar="FILE", help="the export; - is standard input")
    parser.add_argument(
        "--owner-of",
        metavar="SESSION",
        help="give it to the browser that recorded this session; otherwise only the host sees it",
    )


def _add_delete(commands: Any) -> None:
    parser = _command(
        commands, "delete", delete_sessions, "delete sessions; the page can undo it for ten minutes"
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("sessions", nargs="*", default=[], metavar="SESSION", help="ids, as list shows them")
    which.add_argument(
        "--all", action="store_true", help="everything that anybody recorded, at once and for good"
    )


def _add_purge(commands: Any) -> None:
    parser = _command(commands, "purge", purge_sessions, "remove old sessions for good, and what was deleted")
    parser.add_argument(
        "--older-than-days",
        type=number_in(1, 36_500),
        metavar="N",
        help="by default as the server keeps them, FER_RETENTION_DAYS",
    )


def _add_backup(commands: Any) -> None:
    parser = _command(commands, "backup", None, "copy the whole history; the server may run", run_backup)
    parser.add_argument("--out", metavar="FILE", help="where to; by default a name made of the time")


def _add_restore(commands: Any) -> None:
    parser = _command(commands, "restore", None, "put a backup in the history's place", run_restore)
    parser.add_argument("file", metavar="FILE", help="of history backup")
    parser.add_argument(
        "--replace", action="store_true", help="also where there are sessions; they are copied before"
    )


def _failed(reason: str, status: int = 1) -> int:
    print(f"fer-web: {reason}", file=sys.stderr)
    return status
