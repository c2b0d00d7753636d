"""What is said of a step while it is under way, for when it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..context.recent import Recent

_updates: Final[Recent[str, dict[str, Any]]] = Recent()


def update(span_id: str, fields: Mapping[str, Any]) -> None:
    """Say more of a step; what is said later wins."""
    said = _updates.made(span_id, dict)
    own = said.get("event_properties")
    more = {**own, **fields["event_properties"]} if own and fields.get("event_properties") else None
    said.update(fields)
    if more is not None:
        said["event_properties"] = more


def updates_of(span_id: str) -> Mapping[str, Any] | None:
    """Return what was said of a step, once."""
    return _updates.pop(span_id)
