"""Amplitude's answers, word for word where it documents them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

INVALID_PATH = "Invalid request path"
MISSING_BODY = "Missing request body"
INVALID_JSON = "Invalid JSON request body"
MISSING_FIELD = "Request missing required field"
INVALID_EVENT = "Invalid event JSON"
INVALID_KEY = "Invalid API key: "  # clients stop for good at these words, the colon included
INVALID_VALUES = "Invalid field values on some events"
INVALID_LENGTHS = "Invalid id length for user_id or device_id"
TOO_LARGE = "Payload too large"
UNAVAILABLE = "Service unavailable, nothing was accepted"


class RefusalError(Exception):
    """The whole request is refused and nothing of it was stored."""

    def __init__(self, code: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.code = code
        self.body = {"code": code, "error": error, **more}

    @property
    def reason(self) -> str:
        """The answer in one line, for people."""
        more = ", ".join(str(self.body[name]) for name in ("missing_field",) if name in self.body)
        fields = [f"{name} {sorted(self.body[name])}" for name in _MAPS if name in self.body]
        return " · ".join(filter(None, [f"{self.code} {self.args[0]}", more, *fields]))


_MAPS = ("events_with_missing_fields", "events_with_invalid_fields", "events_with_invalid_id_lengths")


class Faults:
    """Collects every fault of every event, so that a client can mend them in one round."""

    def __init__(self) -> None:
        self.is_event_broken = False
        self._missing: dict[str, list[int]] = defaultdict(list)
        self._invalid: dict[str, list[int]] = defaultdict(list)
        self._lengths: dict[str, list[int]] = defaultdict(list)

    def missing(self, field: str, index: int) -> None:
        self._missing[field].append(index)

    def invalid(self, field: str, index: int) -> None:
        self._invalid[field].append(index)

    def short(self, field: str, index: int) -> None:
        self._lengths[field].append(index)

    def broken(self, index: int) -> None:
        self.is_event_broken = True
        self._invalid["events"].append(index)

    def raise_if_any(self) -> None:
        """Refuse the request if any event has a fault."""
        found = (self._missing, self._invalid, self._lengths)
        if any(found):
            maps = {name: dict(fields) for name, fields in zip(_MAPS, found, strict=True) if fields}
            raise RefusalError(400, self._error(), **maps)

    def _error(self) -> str:
        if self.is_event_broken:
            return INVALID_EVENT
        if self._invalid:
            return INVALID_VALUES
        return MISSING_FIELD if self._missing else INVALID_LENGTHS
