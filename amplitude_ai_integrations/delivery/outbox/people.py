"""Whose event it is, read without the rest of it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec


class Ids(msgspec.Struct):
    """Who an event is about, and when it was made."""

    user_id: Any = None
    device_id: Any = None
    time: Any = None

    @property
    def made_ms(self) -> int | None:
        """When it was made, in ms since the epoch, where it says so."""
        return self.time if isinstance(self.time, int) else None


class _Letter(msgspec.Struct):
    event: Ids


_ids = msgspec.json.Decoder(Ids)
_letters = msgspec.json.Decoder(_Letter)
_NOBODY = Ids()


def ids_of(payload: bytes) -> Ids:
    """Return whose event it is; nobody's where it cannot be read."""
    try:
        return _ids.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NOBODY


class Person(NamedTuple):
    """A user, or a device."""

    id: str
    is_device: bool = False

    def has(self, payload: bytes) -> bool:
        """Tell whether an event is theirs."""
        return self._is(ids_of(payload))

    def has_letter(self, line: bytes) -> bool:
        """Tell whether a line of the dead letters is theirs; one that is torn is where it names them."""
        try:
            return self._is(_letters.decode(line).event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return any(form in line for form in self._forms())

    def _is(self, ids: Ids) -> bool:
        found = ids.device_id if self.is_device else ids.user_id
        return found is not None and str(found) == self.id

    def _forms(self) -> tuple[bytes, bytes]:
        return msgspec.json.encode(self.id), json.dumps(self.id).encode()
