"""What may stand inside an event: valid text, of bounded length and depth."""

from __future__ import annotations

from typing import Any

from ...schema.names import wire_name
from ...schema.values import clean

_LONGEST = 1_024
_DEEPEST = 40
_WHOLE_PREFIX = "[Agent] "
_WHOLE_NAME = wire_name("llm_message")


class TooDeepError(ValueError):
    """An object has more layers than Amplitude takes."""


def bounded(value: Any, depth: int = 0, *, is_whole: bool = False) -> Any:
    """Return ``value`` with long strings cut, except in properties whose text is the point of them."""
    if isinstance(value, str):
        return clean(value if is_whole else value[:_LONGEST])
    if not isinstance(value, (dict, list)):
        return value
    if depth >= _DEEPEST:
        raise TooDeepError
    if isinstance(value, list):
        return [bounded(inner, depth + 1, is_whole=is_whole) for inner in value]
    return {
        clean(name): bounded(inner, depth + 1, is_whole=is_whole or _is_kept(name))
        for name, inner in value.items()
    }


def _is_kept(name: str) -> bool:
    return name == _WHOLE_NAME or name.startswith(_WHOLE_PREFIX)
