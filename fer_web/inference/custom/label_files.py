"""Names of outputs that lie beside a network: labels.txt, metadata.json (Teachable Machine), config.json."""

import json
import re
from pathlib import Path
from typing import Any, Final

from fer_web.errors import SettingsError
from fer_web.inference.custom.options import parse_labels

_FILES: Final = ("labels.txt", "metadata.json", "config.json")
_READ_BYTES: Final = 1_000_000


def labels_beside(path: Path, classes: int) -> tuple[tuple[str, ...], str] | None:
    """The outputs' names and the file that has them; None where none names so many expressions.

    Args: path: the network's file, or its folder.
    """
    folder = path if path.is_dir() else path.parent
    for name in _FILES:
        file = folder / name
        try:
            if file.stat().st_size > _READ_BYTES:
                continue
            names = _names(file.read_text(encoding="utf-8-sig"), name)
            labels = parse_labels(",".join(names))
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, SettingsError):
            continue  # it is about something else
        if len(labels) == classes:
            return labels, name
    return None


def _names(text: str, file: str) -> list[str]:
    if file.endswith(".txt"):
        return [re.sub(r"^\d+[\s:,]+", "", line.strip()) for line in text.splitlines() if line.strip()]
    said: Any = json.loads(text)
    if file == "metadata.json":
        return [str(each) for each in said["labels"]] if "labels" in said else []
    by_number = {int(key): str(value) for key, value in said.get("id2label", {}).items()}
    return [by_number[number] for number in sorted(by_number)]
