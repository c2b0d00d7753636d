"""Calls of vendors that no client shows: what becomes of them arrives over a socket, later, or elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..finding import Finding
from .classes import OURS
from .module import Use
from .sources import PACKAGE, Sources

BY_HAND: Final = "Track it by hand, where its result arrives: ai.track_ai_message(...)   # docs/by-hand.md"


class Unseen(NamedTuple):
    """An API, the vendor's package, and what its calls have in their names."""

    name: str
    package: str
    parts: tuple[str, ...]


_APIS: Final = (
    Unseen("the Assistants API", "openai", (".beta.threads.",)),
    Unseen("the Realtime API", "openai", (".realtime.connect",)),
    Unseen("responses over a socket", "openai", (".responses.connect",)),
    Unseen("batches", "openai", (".batches.",)),
    Unseen("batches", "anthropic", (".messages.batches.",)),
    Unseen("the Live API", "google.genai", (".live.connect",)),
    Unseen("batches", "google.genai", (".batches.",)),
    Unseen("batch jobs", "mistralai", (".batch.jobs.",)),
)


def unseen_calls(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say where a project uses such an API, once for each."""
    for api in _APIS:
        use = next(_uses(sources, api), None)
        if use is not None:
            words = f"No client shows what becomes of {api.name} of {api.package}."
            yield Finding(topic, "hint", words, BY_HAND, use.place)


def _uses(sources: Sources, api: Unseen) -> Iterator[Use]:
    ours = _with_ours(sources, api.package)
    for module in sources.modules:
        if api.package in module.imported or module.path in ours:
            for call in module.calls:
                name = ast.unparse(call.func) if isinstance(call.func, ast.Attribute) else ""
                if any(part in name for part in api.parts):
                    yield Use(module, call, api.name, call)


def _with_ours(sources: Sources, package: str) -> set[str]:
    """Return the files that name a class of ours whose clients make a package's calls."""
    names = (name for name, stands_on in OURS.items() if stands_on == package)
    uses = sources.uses(*names)
    return {use.module.path for use in uses if use.module.path_of(use.node).startswith(f"{PACKAGE}.")}
