"""Which kind of words leaves in which content mode."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import msgspec

from ..config import ContentMode
from ..schema.enrichments import Enrichment, SessionEnrichments
from ..schema.fields import Content

LEAVES: Final[dict[ContentMode, frozenset[Content]]] = {
    ContentMode.FULL: frozenset(Content),
    ContentMode.METADATA_ONLY: frozenset(),
    ContentMode.CUSTOMER_ENRICHED: frozenset({Content.JUDGEMENT}),
}


def enrichments_of(value: object) -> SessionEnrichments | None:
    """Return enrichments that were given as a dictionary, so that each of their words can be judged.

    ``None`` for what is none: outside ``full``, nothing leaves that cannot say what it holds.
    """
    if isinstance(value, SessionEnrichments):
        return value
    try:
        return msgspec.convert(value, SessionEnrichments)
    except msgspec.ValidationError:
        return None


_DEEPEST = 12  # levels; our own types nest five, the rest is the customer's metadata


def judgement(value: object, leaves: frozenset[Content], depth: int = 0) -> Any:
    """Return an enrichment as a dictionary of those fields whose kind of words may leave.

    Anything that is not one of our enrichment types cannot say what it holds, so it leaves whole or not
    at all.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(value, Enrichment):
        return {
            item.name: judgement(inner, leaves, depth + 1)
            for item in fields(value)  # type: ignore[arg-type]  # each subclass is a dataclass
            if (inner := getattr(value, item.name)) is not None and _may_leave(item.metadata, leaves)
        }
    if isinstance(value, dict):
        return {key: judgement(inner, leaves, depth + 1) for key, inner in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [judgement(inner, leaves, depth + 1) for inner in value]
    return value


def _may_leave(metadata: Any, leaves: frozenset[Content]) -> bool:
    content = metadata.get("content")
    return content is None or content in leaves
