"""Places in the list of sessions, as opaque words that fit into a URL."""

from __future__ import annotations

import re
from typing import TypeAlias

Place: TypeAlias = tuple[int, int]  # last activity, session key

_FORM = re.compile(r"(-?[0-9a-f]{1,14})_([0-9a-f]{1,13})")


def write_cursor(place: Place) -> str:
    return f"{place[0]:x}_{place[1]:x}"


def read_cursor(cursor: str | None) -> Place | None:
    """Return the place, or None for what is no cursor."""
    found = _FORM.fullmatch(cursor or "")
    return (int(found[1], 16), int(found[2], 16)) if found else None
