import pytest

from fer_web.history.repository import open_history
from tests.history.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, started when the first test asks for it."""
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
    history = open_history(*database)
    yield history
    history.close()
