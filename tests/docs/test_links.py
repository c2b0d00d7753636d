"""The pages hang together: links lead somewhere, no page is lost, and none knows whose machine it was made on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .blocks import PAGES, ROOT

ALL = [*PAGES, *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]
# Where a page may lead, or let a program of its reader listen.
HOSTS = {"127.0.0.1:8320", "127.0.0.1:9", "amplitude.com", "github.com", "www.w3.org"}
# Whom the table of docs/gateways.md knows, and where servers of one's own listen.
MODELS = {
    "acme.openai.azure.com",
    "acme.services.ai.azure.com",
    "api.cerebras.ai",
    "api.deepseek.com",
    "api.fireworks.ai",
    "api.groq.com",
    "api.perplexity.ai",
    "api.together.xyz",
    "api.x.ai",
    "docs.litellm.ai",
    "localhost:1234",
    "localhost:4000",
    "localhost:4318",
    "localhost:8000",
    "localhost:11434",
    "openrouter.ai",
}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in _links(page):
        path, _, anchor = link.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_guide_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    assert {page.name for page in PAGES} - {*_links(index)} == {index.name}


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_no_page_names_this_machine_or_a_host_of_no_use_to_readers(page: Path) -> None:
    text = page.read_text()
    assert str(ROOT) not in text
    assert {*re.findall(r"https?://([\w.:-]+)", text)} <= HOSTS | MODELS


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_every_block_is_a_program_that_is_run_or_a_command_line(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
    assert set(fences[::2]) <= {"python", "sh"}
    assert set(fences[1::2]) <= {""}
