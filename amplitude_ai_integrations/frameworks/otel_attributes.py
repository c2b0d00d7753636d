"""Reading the attributes of spans: one fact under any of its names, JSON, and lists in numbered keys."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Attributes = Mapping[str, Any]


def first(attributes: Attributes, names: Iterable[str]) -> Any:
    """Return the value under the first of the names that has one."""
    return next((value for name in names if (value := attributes.get(name)) not in (None, "")), None)


def text(attributes: Attributes, names: Iterable[str]) -> str | None:
    """Return the first text under these names; of a list of texts, its first."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, (list, tuple)) and value:
            value = value[0]
        if isinstance(value, str) and value:
            return value
    return None


def number(attributes: Attributes, names: Iterable[str]) -> float | None:
    """Return the first number under these names."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    return None


def count(attributes: Attributes, names: Iterable[str]) -> int | None:
    """Return the first whole number under these names that counts something."""
    value = number(attributes, names)
    return int(value) if value is not None and value >= 0 else None


def parsed(value: Any) -> Any:
    """Return what JSON says, where a value is JSON; any other value as it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:  # cut by a limit of the SDK's, or text that only looks like it
            return value
    return value


def listed(value: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list, as JSON or as it is; no other members."""
    found = parsed(value)
    if isinstance(found, Mapping):
        found = [found]
    if isinstance(found, str) or not isinstance(found, Sequence):
        return []
    return [dict(item) for item in found if isinstance(item, Mapping)]


def numbered(attributes: Attributes, prefix: str) -> list[dict[str, Any]]:
    """Return what keys like ``<prefix>.<number>.<rest>`` hold, in the order of their numbers, by the rest."""
    rows: dict[int, dict[str, Any]] = defaultdict(dict)
    start = f"{prefix}."
    for key, value in attributes.items():
        if key.startswith(start):
            place, _point, rest = key[len(start) :].partition(".")
            if place.isdecimal() and rest:
                rows[int(place)][rest] = value
    return [rows[place] for place in sorted(rows)]
