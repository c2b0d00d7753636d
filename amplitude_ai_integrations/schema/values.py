"""Any Python value as plain, bounded JSON: total, so that no value can break an event."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Mapping, Set
from pathlib import PurePath
from typing import Any

import msgspec

LIMIT = 100_000  # characters of one value on the wire
_DEPTH = 40  # levels; Amplitude refuses deeper objects
_ITEMS = 10_000  # members of one value together

_CUT = "...[truncated]"
_encoder = msgspec.json.Encoder()


def plain(value: object, budget: int = LIMIT) -> Any:
    """Return ``value`` as ``None``, numbers, strings, lists and dictionaries with string keys.

    The result shares nothing with ``value``: what the caller changes later changes nothing here. Text
    beyond ``budget`` characters, levels beyond 40 and members beyond 10,000 are cut and say so.
    """
    return _Walk(budget).visit(value, 0)


def to_json(value: object) -> str:
    """Return ``value`` as a JSON text of at most 100,000 characters.

    What is a text, or becomes one (a date, an id), stands for itself, without quotes.
    """
    budget = LIMIT
    while True:
        result = plain(value, budget)
        if isinstance(result, str):
            return result if len(result) <= LIMIT else result[: LIMIT - len(_CUT)] + _CUT
        text = _encoder.encode(result).decode()
        if len(text) <= LIMIT:
            return text
        budget = budget * LIMIT // (2 * len(text))


def json_of(value: Any) -> str:
    """Return what ``plain`` made as a JSON text, as ``to_json`` does but without looking at it again."""
    if type(value) is str:
        return value if len(value) <= LIMIT else to_json(value)
    text = _encoder.encode(value).decode()
    return text if len(text) <= LIMIT else to_json(value)


def clean(text: str) -> str:
    """Return ``text`` without lone surrogates, which no JSON parser has to accept."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


class _Walk:
    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.items = _ITEMS
        self.above: set[int] = set()

    def visit(self, value: object, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)  # type: ignore[arg-type]
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**64 else self.text(_shown(value))  # type: ignore[operator]
        if kind is float:
            return value if math.isfinite(value) else None  # type: ignore[arg-type]
        self.items -= 1
        if depth >= _DEPTH or self.items < 0 or self.budget <= 0:
            return _CUT
        if id(value) in self.above:
            return "[circular]"
        self.above.add(id(value))
        try:
            if kind is dict:
                return self.mapping(value, depth + 1)  # type: ignore[arg-type]
            if kind is list:
                return self.sequence(value, depth + 1)  # type: ignore[arg-type]
            return self.inside(value, depth + 1)
        except Exception as error:  # noqa: BLE001 - a value's own code failed: say so in its place
            return f"[unreadable {kind.__name__}: {type(error).__name__}]"
        finally:
            self.above.discard(id(value))

    def inside(self, value: object, depth: int) -> Any:  # noqa: C901 - one branch a kind of value
        if isinstance(value, enum.Enum):
            return self.visit(value.value, depth)
        if isinstance(value, Mapping):
            return self.mapping(value, depth)
        if isinstance(value, (list, tuple)):
            return self.sequence(value, depth)
        if isinstance(value, (set, frozenset, Set)):
            return self.sequence(sorted(value, key=_shown), depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"[{len(value)} bytes]"
        if isinstance(value, (dt.datetime, dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if isinstance(value, decimal.Decimal):
            return self.decimal(value)
        if isinstance(value, (uuid.UUID, PurePath)):
            return self.text(str(value))
        if isinstance(value, (str, int, float)):  # subclasses of them
            return self.visit(_bare(value), depth)
        return self.record(value, depth)

    def decimal(self, value: decimal.Decimal) -> Any:
        # A number can be summed in a chart; only one that a float would change travels as text.
        if value.is_finite() and decimal.Decimal(repr(float(value))) == value:
            return float(value)
        return self.text(str(value))

    def record(self, value: object, depth: int) -> Any:
        if isinstance(value, type):
            return self.text(_shown(value))
        if isinstance(value, msgspec.Struct):
            return self.mapping(msgspec.structs.asdict(value), depth)
        for method in ("model_dump", "to_dict"):
            dump = getattr(value, method, None)
            if callable(dump):
                return self.visit(dump(), depth)
        if dataclasses.is_dataclass(value):
            names = (field.name for field in dataclasses.fields(value))
            return self.mapping({name: getattr(value, name) for name in names}, depth)
        return self.text(_shown(value))

    def mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, inner in value.items():
            if self.items < 0 or self.budget <= 0:
                result[_CUT] = len(value) - len(result)
                break
            name = self.text(key if type(key) is str else _shown(key))
            result[name] = self.text(inner) if type(inner) is str else self.visit(inner, depth)
        return result

    def sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        result: list[Any] = []
        for inner in value:
            if self.items < 0 or self.budget <= 0:
                result.append(_CUT)
                break
            self.items -= 1
            result.append(self.visit(inner, depth))
        return result

    def text(self, value: str) -> str:
        self.budget -= len(value)
        if self.budget >= 0:
            return value if value.isascii() else clean(value)
        kept = max(0, len(value) + self.budget)
        return clean(value[:kept]) + _CUT


def _bare(value: str | float) -> str | float:
    """Return the built-in value inside an instance of a subclass, past its own methods."""
    if isinstance(value, str):
        return str.__str__(value)
    return int.__int__(value) if isinstance(value, int) else float.__float__(value)


def _shown(value: object) -> str:
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - a value's own code failed: say so in its place
        return f"[unreadable {type(value).__name__}: {type(error).__name__}]"
    # A default repr says nothing but an address, and nobody can group by that.
    return f"[{type(value).__name__}]" if " at 0x" in text else text


def state(value: Any) -> dict[str, Any] | None:
    """Return what a step was given or made as a state has to be: a mapping."""
    if value is None:
        return None
    shown = plain(value)
    return shown if isinstance(shown, dict) else {"value": shown}
