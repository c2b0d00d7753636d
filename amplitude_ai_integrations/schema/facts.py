"""Numbers, flags, names and ids as their types ask, whatever was given."""

from __future__ import annotations

import math
from typing import Any

from .catalog import Field
from .values import clean, plain, to_json

_NAME_LIMIT = 1_000  # characters of a name or an id; nothing honest comes near


def fact(field: Field, value: Any) -> Any:
    """Return a value that a field without words can hold, or ``None`` where there is none in it."""
    if field.type is str:
        return name(value)
    if field.type in (int, float):
        return number(value)
    if field.type is bool:
        return flag(value)
    return [name(item) for item in value] if isinstance(value, (list, tuple)) else None


def number(value: Any) -> float | None:
    """Return a finite number, or ``None``."""
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
    text = value if type(value) is str else to_json(value)
    return clean(text if len(text) <= _NAME_LIMIT else text[:_NAME_LIMIT])
