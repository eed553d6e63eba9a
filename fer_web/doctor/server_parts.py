"""The model, the data folder with its secret and database, the disk and the port."""

import json
import os
import shutil
import stat
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fer_web.doctor.check import Check
from fer_web.errors import PortTakenError
from fer_web.settings import Settings

LOW_DISK_BYTES: Final = 1_000_000_000
FULL_DISK_BYTES: Final = 100_000_000


def check_model(settings: Settings) -> Iterator[Check]:
    """Check whether the model's files are as they were written, open, and classify."""
    import numpy as np

    from fer_web.inference.models import open_model, options_of

    model = open_model(settings.model, options_of(settings))
    info = model.info
    classifier = model.new_classifier()
    crops = np.zeros((1, *info.size_hw, info.channels), np.uint8)
    classifier.classify(crops)  # the first run is slower
    began_s = time.perf_counter()
    scores = classifier.classify(crops).scores
    took_ms = 1000 * (time.perf_counter() - began_s)
    if scores.shape == (1, 7) and abs(float(scores.sum()) - 1) < 0.01:
        text = f"{info.name} ({info.model_hash[:12]}) is whole and classifies; a face takes {took_ms:.1f} ms"
        yield Check("model", "ok", text)
    else:
        mend = "git checkout -- models, or name another model with --model"
        yield Check("model", "problem", f"{settings.model} gives scores that are no probabilities", mend)


def check_data_folder(settings: Settings) -> Iterator[Check]:
    """Check whether the data folder can be written to, or made."""
    folder = settings.data_dir
    mend = f"give yourself the folder (sudo chown -R $USER {folder}), or name another one with --data-dir"
    if folder.is_dir():
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as exc:
            yield Check("data folder", "problem", f"{folder} cannot be written to ({exc.strerror})", mend)
        else:
            yield Check("data folder", "ok", f"{folder} can be written to")
    elif folder.exists():
        yield Check("data folder", "problem", f"{folder} is a file", mend)
    elif os.access(existing_parent(folder), os.W_OK | os.X_OK):
        yield Check("data folder", "ok", f"{folder} will be made at the first start")
    else:
        yield Check("data folder", "problem", f"{folder} cannot be made", mend)


def check_secret(settings: Settings) -> Iterator[Check]:
    """Check whether the secret that signs cookies is one, and readable by its owner alone."""
    from fer_web.secret_file import SECRET_FILE, read_secret

    path = settings.data_dir / SECRET_FILE
    if not path.exists():
        yield Check("secret", "ok", "will be made at the first start")
        return
    read_secret(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        yield Check("secret", "problem", f"others can read {path} (mode {mode:04o})", f"chmod 600 {path}")
    else:
        yield Check("secret", "ok", f"{path} is for its owner alone")


def check_database(settings: Settings) -> Iterator[Check]:
    """Check whether the history's database opens, is whole, and has this program's tables."""
    from fer_web.storage.database import SQLITE_FILE, open_engine
    from fer_web.storage.migrate import LATEST, check_integrity, version_of_tables

    if not settings.database_url and not (settings.data_dir / SQLITE_FILE).exists():
        yield Check("database", "ok", "will be made at the first start")
        return
    engine = open_engine(settings.database_url, settings.data_dir)
    try:
        version = version_of_tables(engine)
        damage = check_integrity(engine)
    finally:
        engine.dispose()
    where = "PostgreSQL" if settings.database_url else str(settings.data_dir / SQLITE_FILE)
    if damage:
        mend = "restore it from a backup, or move the file away: the next start makes a new one"
        yield Check("database", "problem", f"{where} is damaged: {damage}", mend)
    elif version == LATEST:
        yield Check("database", "ok", f"{where} opens, its tables are up to date ({version})")
    else:
        mend = "python -m fer_web history list (or the next start of the server) brings them up to date"
        yield Check("database", "warning", f"{where} has tables of version {version}, {LATEST} is new", mend)


def check_disk(settings: Settings) -> Iterator[Check]:
    """Check whether there is space left for the history."""
    free = shutil.disk_usage(existing_parent(settings.data_dir)).free
    text = f"{free / 1e9:.1f} GB are free for {settings.data_dir}"
    mend = "free some space, or name a folder on another disk with --data-dir"
    if free < FULL_DISK_BYTES:
        yield Check("disk", "problem", text, mend)
    elif free < LOW_DISK_BYTES:
        yield Check("disk", "warning", text, mend)
    else:
        yield Check("disk", "ok", text)


def check_ports(settings: Settings) -> Iterator[Check]:
    """Check whether the server could listen, or listens already."""
    yield _check_port(settings.host, settings.port, "port")
    if settings.is_shared:
        yield _check_port("0.0.0.0", settings.share_port, "share-port")  # noqa: S104  # where it will listen


def existing_parent(path: Path) -> Path:
    """The folder itself or the nearest one above it that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def _check_port(host: str, port: int, option: str) -> Check:
    from fer_web.serving.listeners import open_listener
    from fer_web.serving.start_command import StartCommand

    try:
        open_listener(host, port, option).close()
    except PortTakenError as exc:
        if _is_fer_web(host, port):
            return Check(option, "ok", f"fer-web is running on port {port}")
        mend = StartCommand().with_option(option, exc.free_port) if exc.free_port else ""
        return Check(option, "problem", str(exc), mend)
    return Check(option, "ok", f"{port} is free" if port else "a free one will be taken")


def _is_fer_web(host: str, port: int) -> bool:
    address = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/healthz", timeout=2) as answer:
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    return isinstance(health, dict) and {"status", "version", "model"} <= health.keys()
