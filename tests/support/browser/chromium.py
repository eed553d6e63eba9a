"""Finds or installs the browser that the tests drive: python -m tests.support.browser.chromium --install"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

# Programs that make a network and make a browser in it trust an authority, one that the README names, and
# browsers of other engines with a screen; with Debian's packages of them.
LINUX_TOOLS = {
    "certutil": "libnss3-tools",
    "curl": "curl",
    "firefox-esr": "firefox-esr",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}


def find_browser() -> str | None:
    """Path of a Chromium or Chrome: the system's, else the one that Playwright installed."""
    for name in SYSTEM_NAMES:
        if path := shutil.which(name):
            return path
    for path in MAC_PATHS:
        if Path(path).exists():
            return path
    return _playwright_browser()


def require_browser() -> str:
    """As find_browser. Raises RuntimeError, with what to do, where there is none."""
    path = find_browser()
    if path is None:
        raise RuntimeError(
            "No Chromium or Chrome was found and none could be installed, so the page cannot be tested. "
            "Install one (Debian: apt-get install chromium) and run make test again."
        )
    return path


def install_browser() -> str:
    """Find a browser, or install Debian's where we are root, else Playwright's own."""
    if find_browser() is None and shutil.which("apt-get") and _is_root():
        print("Installing Debian's chromium for the browser tests", flush=True)
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    if find_browser() is None:
        print("Installing Playwright's Chromium for the browser tests", flush=True)
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    return require_browser()


def require_tool(name: str) -> str:
    """Path of one of LINUX_TOOLS. Raises RuntimeError, with what to do, where it is missing."""
    # Debian puts ip where only root looks for it.
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise RuntimeError(
            f"{name} was not found and could not be installed, so not all can be tested. "
            f"Install it (Debian: apt-get install {LINUX_TOOLS[name]}) and run make test again."
        )
    return path


def install_tools() -> None:
    """Install those of LINUX_TOOLS that are missing, where we are root and have apt."""
    if sys.platform != "linux":
        return
    missing = [package for name, package in LINUX_TOOLS.items() if not _has_tool(name)]
    if missing and shutil.which("apt-get") and _is_root():
        print(f"Installing Debian's {', '.join(missing)} for the browser tests", flush=True)
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)
    for name in LINUX_TOOLS:
        require_tool(name)


def _has_tool(name: str) -> bool:
    try:
        return bool(require_tool(name))
    except RuntimeError:
        return False


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def _playwright_browser() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


if __name__ == "__main__":
    try:
        if "--install" in sys.argv:
            install_tools()
        print(install_browser() if "--install" in sys.argv else require_browser())
    except RuntimeError as exc:
        sys.exit(str(exc))
