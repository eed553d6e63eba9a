"""The documents are short, plain, and lead to each other."""

import re
from statistics import mean

import pytest

from tests.support.documents import documents, read, sentences_of
from tests.support.servers import ROOT

LINKING = [*documents(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PLAIN = [path for path in LINKING if path.name != "RESULTS.md"]


def test_the_splitter_counts_sentences_and_nothing_else():
    text = "# Head\n\nOne two three. Four five six:\n\n- seven *eight* nine\n- a [b](c.md) c\n\n"
    text += "```\nx y z w\n```\n| d | e |\n"
    assert sentences_of(text) == ["One two three.", "Four five six:", "seven eight nine", "a b c"]


@pytest.mark.parametrize(
    ("name", "kilobytes"), [("README.md", 10), ("ARCHITECTURE.md", 12), ("train/RESULTS.md", 8)]
)
def test_each_document_is_short(name, kilobytes):
    assert len(read(name).encode()) <= kilobytes * 1024


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_each_page_of_docs_is_short(path):
    assert path.stat().st_size <= 10 * 1024


def test_all_documents_together_are_short():
    assert sum(path.stat().st_size for path in documents()) <= 88 * 1024


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.name)
def test_sentences_have_at_most_25_words_on_average(path):
    sentences = sentences_of(path.read_text())
    assert mean(len(sentence.split()) for sentence in sentences) <= 25


@pytest.mark.parametrize("path", LINKING, ids=lambda path: path.name)
def test_every_link_leads_to_something_that_is_there(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", " ".join(path.read_text().split())):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), f"{path.name} links {target}"
        if anchor:
            assert anchor in anchors_of(linked.read_text()), f"{path.name} links {target}"


def anchors_of(text):
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*")), ids=lambda path: path.name)
def test_the_readme_leads_to_every_file_of_docs(path):
    assert f"](docs/{path.name})" in read("README.md")


def test_the_changelog_begins_with_what_is_not_released():
    headings = re.findall(r"^## (.*)$", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1].startswith("[0.1.0]")
