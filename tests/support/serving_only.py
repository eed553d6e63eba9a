"""Runs a program as if requirements-serve.txt alone were installed.

python tests/support/serving_only.py app.py --port 0
python tests/support/serving_only.py -m fer_web predict PATH
"""

import runpy
import sys
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def installed_by(requirements):
    """Names of the distributions that a requirements file brings, with all that they need."""
    lines = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    waiting, seen = [(Requirement(line), {""}) for line in lines if line], set()
    while waiting:
        requirement, extras = waiting.pop()
        key = normal(requirement.name), frozenset(requirement.extras)
        if key in seen or not applies(requirement, extras):
            continue
        seen.add(key)
        needed = metadata.requires(requirement.name) or []
        waiting += [(Requirement(text), {"", *requirement.extras}) for text in needed]
    return {name for name, _ in seen}


def normal(name):
    return name.lower().replace("_", "-").replace(".", "-")


def applies(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


class ServingFinder(PathFinder):
    """Finds no other distribution, and no module that only others have."""

    kept = hidden = frozenset()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in cls.hidden else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *args, **kwargs):
        found = super().find_distributions(*args, **kwargs)
        return (each for each in found if normal(each.metadata["Name"]) in cls.kept)


def hide_the_rest():
    """Leave what the file installs, and Python's own library."""
    ServingFinder.kept = kept = installed_by(ROOT / "requirements-serve.txt")
    ServingFinder.hidden = frozenset(
        module
        for module, owners in metadata.packages_distributions().items()
        if not kept & set(map(normal, owners))
    )
    sys.meta_path[sys.meta_path.index(PathFinder)] = ServingFinder


if __name__ == "__main__":
    hide_the_rest()
    sys.path[0] = str(ROOT)
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
