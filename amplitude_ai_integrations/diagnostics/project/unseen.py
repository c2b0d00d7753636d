"""Calls of vendors that no client shows: what becomes of them arrives over a socket, later, or elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from ..finding import Finding
from .module import Use
from .sources import Sources


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
    Unseen("managed agents", "anthropic", (".beta.agents.", ".beta.sessions.")),
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
            fix = "Track it by hand, where its result arrives: ai.track_ai_message(...)   # docs/by-hand.md"
            yield Finding(topic, "hint", words, fix, use.place)


def _uses(sources: Sources, api: Unseen) -> Iterator[Use]:
    for module in sources.modules:
        if api.package in module.imported:
            for call in module.calls:
                name = ast.unparse(call.func) if isinstance(call.func, ast.Attribute) else ""
                if any(part in name for part in api.parts):
                    yield Use(module, call, api.name, call)
