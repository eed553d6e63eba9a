"""Databases as older programs left them."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from fer_web.storage import migrate
from fer_web.storage.database import open_engine, writing


def old_database(database_url, data_dir, version, sessions=()):
    """An engine of a database with the tables of a version, and with camera sessions of these columns."""
    engine = open_engine(database_url, data_dir)
    config = Config()
    config.set_main_option("script_location", str(migrate._MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        for number, columns in enumerate(sessions):
            values = {**_SESSION, "id": f"session{number}", **columns}
            names = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO sessions ({names}) VALUES ({places})"), values)
    return engine


_SESSION = {
    "owner": "ann",
    "name": "",
    "notes": "",
    "state": "finished",
    "source": "camera",
    "started_ms": 1_700_000_000_000,
    "kept_from_ms": 1_700_000_000_000,
    "length_ms": 5000,
    "faces": 0,
    "samples": 0,
    "strip": "-" * 60,
    "model_name": "m",
    "model_hash": "h",
    "sample_hz": 5.0,
    "settings": "{}",
    "search": "",
}
