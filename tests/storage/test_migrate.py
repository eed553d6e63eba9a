import sqlite3
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from fer_web.errors import DatabaseError, SettingsError, SetupError
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.storage import migrate
from fer_web.storage.database import SQLITE_FILE, open_engine
from fer_web.storage.schema import metadata


def test_migrations_make_exactly_the_tables_of_the_schema(repository):
    with repository._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_latest_version_is_the_only_end_of_the_migrations():
    assert ScriptDirectory(str(migrate._MIGRATIONS)).get_heads() == [migrate.LATEST]


def test_database_newer_than_the_program_is_refused_and_left_alone(repository, database):
    with repository._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError) as error:
        open_history(*database)
    assert all(word in str(error.value) for word in ("9999", migrate.LATEST, "newer", "--data-dir"))
    with repository._engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"


def test_migration_that_breaks_half_way_leaves_an_empty_database(database, monkeypatch):
    def broken(*_):
        raise ValueError("half way")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.Operations.create_index", broken)
        with pytest.raises(ValueError, match="half way"):
            open_history(*database)
    engine = open_engine(*database)
    with engine.connect() as connection:
        assert migrate.inspect(connection).get_table_names() == []
    engine.dispose()
    history = open_history(*database)
    assert history.list_sessions(SessionFilter(), None).total == 0
    history.close()


def test_programs_that_start_at_the_same_time_wait_for_each_other(database):
    outcomes = []

    def start():
        try:
            history = open_history(*database)
            outcomes.append(history.list_sessions(SessionFilter(), None).total)
            history.close()
        except Exception as exc:
            outcomes.append(exc)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes == [0] * 4


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / SQLITE_FILE).write_text("not a database, but long enough to be read as one " * 10)
    with pytest.raises(DatabaseError, match="not a database"):
        open_history("", tmp_path)
    assert (tmp_path / SQLITE_FILE).read_text().startswith("not a database")


def test_data_folder_that_cannot_be_made_names_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--data-dir"):
        open_history("", tmp_path / "file" / "data")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_data_is_for_its_user_alone(tmp_path):
    history = open_history("", tmp_path / "data")
    paths = [tmp_path / "data", *(tmp_path / "data").iterdir()]
    assert len(paths) == 4, "the folder, the database, its log, its index"
    assert [path.name for path in paths if path.stat().st_mode & 0o077] == []
    history.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/d",
        "hunter2",
        "postgresql://u:hunter2@h:port/d",
        "postgresql+psycopg2://u:hunter2@h",
    ],
)
def test_address_that_is_none_is_refused_without_its_password(tmp_path, url):
    with pytest.raises(SettingsError) as error:
        open_history(url, tmp_path)
    assert "postgresql://USER" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_wrong_password_is_refused_without_repeating_it(postgres, tmp_path):
    url = postgres.url().replace("a%20secret", "hunter2")
    with pytest.raises(DatabaseError, match="password authentication failed") as error:
        open_history(url, tmp_path)
    assert "hunter2" not in str(error.value)


def test_server_that_is_not_there_is_told(tmp_path, postgres):
    with pytest.raises(DatabaseError, match="cannot be used"):
        open_history("postgresql://u:p@127.0.0.1:1/d", tmp_path)


def test_sqlite_writes_each_commit_to_the_disk(tmp_path):
    engine = open_engine("", tmp_path)
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    engine.dispose()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_database_of_sqlite_is_whole(tmp_path):
    open_history("", tmp_path).close()
    with sqlite3.connect(tmp_path / SQLITE_FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
