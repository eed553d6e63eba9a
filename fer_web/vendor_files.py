"""Files that come from npm packages: where each one is, and what to do when it is missing."""

from pathlib import Path

from fer_web.errors import SetupError
from fer_web.settings import ROOT

NODE_MODULES = ROOT / "node_modules"
BLAZEFACE_PATH = NODE_MODULES / "@mediapipe" / "face_detection" / "face_detection_short_range.tflite"
BROWSER_MODULES = {
    "client-zip.js": NODE_MODULES / "client-zip" / "index.js",
    "socket.io.esm.min.js": NODE_MODULES / "socket.io-client" / "dist" / "socket.io.esm.min.js",
    "uPlot.esm.js": NODE_MODULES / "uplot" / "dist" / "uPlot.esm.js",
    "uPlot.min.css": NODE_MODULES / "uplot" / "dist" / "uPlot.min.css",
}
"""Served under /vendor/; nothing else of node_modules is."""

_ESBUILD_PATTERNS = ("@esbuild/*/bin/esbuild", "@esbuild/*/esbuild.exe")
"""npm installs the package of this machine's system and processor alone."""

_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


def media_type(name: str) -> str:
    """Return the type of one of BROWSER_MODULES; browsers refuse others for modules and sheets."""
    return _MEDIA_TYPES[Path(name).suffix]


def find_esbuild(node_modules: Path = NODE_MODULES) -> Path | None:
    """Return the program that bundles the pages' files; it runs without Node. None where it is missing."""
    found = (path for pattern in _ESBUILD_PATTERNS for path in node_modules.glob(pattern))
    return next(found, None)


def check_browser_modules(modules: dict[str, Path] = BROWSER_MODULES) -> None:
    """Raises SetupError: a module that the page needs is not installed."""
    for path in modules.values():
        if not path.is_file():
            raise SetupError(
                f"{path} is missing, the page cannot work without it. "
                "Install it: make setup (without make: npm ci --ignore-scripts)"
            )
