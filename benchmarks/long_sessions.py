"""Long sessions as attacks of benchmarks.harden: imports, exports and charts of 270,000 rows."""

import threading
from typing import TYPE_CHECKING

import requests

from fer_web.history.export import json_file
from tests.support.crowded_server import CrowdedServer
from tests.support.sample_tables import chunks, lifelike_table
from tests.support.sessions import session_with

if TYPE_CHECKING:
    from benchmarks.harden import Tally

_LENGTH_S = 18_000
_FACES = 3
_WAIT_S = 600


def long_import(server: CrowdedServer, must_end: threading.Event, tally: "Tally") -> None:
    """Row 4: a session of 270,000 rows is imported, again and again."""
    table = lifelike_table(_LENGTH_S, _FACES)
    export = b"".join(json_file(session_with(length_s=float(table.at_s[-1])), chunks(table)))
    while not must_end.is_set():
        tally.add(_import(server, export) is None)


def long_export(server: CrowdedServer, must_end: threading.Event, tally: "Tally") -> None:
    """Row 4: one is exported, summed up and charted, again and again."""
    table = lifelike_table(_LENGTH_S, _FACES)
    export = b"".join(json_file(session_with(length_s=float(table.at_s[-1])), chunks(table)))
    session = _import(server, export)
    while not must_end.is_set():
        for part in ("export?format=csv", "summary", "samples?points=4000"):
            address = f"{server.url}/api/v1/sessions/{session}/{part}"
            answer = requests.get(address, headers={"Cookie": server.owner}, timeout=_WAIT_S)
            tally.add(answer.status_code != 200)


def _import(server: CrowdedServer, export: bytes) -> str | None:
    """Id of the session; None where it was refused."""
    headers = {"Cookie": server.owner, "Origin": server.url, "Content-Type": "application/json"}
    address = f"{server.url}/api/v1/sessions/import"
    answer = requests.post(address, data=export, headers=headers, timeout=_WAIT_S)
    return answer.json().get("id") if answer.status_code == 201 else None
