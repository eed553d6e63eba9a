"""Tells templates where a page's files are: in a bundle, compressed and named by content, or as they lie."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from flask import Blueprint, Flask, Response, abort, request

from fer_web.vendor_files import media_type
from fer_web.web.answers import compressed, compressed_page
from fer_web.web.pages.page_bundle import STATIC, Stamps, are_current, bundle_of, stamps_of

BUNDLE_PATH: Final = "/static/bundle/"
FOR_EVER: Final = ("Cache-Control", "public, max-age=31536000, immutable")
"""Another content has another name, so browsers need never ask again."""

_KINDS: Final = {".svg": "image/svg+xml", ".json": "application/json"}


class PageFiles(Protocol):
    """Addresses of files that a page loads."""

    def url(self, path: str) -> str:
        """Return the address of a file, named by its path from static/."""

    def sheet_urls(self, names: Iterable[str]) -> list[str]:
        """Return the addresses of style sheets, named without folder and suffix; their order counts."""


class SourceFiles:
    """Each file by itself, as it lies in static/ and node_modules/."""

    def url(self, path: str) -> str:
        """Return the address of a file; a browser asks each time whether it has changed."""
        return f"/{path}" if path.startswith("vendor/") else f"/static/{path}"

    def sheet_urls(self, names: Iterable[str]) -> list[str]:
        """Return one address for each sheet."""
        return [self.url(path) for path in _sheet_paths(names)]


@dataclass(frozen=True)
class PlacedFiles:
    """Files of a server below a path, such as /fer; empty is the whole host."""

    files: PageFiles
    base_path: str

    def url(self, path: str) -> str:
        """Return the address of a file."""
        return f"{self.base_path}{self.files.url(path)}"

    def sheet_urls(self, names: Iterable[str]) -> list[str]:
        """Return the addresses of style sheets."""
        return [f"{self.base_path}{url}" for url in self.files.sheet_urls(names)]


@dataclass(frozen=True)
class CompressedFile:
    """A file in memory, ready to be sent either way."""

    content: bytes
    compressed: bytes
    media_type: str


class BundledFiles:
    """The files of a bundle; the sheets of a page are one file."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        """Args: contents: by path, as `bundle_of` returns them."""
        self._contents = contents
        self._files: dict[str, CompressedFile] = {}
        self._names = {path: self._add(path, content) for path, content in contents.items()}

    def url(self, path: str) -> str:
        """Return the address of a file; browsers keep it for ever."""
        return BUNDLE_PATH + self._names[path]

    def sheet_urls(self, names: Iterable[str]) -> list[str]:
        """Return the one address of all these sheets together."""
        path = "+".join(_sheet_paths(names))
        if path not in self._names:
            joined = b"\n".join(self._contents[each] for each in path.split("+"))
            self._names[path] = self._add("page.css", joined)
        return [self.url(path)]

    def file(self, name: str) -> CompressedFile | None:
        """Return the file of this name below BUNDLE_PATH; None where there is none."""
        return self._files.get(name)

    def _add(self, path: str, content: bytes) -> str:
        stem, suffix = Path(path).stem, Path(path).suffix
        name = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
        kind = _KINDS.get(suffix) or media_type(path)
        self._files[name] = CompressedFile(content, gzip.compress(content, mtime=0), kind)
        return name


_State = tuple[Stamps, BundledFiles | None]
_T = TypeVar("_T")


def _begin(function: Callable[[], _T]) -> Future[_T]:
    """Call a function in a thread of its own, which ends with it."""
    executor = ThreadPoolExecutor(1, "page-bundle")
    result = executor.submit(function)
    executor.shutdown(wait=False)
    return result


class CurrentFiles:
    """The files as they are now: a page that is loaded again shows what was changed in static/.

    The first bundle is made in a thread of its own, while the rest of the server is built.
    """

    def __init__(self, static: Path = STATIC, *, is_bundled: bool = True) -> None:
        """Args: is_bundled: False serves the sources, which are easier to debug."""
        self._static = static
        self._state: _State | None = None
        self._first = _begin(self._build) if is_bundled else None

    def now(self) -> PageFiles:
        """Return where the files are; makes a new bundle where a source has changed since the last one."""
        return self._bundled() or SourceFiles()

    def register(self, app: Flask) -> None:
        """Give templates `page_files` and `base`, and serve the bundle; pages are compressed too."""
        app.context_processor(
            lambda: {"page_files": PlacedFiles(self.now(), request.script_root), "base": request.script_root}
        )
        app.after_request(_with_placed_imports)
        app.after_request(compressed_page)
        app.register_blueprint(self._blueprint())

    def _bundled(self) -> BundledFiles | None:
        if self._first is None:
            return None
        stamps, files = self._latest()
        # Where there is no bundle, a file may be missing that comes back.
        is_current = are_current(stamps) if files else stamps == stamps_of(self._static)
        if not is_current:
            self._state = _, files = self._build()
        return files

    def _latest(self) -> _State:
        """The last bundle, which may be out of date; waits for the first one."""
        return self._state or (self._first.result() if self._first else ((), None))

    def _build(self) -> _State:
        stamps = stamps_of(self._static)
        contents = bundle_of(stamps, self._static)
        return stamps, BundledFiles(contents) if contents else None

    def _blueprint(self) -> Blueprint:
        pages = Blueprint("page_files", __name__)

        @pages.get(f"{BUNDLE_PATH}<name>")
        def bundled(name: str) -> Response:
            # The page that names the file has looked for changes.
            _, files = self._latest()
            file = files.file(name) if files else None
            if file is None:
                abort(404)
            return _answer(file)

        return pages


def _answer(file: CompressedFile) -> Response:
    answer = Response(file.content, mimetype=file.media_type)
    answer.headers.set(*FOR_EVER)
    return compressed(answer, file.compressed)


def _with_placed_imports(answer: Response) -> Response:
    """Sources that are not bundled import /vendor/: below a path, that lies there too."""
    is_source = request.endpoint == "static" and request.path.endswith(".js")
    if is_source and request.script_root and answer.status_code == 200:
        answer.direct_passthrough = False
        placed = f'from "{request.script_root}/vendor/'.encode()
        answer.set_data(answer.get_data().replace(b'from "/vendor/', placed))
    return answer


def _sheet_paths(names: Iterable[str]) -> list[str]:
    """The sheets' paths; what draws charts has one of its own, which ours changes."""
    names = list(names)
    return [*(["vendor/uPlot.min.css"] if "chart" in names else []), *(f"css/{name}.css" for name in names)]
