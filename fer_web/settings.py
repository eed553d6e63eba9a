"""Every option of the server, declared once: default < environment FER_* < command line."""

import argparse
import os
import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from platformdirs import user_data_path

from fer_web.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
_DEFAULT_MODEL = ROOT / "models" / "flagship"

HOMELESS_DATA_DIR = Path(tempfile.gettempdir() if os.name == "nt" else "/var/tmp") / (
    f"fer-web-{os.getuid() if hasattr(os, 'getuid') else 'data'}"
)
"""The data folder of a user without a home, as in some containers. Anybody can make a folder of this name:
`open_engine` uses it only where it is this user's alone."""


def _default_data_dir() -> Path:
    try:
        return user_data_path("fer-web", appauthor=False)
    except (RuntimeError, KeyError, OSError):  # neither HOME nor an entry in the system's list of users
        return HOMELESS_DATA_DIR


_DEFAULT_DATA_DIR = _default_data_dir()
AsyncMode = Literal["eventlet", "threading"]
Recording = Literal["on", "off"]
Sharing = Literal["on", "off"]
Colour = Literal["grey", "rgb", "bgr"]
Crop = Literal["tight", "fer2013", "margin"]
LogFormat = Literal["text", "json"]
Switch = Literal["on", "off"]
Trust = Literal["on", "off"]
DetectorName = Literal["auto", "blazeface", "haar"]


def _option(default: Any, help_text: str, *, is_secret: bool = False, **limits: Any) -> Any:
    # A field, typed as its value.
    return field(default=default, repr=not is_secret, metadata={"help": help_text, **limits})


def _environment_secret(help_text: str, form: str, allowed: str) -> Any:
    # Other users of this machine can read a command line, so it is no option there.
    return _option("", help_text, is_secret=True, form=form, allowed=allowed, only_environment=True)


