"""Which tests may run beside others."""

import pytest

from tests.servers import ROOT

ALONE = frozenset(
    {
        "tests/e2e/test_history_pages.py",
        "tests/e2e/test_live_speed.py",
        "tests/e2e/test_network_namespaces.py",
        "tests/realtime/test_slow_reader.py",
        "tests/test_hostile_clients.py",
        "tests/test_server_process.py",
        "tests/test_upload_attacks.py",
        "tests/web/test_history_server.py",
    }
)
"""They measure how fast a server answers, which others' work on the same cores would change."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, before pytest chooses by marks."""
    for item in items:
        if item.path.relative_to(ROOT).as_posix() in ALONE:
            item.add_marker(pytest.mark.alone)
