"""Bundles the pages' modules and sheets with esbuild: a page is a few small files instead of dozens."""

import functools
import json
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_web.errors import SetupError
from fer_web.settings import ROOT
from fer_web.vendor_files import BROWSER_MODULES, find_esbuild

STATIC: Final = ROOT / "static"
ENTRIES: Final = ("js/*/*_page.js", "js/shared/theme_boot.js", "css/*.css")
"""Files that a template names; modules bring along what they import."""

BUNDLING_TIMEOUT_S: Final = 60
"""It takes a quarter of a second of processor time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamp:
    """The state of one source file, which changes when it is written; zeros where it is missing."""

    path: Path
    mtime_ns: int
    size: int


Stamps = tuple[Stamp, ...]


def stamps_of(static: Path = STATIC) -> Stamps:
    """Look at every file that a bundle is made of; takes some milliseconds."""
    paths = [*sorted(path for path in static.rglob("*.*") if path.is_file()), *BROWSER_MODULES.values()]
    return tuple(_stamp_of(path) for path in paths)


def are_current(stamps: Stamps) -> bool:
    """Tell whether no such file has changed or gone since; takes half of a millisecond.

    A new file needs no look: it has no effect on a bundle before one of these imports it.
    """
    return all(_stamp_of(stamp.path) == stamp for stamp in stamps)


def bundle_of(stamps: Stamps, static: Path = STATIC) -> Mapping[str, bytes] | None:
    """Bundle the pages' files as they are now; a bundle is kept for all applications of a process.

    Args:
        stamps: of the files, so that a change makes another bundle.
    Returns: contents by their path from static/, or from the root where they come from npm; None, with
        a warning in the log, where the files must be served as they lie there.
    """
    try:
        return _bundle_once(stamps, static)
    except (SetupError, OSError, subprocess.TimeoutExpired) as exc:
        _log.warning("Pages load slower, in many small files: %s", exc)
        return None


@functools.lru_cache(maxsize=2)
def _bundle_once(_stamps: Stamps, static: Path) -> Mapping[str, bytes]:
    """Bundle. A failure is not kept: what it lacked may be there again, and these files be the same."""
    program = find_esbuild()
    if program is None:
        raise SetupError("esbuild is not installed. Install it: make setup (or: npm ci --ignore-scripts)")
    return dict(_bundle(program, static))


def _bundle(program: Path, static: Path) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        _run_esbuild(program, static, Path(folder))
        for path in (Path(folder) / "out").rglob("*.*"):
            yield path.relative_to(Path(folder) / "out").as_posix(), path.read_bytes()
    yield "logo.svg", (static / "logo.svg").read_bytes()
    for table in sorted((static / "languages").glob("*.json")):
        yield f"languages/{table.name}", table.read_bytes()
    sheet = "uPlot.min.css"
    yield f"vendor/{sheet}", BROWSER_MODULES[sheet].read_bytes()


def _run_esbuild(program: Path, static: Path, folder: Path) -> None:
    """Write the bundles into folder/out. Raises SetupError: a source has an error, or imports a lost one."""
    paths = {f"/vendor/{name}": [str(path)] for name, path in BROWSER_MODULES.items()}
    config = folder / "tsconfig.json"
    config.write_text(json.dumps({"compilerOptions": {"paths": paths}}), encoding="utf-8")
    entries = [str(path) for pattern in ENTRIES for path in sorted(static.glob(pattern))]
    options = (
        "--bundle --minify --format=esm --target=es2022 --charset=utf8 --legal-comments=inline "
        "--log-level=error --color=false"
    )
    command = [str(program), *entries, *options.split(), f"--tsconfig={config}"]
    command += [f"--outbase={static}", f"--outdir={folder / 'out'}"]
    # Go's garbage collection would take a third of the time; the process ends at once.
    environment = {**os.environ, "GOGC": "off"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=BUNDLING_TIMEOUT_S, cwd=static
    )
    if done.returncode:
        raise SetupError(f"esbuild refuses a file: {done.stderr.strip()}")


def _stamp_of(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return Stamp(path, 0, 0)
    return Stamp(path, found.st_mtime_ns, found.st_size)