@dataclass(frozen=True)
class Settings:
    """The server's options. Each one is `--name-with-dashes` and `FER_NAME_WITH_UNDERSCORES`."""

    host: str = _option(
        "127.0.0.1", "address to listen on; others than loopback are reachable from the network"
    )
    port: int = _option(5000, "TCP port; 0 takes a free one", low=0, high=65535)
    model: Path = _option(
        _DEFAULT_MODEL,
        "model: a folder with meta.json, or your own: .keras, .h5, .json with its weights (MODEL.json or "
        "MODEL.json,WEIGHTS.h5), a SavedModel folder, .tflite, .onnx",
    )
    labels: str = _option(
        "",
        "expressions of your own model's outputs in their order, with commas, none for one to leave out; "
        "empty guesses FER-2013's",
    )
    scaling: str = _option(
        "auto",
        "how pixels are scaled for your own model: what black and white become (0..1, -1..1, 0..255), "
        "imagenet, caffe, picture, or MEAN/DEVIATION; auto reads or guesses it",
    )
    colour: str = _option(
        "grey",
        "what your own model of three channels gets; grey in each, or colours",
        choices=get_args(Colour),
    )
    crop: str = _option(
        "fer2013",
        "how much of a head your own model sees; tight is the face alone, margin shows hair and chin",
        choices=get_args(Crop),
    )
    temperature: float = _option(
        0.0,
        "divides your own model's logits, as models check --calibrate measures it; 0 for none",
        low=0.0,
        high=100.0,
    )
    trust: str = _option(
        "off",
        "open your own model even where its file can run code, as Lambda layers and SavedModel do; "
        "--trust alone is on",
        choices=get_args(Trust),
        const="on",
    )
    detector: str = _option(
        "auto",
        "face detector; auto is blazeface, or haar when its npm package is missing",
        choices=get_args(DetectorName),
    )
    async_mode: str = _option(
        "eventlet", "how connections are served; threading needs no eventlet", choices=get_args(AsyncMode)
    )
    workers: int = _option(
        0, "frames analysed at the same time; 0 is one for each processor, up to 4", low=0, high=64
    )
    max_clients: int = _option(
        32, "streams served at the same time; further ones are refused", low=1, high=10000
    )
    max_faces: int = _option(10, "faces analysed in one frame", low=1, high=64)
    max_frame_bytes: int = _option(300_000, "largest JPEG accepted, in bytes", low=1000, high=20_000_000)
    max_frame_pixels: int = _option(
        1_310_720, "largest frame of a stream, in pixels: 1280 x 1024", low=1024, high=100_000_000
    )
    max_image_bytes: int = _option(
        50_000_000, "largest image file analysed, in bytes", low=1000, high=1_000_000_000
    )
    max_image_pixels: int = _option(
        50_000_000, "largest image file analysed, in pixels", low=1024, high=500_000_000
    )
    max_video_mb: int = _option(
        2000, "largest video file that the server takes, in megabytes", low=1, high=100_000
    )
    max_video_pixels: int = _option(
        9_000_000, "largest frame of a video file analysed, in pixels", low=1024, high=500_000_000
    )
    max_video_hours: float = _option(6.0, "longest video file analysed, in hours", low=0.001, high=240.0)
    max_frames_per_s: int = _option(
        60, "messages a second that one client may send before it is disconnected", low=1, high=1000
    )
    smoothing_s: float = _option(
        0.25, "time constant of the shown scores, in seconds; 0 is none", low=0.0, high=10.0
    )
    search_interval_s: float = _option(
        1.0, "seconds in which the whole frame is searched for new faces, part by part", low=0.1, high=60.0
    )
    data_dir: Path = _option(_DEFAULT_DATA_DIR, "folder of the history and of what it keeps secret")
    database_url: str = _option(
        "",
        "database of the history: postgresql://USER:PASSWORD@HOST:PORT/DATABASE; empty is SQLite in the data "
        "folder. Other users of this machine can read a command line: set it in the environment",
        is_secret=True,
    )
    redis: str = _option(
        "",
        "redis://HOST:PORT/0 through which several processes are one service, with one --database-url and "
        "FER_SECRET for all; empty is one process. Set a password in the environment",
        is_secret=True,
    )
    job_workers: str = _option(
        "",
        "redis://HOST:PORT/1 by which workers of other processes, python -m fer_web worker, are told of "
        "videos that are sent; empty analyses them here. Set a password in the environment",
        is_secret=True,
        form="rediss?://.{1,500}",
        allowed="redis://HOST:PORT/0, or rediss:// by TLS",
    )
    job_files: str = _option(
        "", "folder of sent videos, which servers and workers share; empty is the data folder"
    )
    secret: str = _environment_secret(
        "signs cookies, the same for all processes of one service; empty takes the data folder's",
        "[0-9a-fA-F]{64}",
        "64 hexadecimal digits, such as `openssl rand -hex 32` prints",
    )
    host_token: str = _environment_secret(
        "opens the host's own pages as ?host=; empty makes a new one at each start",
        "[A-Za-z0-9_-]{24,200}",
        "24 to 200 letters, digits, - and _, such as `openssl rand -hex 16` prints",
    )
    recording: str = _option(
        "on",
        "whether the page records from Start, until it is switched off there",
        choices=get_args(Recording),
    )
    record_hz: float = _option(5.0, "samples a second that are recorded of each face", low=0.1, high=30.0)
    retention_days: int = _option(
        30, "days after which a session is removed; 0 keeps all", low=0, high=36_500
    )
    log_format: str = _option(
        "text",
        "form of the log: lines of text, or of json for programs that collect logs; then no token is printed",
        choices=get_args(LogFormat),
    )
    log_requests: str = _option(
        "off", "whether each HTTP request is logged, without tokens and ids", choices=get_args(Switch)
    )
    metrics_token: str = _option(
        "",
        "lets others than this machine read /metrics, as Authorization: Bearer TOKEN; empty: nobody. Other "
        "users of this machine can read a command line: set it in the environment",
        is_secret=True,
        shortest=16,
    )

    events: str = _option("", "file with rules, and receivers of events: docs/events.md; TOML or JSON")

    share: str = _option(
        "off",
        "serve the local network too, by HTTPS and for those with a link; --share alone is on",
        choices=get_args(Sharing),
        const="on",
    )
    share_port: int = _option(5443, "TCP port of HTTPS when sharing; 0 takes a free one", low=0, high=65535)
    public_url: str = _option(
        "", "https address that links name instead of this machine's own, such as https://fer.example.org"
    )
    base_path: str = _option(
        "",
        "path of a host below which all pages are, as behind a proxy that serves other things too: /fer",
        form="/|(/[A-Za-z0-9_][A-Za-z0-9._~-]{0,63}){1,8}/?",
        allowed="a path such as /fer or /tools/fer, of letters, digits, ., _, ~ and -",
    )
    cert: str = _option(
        "", "certificate file (PEM, with its chain) for sharing, instead of our own authority's"
    )
    key: str = _option("", "private key file (PEM) of --cert")
    proxies: int = _option(
        0,
        "reverse proxies in front of the server whose X-Forwarded headers are believed; 0 believes none",
        low=0,
        high=5,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item.name, getattr(self, item.name), item.metadata)
        object.__setattr__(self, "base_path", self.base_path.rstrip("/"))
        if self.redis and not (self.database_url and self.secret):
            raise SettingsError(
                "Several processes with --redis need one database and one secret: give all of them the same "
                "FER_DATABASE_URL (postgresql://...) and the same FER_SECRET (openssl rand -hex 32)."
            )

    @property
    def worker_count(self) -> int:
        """Workers, the automatic number resolved."""
        return self.workers or max(1, min(4, os.cpu_count() or 1))

    @property
    def max_video_bytes(self) -> int:
        """Largest video file that the server takes, in bytes."""
        return self.max_video_mb * 1_000_000

    @property
    def job_folder(self) -> Path:
        """Folder of sent videos."""
        return Path(self.job_files) if self.job_files else self.data_dir

    @property
    def has_others(self) -> bool:
        """Tell whether other processes may serve the same clients."""
        return bool(self.redis)

    @property
    def is_shared(self) -> bool:
        """Tell whether others on the local network are let in by links."""
        return self.share == "on"

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can connect."""
        return self.host in ("127.0.0.1", "::1", "localhost")


def settings_from(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Build Settings from a command line and an environment.

    Raises: SettingsError: an unknown FER_* variable, or a value that is not allowed, with its name.
        SystemExit: from argparse, for an unknown option or --help.
    """
    return settings_of(_parser().parse_args(join_ranges(arguments)), environment)


