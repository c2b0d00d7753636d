"""Typed looks at the properties of an event; a value of another type is as good as absent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..schema.names import wire_name

_LONGEST_NAME = 1024
_LONGEST_MS = 1e11  # three years: anything above was not measured
_HIGHEST_COUNT = 2**53
_CHUNKS = tuple(f"c{number}" for number in range(8))


class Properties:
    """Reads fields of one event by their names in Python."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def name(self, field: str) -> str | None:
        """Return an id or a name, shortened to what a column holds; numbers count as their digits."""
        value = self.values.get(wire_name(field))
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        return str(value)[:_LONGEST_NAME] or None

    def text(self, field: str) -> str | None:
        """Return a text whole; objects and lists as JSON."""
        value = self.values.get(wire_name(field))
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)

    def number(self, field: str) -> float | None:
        value = self.values.get(wire_name(field))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        if abs(value) > _HIGHEST_COUNT or not math.isfinite(value):
            return None
        return value

    def count(self, field: str) -> int | None:
        value = self.number(field)
        return None if value is None or value < 0 else int(value)

    def integer(self, field: str) -> int | None:
        value = self.number(field)
        return None if value is None else int(value)

    def duration(self, field: str) -> float | None:
        value = self.number(field)
        return value if value is not None and 0 <= value <= _LONGEST_MS else None

    def cost(self, field: str) -> float | None:
        value = self.number(field)
        return value if value is not None and value >= 0 else None

    def flag(self, field: str) -> bool:
        return self.values.get(wire_name(field)) is True

    def is_denied(self, field: str) -> bool:
        return self.values.get(wire_name(field)) is False

    def message(self) -> str | None:
        """Return the words of a message, in today's form or in the chunks of older SDKs."""
        value = self.values.get(wire_name("llm_message"))
        if isinstance(value, str):
            return value
        if not isinstance(value, dict):
            return None
        text = value.get("text")
        if isinstance(text, str):
            return text
        chunks = [value[name] for name in _CHUNKS if isinstance(value.get(name), str)]
        return "".join(chunks) if chunks else None
