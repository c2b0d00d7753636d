"""Numbers, flags, names and ids as their types ask, whatever was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from .catalog import Field
from .values import clean, plain, to_json

_NAME_LIMIT = 1_000  # characters of a name or an id; nothing honest comes near


Shape = Callable[[Any], Any]


def shape_of(field: Field) -> Shape | None:
    """Return what makes of any value one that a field without words can hold, or ``None`` if there is none
    in it; fields that hold words have no shape, but for those that hold a list of them.
    """
    if field.about.accepts == "Sequence[str]":
        return names
    if field.about.content is not None:
        return None
    shape: Shape = _SHAPES.get(field.type, names)
    return shape


def number(value: Any) -> float | None:
    """Return a finite number, or ``None``."""
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and -(2**63) <= value < 2**64:
        return value
    value = plain(value)
    return value if type(value) in (int, float) and math.isfinite(value) else None


def flag(value: Any) -> bool:
    """Return whether a value counts as true; one that cannot say so is there, and counts."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - arrays and the like raise what they please
        return True


def name(value: Any) -> str:
    """Return a value as a short text."""
    if type(value) is str and len(value) <= _NAME_LIMIT and value.isascii():
        return value
    if type(value) is not str:
        shown = plain(value)
        # A list or an object is no name, and might hold anything.
        value = f"[{type(value).__name__}]" if isinstance(shown, (dict, list)) else to_json(shown)
    text: str = value
    return clean(text if len(text) <= _NAME_LIMIT else text[:_NAME_LIMIT])


def names(value: Any) -> list[str] | None:
    """Return several short texts, or ``None``; one text is a list of one."""
    if isinstance(value, str):
        return [name(value)]
    if isinstance(value, (set, frozenset)):
        return sorted(map(name, value))
    return [name(item) for item in value] if isinstance(value, (list, tuple)) else None


_SHAPES: Final[dict[Any, Shape]] = {str: name, int: number, float: number, bool: flag}
