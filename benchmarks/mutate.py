"""Break what protects the server, one thing at a time, and see that a named test notices.

    python -m benchmarks.mutate [--only WORDS] [--list]

Each break is a change of one place, made in a copy of the tree; the tests named beside it are run there and
must fail. Ends with status 1 where a break goes unnoticed. tests/benchmarks/test_mutate.py holds that each
place is still in the code.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import ROOT

LINKED = (".venv", "node_modules")
TIMEOUT_S = 400


@dataclass(frozen=True)
class Break:
    """A break: in `file`, `old` (which is there once) becomes `new`; `tests` are pytest's arguments."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MESSAGES = "tests/serving/test_message_attacks.py"
BREAKS = (
    Break(
        "byte budget off",
        "fer_web/realtime/transport.py",
        "return self._packets.take(packets) and self._data.take(size)",
        "return self._packets.take(packets)",
        ("tests/realtime/test_transport.py", "-k", "many_bytes"),
    ),
    Break(
        "long texts taken in",
        "fer_web/serving/eventlet_websocket.py",
        "max_bytes = bounds.text_bytes if is_text else bounds.binary_bytes",
        "max_bytes = bounds.binary_bytes",
        ("tests/serving/test_eventlet_websocket.py", "-k", "texts"),
    ),
    Break(
        "long texts taken in by polling",
        "fer_web/realtime/transport.py",
        "if size > MAX_TEXT_BYTES and not body.startswith(_BINARY, begin):",
        "if False:",
        (MESSAGES, "-k", "by_polling and eventlet"),
    ),
    Break(
        "strangers may say anything",
        "fer_web/realtime/transport.py",
        "if not (_asks_to_connect(connection, data) or is_inside(server, eio_sid)):",
        "if False:",
        (MESSAGES, "-k", "stranger_asks and eventlet"),
    ),
    Break(
        "pictures waited for without end",
        "fer_web/realtime/unfinished.py",
        "if now_s - since_s >= ATTACHMENT_TIMEOUT_S:",
        "if False:",
        (MESSAGES, "-k", "does_not_come and eventlet"),
    ),
    Break(
        "pings not counted",
        "fer_web/serving/eventlet_websocket.py",
        "if not parts.take():",
        "if False:",
        (MESSAGES, "-k", "counted and eventlet and pings"),
    ),
    Break(
        "compression offered",
        "fer_web/serving/threaded_websocket.py",
        "event = dataclasses.replace(event, extensions=[])",
        "pass",
        (MESSAGES, "-k", "compression and threading"),
    ),
    Break(
        "heads may take for ever",
        "fer_web/serving/paced_head.py",
        "if left_s <= 0:",
        "if False:",
        ("tests/serving/test_paced_head.py",),
    ),
    Break(
        "headers unbounded",
        "fer_web/serving/paced_head.py",
        "if self._size > MAX_HEAD_BYTES:",
        "if False:",
        ("tests/serving/test_paced_head.py",),
    ),
    Break(
        "cap of a visitor raised",
        "fer_web/sharing/places.py",
        "MAX_OF_VISITOR: Final = 4",
        "MAX_OF_VISITOR: Final = 400",
        ("tests/sharing/test_places.py",),
    ),
    Break(
        "no place kept for the host",
        "fer_web/sharing/places.py",
        ">= places - _kept(places)",
        ">= places",
        ("tests/sharing/test_places.py",),
    ),
    Break(
        "turns by connection",
        "fer_web/realtime/turns.py",
        "self._people.charge(person, seconds)",
        "pass",
        ("tests/realtime/test_turns.py",),
    ),
    Break(
        "idle streams keep their place",
        "fer_web/realtime/streams.py",
        "if stream.newest_s <= until_s",
        "if False",
        ("tests/realtime/test_turns.py",),
    ),
    Break(
        "a visitor's connections read apart",
        "fer_web/realtime/reading_pace.py",
        "share.data.owe(size * parts)",
        "pass",
        ("tests/realtime/test_reading_pace.py",),
    ),
    Break(
        "who was refused read on",
        "fer_web/realtime/reading_pace.py",
        "self._hold(connection, until_s)",
        "pass",
        ("tests/realtime/test_reading_pace.py",),
    ),
    Break(
        "waiting pictures unbounded",
        "fer_web/realtime/scheduler.py",
        "while sum(sizes.values()) > MAX_WAITING_BYTES:",
        "while False:",
        ("tests/realtime/test_scheduler.py", "-k", "bytes"),
    ),
    Break(
        "quota of a visitor off",
        "fer_web/history/write_batches.py",
        "check_quota(self._store.use_of(recording.session.owner))",
        "pass",
        ("tests/history/test_recorder.py", "-k", "quota"),
    ),
    Break(
        "images analysed for the gone",
        "fer_web/web/api/analysis_access.py",
        "if has_hung_up(environ):",
        "if False:",
        ("tests/serving/test_hang_ups.py", "-k", "eventlet"),
    ),
    Break(
        "scans of a frame unbounded",
        "fer_web/vision/frames.py",
        'if jpeg.count(b"\\xff\\xda") > MAX_SCANS:',
        "if False:",
        ("tests/vision/test_frames.py", "-k", "scans"),
    ),
    Break(
        "owner check removed",
        "fer_web/history/reading.py",
        "return conditions if owner is None else [*conditions, sessions.c.owner == owner]",
        "return conditions",
        ("tests/web/auth/test_every_route.py", "-k", "somebody_elses"),
    ),
    Break(
        "Content-Security-Policy loosened",
        "fer_web/web/firewall/middleware.py",
        "\"script-src 'self'\",",
        "\"script-src 'self' 'unsafe-inline'\",",
        ("tests/web/auth/test_every_route.py", "-k", "scripts"),
    ),
    Break(
        "other sites may write",
        "fer_web/web/firewall/origins.py",
        "if origin is not None and origin.lower() not in _own_origins(environ, public_url):",
        "if False:",
        ("tests/web/firewall/test_middleware.py", "-k", "matrix"),
    ),
    Break(
        "any host name taken",
        "fer_web/web/firewall/hosts.py",
        "if host_name(environ) in names:",
        "if True:",
        ("tests/web/firewall/test_middleware.py", "-k", "matrix or names"),
    ),
    Break(
        "fsync off",
        "fer_web/storage/database.py",
        '"synchronous=FULL"',
        '"synchronous=OFF"',
        ("tests/storage/test_migrate.py", "-k", "each_commit"),
    ),
    Break(
        "lease off",
        "fer_web/history/leases.py",
        "lease < now_ms,",
        "",
        ("tests/history/test_leases.py", "-k", "no_server_vouches"),
    ),
    Break(
        "guesses unbounded",
        "fer_web/sharing/guessing.py",
        "if len(recent) < MAX_FAILURES:",
        "if True:",
        ("tests/sharing/test_guessing.py",),
    ),
)


