"""Which tests may run beside others, with how many threads; and the databases of several packages."""

import os
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

from tests.support.servers import ROOT

# How long an example takes, and is looked for, is a matter of what else the machine does.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

ALONE = (
    "tests/e2e/test_engines.py",
    "tests/e2e/test_live_networks.py",
    "tests/e2e/test_live_speed.py",
    "tests/e2e/test_network_namespaces.py",
    "tests/realtime/test_crowd.py",
    "tests/scale/test_behind_nginx.py",
    "tests/scale/test_outages.py",
    "tests/serving/test_hostile_clients.py",
    "tests/serving/test_server_process.py",
    "tests/serving/test_upload_attacks.py",
    "tests/web/api/test_sessions_server.py",
)
"""They measure how fast a server answers, which others' work on the same cores would change.

A single test of another file is marked there.
"""

STREAMING = ("tests/e2e/",)
"""They watch pages that stream: two such browsers with their servers keep two cores busy."""

LONG = (
    "tests/train/export/test_exported_files.py",
    "tests/train/fit/test_fit.py",
    "tests/train/fit/test_distillation.py",
    "tests/web/api/test_videos_server.py",
    "tests/serving/test_tls_server.py",
    "tests/realtime/test_stream_recorder.py",
    "tests/realtime/test_admission.py",
    "tests/history/test_repository.py",
    "tests/inference/custom/test_grad_cam.py",
    "tests/docs/test_api_examples.py",
)
"""The files that take longest, the longest first: begun last, they would leave all processes but one idle."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before NumPy and TensorFlow are imported, and for the processes that tests start: pools of threads that
    # wait for work in each of several workers take the cores from each other.
    for pool in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ):
        os.environ.setdefault(pool, "1")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without tests of the mark that is asked for: importing them all takes half a minute."""
    mark = config.option.markexpr
    if mark not in ("alone", "streaming") or collection_path.suffix != ".py":
        return None
    path = collection_path.relative_to(ROOT).as_posix()
    if path.startswith(STREAMING if mark == "streaming" else ALONE):
        return None
    return None if f"mark.{mark}" in collection_path.read_text() else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those of ALONE and STREAMING, before pytest chooses by marks, and put LONG first.

    Raises pytest.UsageError: two have the same id.
    """
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(
            f"tests with the same id, of which xdist would run one only: {', '.join(twice)}"
        )
    paths = {item: item.path.relative_to(ROOT).as_posix() for item in items}
    for item, path in paths.items():
        if path.startswith(ALONE):
            item.add_marker(pytest.mark.alone)
        elif path.startswith(STREAMING) and not item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.streaming)
    items.sort(key=lambda item: LONG.index(paths[item]) if paths[item] in LONG else len(LONG))


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, started when the first test asks for it."""
    from tests.support.postgres import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Arguments of open_history for an empty database, on each kind in turn."""
    if request.param == "sqlite":
        return "", tmp_path / "data"
    return request.getfixturevalue("postgres").new_database(), tmp_path / "data"


@pytest.fixture
def repository(database):
    """An empty history, on each kind of database in turn."""
    # Imports NumPy, which must find the variables above.
    from fer_web.history.repository import open_history

    history = open_history(*database)
    yield history
    history.close()
