"""The documents that people read, and their parts."""

import re
from pathlib import Path

from tests.support.servers import ROOT


def documents() -> list[Path]:
    """README, ARCHITECTURE, RESULTS and all of docs/: what is sized and read together."""
    named = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "train" / "RESULTS.md"]
    return [*named, *sorted((ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    """A document, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks_of(name: str, heading: str, language: str) -> list[str]:
    """The blocks of one language in the section below a heading of the second level."""
    section = read(name).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def commands_of(name: str, heading: str) -> list[str]:
    """The lines of a section's shell blocks."""
    blocks = blocks_of(name, heading, "sh")
    return [line for block in blocks for line in block.replace("\\\n", "").splitlines() if line.strip()]


def sentences_of(text: str) -> list[str]:
    """The sentences of a document's paragraphs and list items: no code, tables, headings and pictures."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines = ["" if re.match(r"\s*(\||#|!\[| {4}\S)", line) else line for line in text.splitlines()]
    items = re.sub(r"\n\s*(?:[-*]|\d+\.) ", "\n\n", "\n".join(lines))
    items = re.sub(r"\]\([^)]*\)|[*`\[\]]", "", items)
    parts = [
        part
        for item in re.split(r"\n\s*\n", items)
        for part in re.split(r"(?<=[.?!])\s+(?=[A-Z\"])", " ".join(item.split()))
    ]
    return [part for part in parts if len(part.split()) > 2]