def broken(each: Break, folder: Path) -> None:
    """Make the change in a copy of the tree. Raises ValueError: its place is not there, or several times."""
    path = folder / each.file
    text = path.read_text()
    if text.count(each.old) != 1:
        raise ValueError(f"{each.name}: {each.old!r} stands {text.count(each.old)} times in {each.file}")
    path.write_text(text.replace(each.old, each.new))


def copy_tree(folder: Path) -> None:
    """Copy what is under version control, and link what is installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_file() and not source.is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    for name in LINKED:
        if (ROOT / name).exists() and not (folder / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())


def is_caught(each: Break, folder: Path) -> bool:
    """Run the tests of a break; whether one of them failed, and not merely could not run."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *each.tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return done.returncode == 1 and " failed" in done.stdout


def main() -> int:
    """Make the breaks and print which were caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="breaks whose name has these words")
    parser.add_argument("--list", action="store_true", help="name the breaks and do nothing")
    options = parser.parse_args()
    chosen = [each for each in BREAKS if options.only in each.name]
    if options.list:
        print("\n".join(f"{each.name}: {each.file} ({' '.join(each.tests)})" for each in chosen))
        return 0
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(Path(folder))
        for each in chosen:
            original = (Path(folder) / each.file).read_text()
            broken(each, Path(folder))
            began_s = time.monotonic()
            found = is_caught(each, Path(folder))
            caught += found
            (Path(folder) / each.file).write_text(original)
            print(
                f"{'caught' if found else 'MISSED':7} {each.name:36} {time.monotonic() - began_s:5.0f} s  "
                f"{' '.join(each.tests)}",
                flush=True,
            )
    print(f"{caught} of {len(chosen)} caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
