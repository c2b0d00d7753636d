"""Which kind of words leaves in which content mode."""

from __future__ import annotations

import re
from dataclasses import Field, fields
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
_NAME = re.compile(
    r"[\w.:/-]{1,64}"
)  # what an enumeration or a name of yours looks like; a sentence does not


def judgement(value: object, leaves: frozenset[Content], depth: int = 0) -> Any:
    """Return an enrichment as a dictionary of those fields whose kind of words may leave.

    Anything that is not one of our enrichment types cannot say what it holds, so it leaves whole or not
    at all.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(value, Enrichment):
        found = ((item, getattr(value, item.name)) for item in _own_fields(type(value)))
        kept = {item.name: _field(item, inner, leaves, depth) for item, inner in found if inner is not None}
        return {name: inner for name, inner in kept.items() if inner is not None}
    if isinstance(value, dict):
        return {key: judgement(inner, leaves, depth + 1) for key, inner in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [judgement(inner, leaves, depth + 1) for inner in value]
    return value if isinstance(value, (str, bool, int, float)) else None


def _own_fields(kind: type[Enrichment]) -> tuple[Field[Any], ...]:
    """Return the fields an enrichment has of us; a subclass's own do not say what they hold."""
    ours = next(base for base in kind.__mro__ if base.__module__ == Enrichment.__module__)
    return fields(ours) if ours is not Enrichment else ()


def _field(item: Field[Any], value: Any, leaves: frozenset[Content], depth: int) -> Any:
    content = item.metadata.get("content")
    if content is not None:
        return judgement(value, leaves, depth + 1) if content in leaves else None
    if isinstance(value, (list, tuple)):
        kept = [_unmarked(item, inner, leaves, depth) for inner in value]
        return [inner for inner in kept if inner is not None]
    return _unmarked(item, value, leaves, depth)


def _unmarked(item: Field[Any], value: Any, leaves: frozenset[Content], depth: int) -> Any:
    """Return the value of a field that holds no words, if it is what the field is for."""
    if isinstance(value, Enrichment):
        return judgement(value, leaves, depth + 1)
    if isinstance(value, (bool, int, float)):
        return value
    # Names are the customer's own; where no word of theirs may leave, they must at least look like names.
    is_name = isinstance(value, str) and "str" in str(item.type)
    return value if is_name and (leaves or _NAME.fullmatch(value)) else None
