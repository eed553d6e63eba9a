"""python -m fer_web doctor: what works here, and what mends the rest."""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from fer_web.commands.parsers import parser_with_examples
from fer_web.doctor.check import Check, without_traceback
from fer_web.doctor.installation import (
    check_npm_files,
    check_packages,
    check_python,
    check_training,
)
from fer_web.doctor.server_parts import (
    check_data_folder,
    check_database,
    check_disk,
    check_model,
    check_ports,
    check_secret,
)
from fer_web.errors import FerWebError
from fer_web.settings import Settings, add_setting_options, settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web doctor
  python -m fer_web doctor --port 8000 --data-dir /srv/fer-web --json

It looks at everything but the camera and changes nothing. Each line is ok, warning or problem, with what
mends it.
exit status: 0 no problem, 1 there is one, 2 wrong arguments, 130 interrupted."""

SETTINGS: Final = ("model", "labels", "scaling", "colour", "trust", "detector", "data_dir", "host", "port")


def add_doctor(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "doctor", help="check the set-up and say what to mend", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_doctor)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_setting_options(parser, SETTINGS)


def run_doctor(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Make all checks and print them; returns 1 where there is a problem."""
    checks = []
    for check in all_checks(given, environment):
        checks.append(check)
        if not given.json:
            print(describe(check), flush=True)  # some take seconds
    problems = sum(check.status == "problem" for check in checks)
    warnings = sum(check.status == "warning" for check in checks)
    if given.json:
        print(json.dumps({"ok": not problems, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        print(f"{problems or 'no'} problems, {warnings or 'no'} warnings")
    return 1 if problems else 0


def all_checks(given: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[Check]:
    """Every check, in the order in which their causes follow from each other."""
    yield from without_traceback("Python", check_python)
    yield from without_traceback("packages", check_packages)
    try:
        settings = settings_of(given, environment)
    except FerWebError as exc:
        yield Check("settings", "problem", str(exc), "change or unset the variable")
        settings = settings_of(given, {})
    yield from _check_server(settings)
    yield from without_traceback("training", partial(check_training, environment))


def describe(check: Check) -> str:
    """A check as text: its status first, and what mends it on a line of its own."""
    line = f"{check.status:<8} {check.name}: {check.message}"
    return f"{line}\n{'':<8}   mend: {check.mend}" if check.mend else line


def _check_server(settings: Settings) -> Iterator[Check]:
    for name, check in (
        ("npm files", check_npm_files),
        ("model", check_model),
        ("data folder", check_data_folder),
        ("secret", check_secret),
        ("database", check_database),
        ("disk", check_disk),
        ("port", check_ports),
    ):
        yield from without_traceback(name, partial(check, settings))
