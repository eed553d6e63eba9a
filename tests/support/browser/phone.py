"""A phone in a network of namespaces: Chromium with a home folder, and so with certificates, of its own."""

import subprocess
from contextlib import contextmanager

from tests.support.browser.browsers import chromium, chromium_with_camera
from tests.support.browser.chromium import require_browser, require_tool


class Phone:
    """Chromium on one machine."""

    def __init__(self, machine, folder):
        """Args: folder: an empty one, for its home."""
        self._program = str(machine.wrapper(folder, require_browser()))
        self._home = folder
        self._certificates = folder / ".pki" / "nssdb"
        self._certificates.mkdir(parents=True)
        self._certutil("-N", "--empty-password")

    def trust(self, authority_path):
        """As its owner does in the settings; browsers that are started later know it."""
        self._certutil("-A", "-t", "C,,", "-n", "fer-web", "-i", str(authority_path))

    @contextmanager
    def browser(self, video=None):
        """Chromium; with a camera that plays `video`, where one is given."""
        options = {"program": self._program, "home": self._home}
        with chromium_with_camera(video, **options) if video else chromium(**options) as browser:
            yield browser

    def _certutil(self, *arguments):
        command = [require_tool("certutil"), "-d", f"sql:{self._certificates}", *arguments]
        subprocess.run(command, check=True, capture_output=True)