def settings_of(given: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Build Settings from what a parser with some of their options read, and an environment.

    Raises: SettingsError: as `settings_from`.
    """
    names = {item.name for item in fields(Settings)}
    values = {name: value for name, value in vars(given).items() if name in names and value is not None}
    return Settings(**{**_from_environment(environment), **values})


def add_setting_options(parser: Any, names: Collection[str]) -> None:
    """Give a parser the options of these settings."""
    for item in fields(Settings):
        if item.name in names and "only_environment" not in item.metadata:
            parser.add_argument(
                f"--{item.name.replace('_', '-')}",
                type=_converter(item.name, item.default),
                **({"nargs": "?", "const": item.metadata["const"]} if "const" in item.metadata else {}),
                metavar=type(item.default).__name__.replace("Posix", "").replace("Windows", "").upper(),
                help=f"{item.metadata['help']}{_limits(item.metadata)} (default: {_shown(item.default)})",
            )


def join_ranges(arguments: Sequence[str]) -> list[str]:
    """Arguments with `--scaling -1..1` as one word: argparse would take such a value for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--scaling" and argument.startswith("-1"):
            joined[-1] = f"--scaling={argument}"
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py",
        description="Serve the live facial expression page.",
        epilog="Example: python app.py --port 8000 --detector haar. Each option can also be set in the "
        "environment: --max-clients is FER_MAX_CLIENTS.",
    )
    add_setting_options(parser, [item.name for item in fields(Settings)])
    return parser


def _limits(metadata: Mapping[str, Any]) -> str:
    if "shortest" in metadata:
        return f"; {metadata['shortest']} characters at least"
    if "choices" in metadata:
        return f"; {', '.join(metadata['choices'])}"
    return f"; {metadata['low']} to {metadata['high']}" if "low" in metadata else ""


def _shown(default: object) -> str:
    if isinstance(default, Path):
        return default.relative_to(ROOT).as_posix() if default.is_relative_to(ROOT) else str(default)
    return str(default) or "none"


def _converter(name: str, default: object) -> Any:
    def convert(text: str) -> object:
        try:
            return _parse(name, text, default)
        except SettingsError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return convert


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    known = {f"FER_{item.name.upper()}": item for item in fields(Settings)}
    unknown = sorted(name for name in environment if name.startswith("FER_") and name not in known)
    if unknown:
        raise SettingsError(f"{unknown[0]} is no setting. Allowed: {', '.join(sorted(known))}.")
    return {
        item.name: _parse(item.name, environment[name], item.default, variable=name)
        for name, item in known.items()
        if name in environment
    }


def _parse(name: str, text: str, default: Any, variable: str | None = None) -> object:
    kind: type[Any] = Path if isinstance(default, Path) else type(default)
    try:
        value = kind(text)
        item = next(item for item in fields(Settings) if item.name == name)
        _check(name, value, item.metadata)
    except ValueError as exc:
        raise SettingsError(f"{variable or name}: {text!r} is not of type {kind.__name__}.") from exc
    return value


def _check(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    choices = metadata.get("choices")
    if choices and value not in choices:
        raise SettingsError(f"{name} is {value!r}; allowed: {', '.join(choices)}.")
    if value and "form" in metadata and not re.fullmatch(metadata["form"], value):
        # The value itself is not told: it may be a secret with one wrong sign.
        raise SettingsError(
            f"{name} has {len(value)} characters of a wrong form; allowed: {metadata['allowed']}."
        )
    if value and len(str(value)) < metadata.get("shortest", 0):
        raise SettingsError(f"{name} has {len(str(value))} characters; {metadata['shortest']} are the least.")
    if "low" in metadata and not metadata["low"] <= value <= metadata["high"]:
        raise SettingsError(f"{name} is {value}; allowed: {metadata['low']} to {metadata['high']}.")
