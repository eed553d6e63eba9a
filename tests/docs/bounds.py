"""Writes docs/bounds.md from the constants in the code: python -m tests.docs.bounds --write."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from fer_web.settings import Settings
from tests.support.servers import ROOT

PAGE = ROOT / "docs" / "bounds.md"
COMMAND = "python -m tests.docs.bounds --write"

AREAS = {
    "Streams and watchers": ("realtime", "vision/frames.py", "inference/stream_corrections.py"),
    "Connections and requests": ("serving", "web"),
    "Files": ("analysis",),
    "Custom models": ("inference/custom",),
    "History": ("history", "storage"),
    "Sharing and keys": ("sharing",),
    "Events": ("events",),
}
"""Headings of the page, and the packages of fer_web whose limits stand below them."""

LIMIT = re.compile(
    r"_?MAX_\w+|MIN_FREE_BYTES|MIN_BYTES_PER_S|\w*TIMEOUT_S|\w*GRACE_S|\w*PER_S|\w*BURST|_FORM_MEMORY_BYTES"
    r"|FORM_BYTES|BLOCK_BYTES|DISCARD\w+|WAITING_CALLS|WINDOW_S|PACKETS_A_FRAME|PATIENCE_S|INTERVAL_S"
)
"""Names of constants that bound what a client may cost."""

NO_LIMITS = {
    *("MAX_SEQ", "MAX_ALPHA", "MAX_FPS", "MAX_IN_FLIGHT", "ACK_TIMEOUT_MS", "MAX_COLOURS", "MAX_COMPARED"),
    *(
        "MAX_STRETCH",
        "MAX_MISTAKES",
        "_MAX_HOLD_S",
        "MAX_JPEG_SIDE",
        "MAX_PADDED_SIDES",
        "_MAX_AGE_S",
        "MAX_SMOOTHING_S",
    ),
    *("retention.INTERVAL_S", "retention.STOP_TIMEOUT_S"),
}
"""Constants of such names that say how something is shown or computed; FILE.NAME where only one is meant."""

UNSHOWN = {
    *("END_TIMEOUT_S", "PACKETS_A_FRAME", "MAX_CONNECTS", "unadmitted.GRACE_S", "REFUSALS_PER_S"),
    *("DISCARDED_BYTES", "DISCARDING_S", "LINES_PER_S", "LINES_BURST", "PARTS_PER_S", "WAITING_CALLS"),
    *(
        "modes.STOP_TIMEOUT_S",
        "video_worker.STOP_TIMEOUT_S",
        "recorder.STOP_TIMEOUT_S",
        "delivery.STOP_TIMEOUT_S",
    ),
    *("HANDSHAKE_TIMEOUT_S", "threaded_server.REQUEST_TIMEOUT_S", "FORM_BYTES", "BUNDLING_TIMEOUT_S"),
    *("MAX_THREADS", "BLOCK_BYTES", "MAX_RATIO", "MAX_CONFIG_CHARACTERS", "MAX_CHOICES", "MAX_NOTICES"),
    *("MAX_SETTINGS", "LOCK_TIMEOUT_S", "MIGRATION_TIMEOUT_S", "MAX_ADDRESSES", "MAX_GROUPS", "MAX_LINKS"),
    *("TOTAL_BURST", "TOTAL_PER_S", "MAX_ANSWER_BYTES", "WINDOW_S", "MAX_SIZE", "CONNECT_TIMEOUT_S"),
}
"""Limits that no honest client meets, so the page leaves them out, like those whose names begin with `_`."""

REASONS = {
    "MAX_LSL_STREAMS": "Faces that have a Lab Streaming Layer stream at the same time",
    "MAX_TEXT_BYTES": "A text message of a Socket.IO client",
    "MAX_FOR_S": "The longest time that a rule may ask for",
    "of_owner": "Folder tests of one owner, of one client and of all",
    "MAX_COPIES": "Copies of the database from before an update that are kept",
    "MAX_READS_OF_CLIENT": "Long reads of one client at the same time",
    "MAX_SAMPLES_OF_VISITOR": "Samples of one visitor's browser, about 150 MB",
    "MAX_LISTENERS_OF_CLIENT": "The same for one client",
    "MQTT_TIMEOUT_S": "A broker accepts a connection, and acknowledges a message, in this time",
    "webhook.ANSWER_TIMEOUT_S": "A receiver that has not answered by then is tried again",
    "database.ANSWER_TIMEOUT_S": "PostgreSQL that says nothing for this long counts as gone",
    "MAX_SCANNED_PIXELS": "Pixels of an image file's JPEG times its scans",
    "MAX_OF_VISITOR": "Streams, and recordings, of one visitor",
    "IDLE_TIMEOUT_S": "A stream without frames ends",
    "MAX_HEAD_BYTES": "Headers of one request together",
    "HEAD_TIMEOUT_S": "Time for the whole head of a request",
    "MAX_CONNECTS": "Times that one connection may ask to be let in",
    "MAX_IMAGES_OF_CLIENT": "Images that one client has under way",
    "HANDSHAKE_TIMEOUT_S": "Time for a TLS handshake",
    "modes.REQUEST_TIMEOUT_S": "Time for a request's next bytes",
    "modes.STOP_TIMEOUT_S": "Connections get this long to end when the server stops",
    "scheduler.PATIENCE_S": "A waiting frame gives way to a newer one of its stream",
    "child_program.PATIENCE_S": "A video's next frame is decoded or encoded in this time",
    "REFUSALS_PER_S": "Events of one watcher that are answered, by a refusal",
    "DISCARDING_S": "That long it is read",
    "idle_s": "A folder test that is not used is forgotten",
    "images": "Images of one test, of one client and of all",
    "kept_s": "Results of a video are kept",
    "kept_bytes": "Results of all videos",
    "queued_of_owner": "Videos that wait, of one owner, of one client and of all",
    "kept_of_owner": "Finished videos that are listed, of one owner and of all",
    "_FORM_MEMORY_BYTES": "Memory that the fields of a form may take",
    "_MAX_FORM_PARTS": "Parts of a form that are read",
    "MAX_VALUES": "Numbers in all arrays of a file",
    "images.MAX_SCANS": "Scans of an image file's JPEG, its thumbnail's included",
    "MAX_IMPORT_BYTES": "An imported file: eight hours of ten faces",
    "MAX_IMPORT_FACES": "Faces of one imported session",
    "MAX_RATIO": "Unpacked to packed size of a .keras file",
    "MAX_CONNECTIONS": "Connections of everybody together",
    "MAX_PER_ADDRESS": "Connections of one address of the network",
    "MAX_PER_NETWORK": "Connections of one IPv6 /64",
    "FORM_BYTES": "What a form may put around the file in it",
    "WAITING_CALLS": "Calls that wait for the database at the same time",
    "MIN_BYTES_PER_S": "A slower body, on average, is ended",
    "MIN_FREE_BYTES": "Room on the disk that uploads leave free",
    "MAX_STILL_FACES": "Faces of one image",
    "MAX_SEARCHED_SIDE": "Longer panoramas are shrunk to this many pixels",
    "END_TIMEOUT_S": "The time that `stop` waits for the last samples",
    "PACKETS_A_FRAME": "Packets of a WebSocket for each message that it may send",
    "unadmitted.GRACE_S": "The time that a connection may be without admission",
    "BLOCK_BYTES": "Part of an upload that is held in memory",
    "handshakes.BURST": "Connections that one address begins at once",
    "MAX_WAITING": "Samples of one session that wait for the database",
    "INTERVAL_S": "Time between two views of a stream",
    "DISCARDED_BYTES": "That much of an unwanted body is read",
    "MAX_BYTES": "A larger model file is not opened",
    "_MAX_PATH": "Characters of an image's path within its folder",
    "frames.MAX_SCANS": "Scans of a frame's JPEG",
    "MAX_FAILURES": "Unknown links, or keys, that one address may try in a minute",
    "WINDOW_S": "The time in which MAX_FAILURES are counted",
    "handshakes.PER_S": "Connections that one address begins after its burst",
    "TOTAL_BURST": "Connections that all addresses begin at once",
    "TOTAL_PER_S": "Connections that all addresses begin after that burst",
    "MAX_GROUPS": "Addresses remembered",
    "MAX_IMPORT_SAMPLES": "Rows of one imported session",
    "_MAX_HEAD_VALUES": "Values before an import's samples",
    "_MAX_DEPTH": "Levels of an import's JSON",
    "_MAX_TEXT": "Characters of one text in an import",
    "_MAX_BOX": "Sizes of the frame that a box may be away",
    "MAX_CONFIG_BYTES": "An architecture in text",
    "MAX_SIZE": "Units, filters or pixels of one layer",
    "MAX_CONFIG_CHARACTERS": "An architecture is text, and short",
    "MAX_KEYS": "Open keys of programs",
    "MAX_KEY_NAME": "Characters of a key's name",
    "MAX_LINK_NAME": "Characters of a link's name",
    "MAX_HOURS": "The longest life of a link",
    "MAX_OPEN_LINKS": "Links that are open at the same time",
    "MAX_FILE_NAME": "Characters of an uploaded file's name; the rest is cut",
    "paced_input.GRACE_S": "A body may be slower for this long",
    "MAX_PAGE": "Sessions of one page of the list",
    "recorder.STOP_TIMEOUT_S": "The last samples get this long to be stored when the server stops",
    "MAX_NAME": "Characters of a session's name",
    "MAX_NOTES": "Characters of a session's notes",
    "MAX_TAG": "Characters of a tag",
    "MAX_TAGS": "Tags of a session",
    "MAX_MARKER_TEXT": "Characters of a marker",
    "MAX_MARKERS": "Markers of a session",
    "MAX_PERSON_NAME": "Characters of a person's name",
    "MAX_PEOPLE": "Faces of a session that are named or merged",
    "MAX_SEARCH": "Characters of a search in the list",
    "threaded_server.REQUEST_TIMEOUT_S": "The same with native threads",
    "video_worker.STOP_TIMEOUT_S": "A video's analysis gets this long to end when the server stops",
}
"""What constants are for, where the docstring does not say it in its first clause; FILE.NAME where several
have one name."""

UNITS = (
    ("BYTES_PER_S", "bytes/s"),
    ("PER_S", "/s"),
    ("_BYTES", "bytes"),
    ("_MS", "ms"),
    ("_S", "s"),
    ("_HOURS", "h"),
    ("_PIXELS", "pixels"),
    ("_MB", "MB"),
)


@dataclass(frozen=True)
class Bound:
    """One limit. `file` is relative to fer_web; `value` has its unit."""

    file: str
    name: str
    value: str
    reason: str


def settings_bounds() -> list[Bound]:
    """The limits that whoever starts the server may change."""
    return [
        Bound("settings.py", f"--{item.name.replace('_', '-')}", _shown(item.name, item.default), reason)
        for item in fields(Settings)
        if item.name.startswith("max_")
        for reason in [_sentence(item.metadata["help"].split(", in ")[0])]
    ]


def bounds_of(part: str) -> list[Bound]:
    """The limits of a package or module of fer_web, in the order of files and lines."""
    root = ROOT / "fer_web"
    paths = [root / part] if part.endswith(".py") else sorted((root / part).rglob("*.py"))
    return [bound for path in paths for bound in _bounds_in(path, root)]


def page() -> str:
    """The text of docs/bounds.md."""
    lines = [
        "# Bounds",
        "",
        "A person or a program can meet these limits; [cli.md](cli.md) names those that are options. A frame",
        "is answered within 5 s. A silent connection ends after 20 s, or 45 s with native threads. A message",
        "or body may have twice `--max-frame-bytes`, unless its address takes files. The code has further",
        f"limits inside; `{COMMAND}` writes this page from it.",
    ]
    areas = [(name, [each for part in parts for each in bounds_of(part)]) for name, parts in AREAS.items()]
    for heading, bounds in areas:
        lines += ["", f"## {heading}", "", "|for|limit", "|-|-"]
        lines += [f"|{each.reason}|{each.value}" for each in bounds if _is_shown(each)]
    return "\n".join(lines) + "\n"


def _is_shown(bound: Bound) -> bool:
    place = _where(bound).rpartition("/")[2]
    return not bound.name.startswith("_") and not UNSHOWN & {bound.name, place}


def _where(bound: Bound) -> str:
    return f"{bound.file.removesuffix('.py')}.{bound.name}"


def _bounds_in(path: Path, root: Path) -> Iterator[Bound]:
    body = ast.parse(path.read_text()).body
    name = ".".join(("fer_web", *path.relative_to(root).with_suffix("").parts))
    for node, following in zip(body, [*body[1:], None], strict=True):
        constant = _constant_name(node)
        if constant and LIMIT.fullmatch(constant) and not NO_LIMITS & {constant, f"{path.stem}.{constant}"}:
            value = getattr(importlib.import_module(name), constant)
            reason = _reason_of(path, constant) or _docstring(following)
            yield Bound(path.name, constant, _shown(constant, value), _sentence(reason))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Limits"):
            yield from _bounds_of_class(path, getattr(importlib.import_module(name), node.name))


def _bounds_of_class(path: Path, kind: type) -> Iterator[Bound]:
    """One row for each line of a class's Attributes, which may name several fields."""
    defaults = {name: value for name, value in vars(kind).items() if isinstance(value, int | float)}
    about = " ".join((kind.__doc__ or "").partition("Attributes:")[2].split())
    for names, reason in re.findall(r"((?:\w+, )*\w+): (.*?)(?=(?: (?:\w+, )*\w+: )|$)", about):
        present = [name for name in names.split(", ") if name in defaults]
        if present:
            values = ", ".join(_shown(name.upper(), defaults[name]) for name in present)
            reason = _reason_of(path, present[0]) or reason
            yield Bound(path.name, ", ".join(present), values, _sentence(reason))


def _reason_of(path: Path, name: str) -> str | None:
    return REASONS.get(f"{path.stem}.{name}") or REASONS.get(name)


def _constant_name(node: ast.stmt) -> str | None:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    target = targets[0]
    return target.id if isinstance(target, ast.Name) and target.id.isupper() else None


def _docstring(node: ast.stmt | None) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return str(node.value.value) if is_text and isinstance(node.value.value, str) else ""


def _sentence(text: str) -> str:
    """The first clause of a text, on one line; the code has the rest."""
    first = re.split(r"[.:;](?:\s|$)", " ".join(text.split()))[0]
    return f"{first[:1].upper()}{first[1:]}"


def _shown(name: str, value: float) -> str:
    unit = next((unit for ending, unit in UNITS if name.upper().endswith(ending)), "")
    if unit in ("s", "h") and value >= 3600 and value % 3600 == 0:
        value, unit = (value // 86400, "days") if value >= 2 * 86400 else (value // 3600, "h")
    if unit == "bytes" and value >= 1000:
        value, unit = (value / 1e6, "MB") if value >= 1e6 else (value / 1e3, "kB")
    number = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    return f"{number} {unit}".replace(" /s", "/s").strip()


def main() -> int:
    """Write the page, or print it."""
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
