"""What a call says of its user, as Amplitude's user properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..privacy.gate import Gate
from ..schema.events import UserMessage
from ..schema.names import wire_name
from ..schema.values import plain

_PREFIX: Final = wire_name("")  # of what is ours among an event's properties
# https://amplitude.com/docs/apis/analytics/identify; events take the same, so no event of its own is needed.
_OPERATIONS: Final = frozenset(
    {
        "$add", "$append", "$postInsert", "$preInsert", "$prepend", "$remove", "$set", "$setOnce", "$unset",
    }
)  # fmt: skip


def user_properties(given: Any, gate: Gate) -> dict[str, Any] | None:
    """Return what an event sets of its user, with only what may leave; ``given`` are plain properties, or
    operations on them.
    """
    taken = plain(given) if isinstance(given, Mapping) else None
    if not isinstance(taken, dict) or not taken:
        return None
    operations = taken if taken.keys() <= _OPERATIONS else {"$set": taken}
    passed = {
        operation: kept
        for operation, values in operations.items()
        if isinstance(values, dict) and (kept := _passed(values, gate))
    }
    return passed or None


def _passed(values: dict[str, Any], gate: Gate) -> dict[str, Any]:
    """Return the properties that pass the gate, as an event's own do, without those that all events have."""
    passed = gate.properties(UserMessage, {}, values)
    return {name: value for name, value in passed.items() if not name.startswith(_PREFIX)}
