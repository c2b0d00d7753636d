"""What the fixture looks at after a test: the events it left, and errors that were kept from it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ..delivery.sinks import WireEvent
from ..exceptions import shield
from .matching import line
from .schema import problems_of


def complaints(events: list[WireEvent]) -> list[str]:
    """Return what is wrong with events, and with which."""
    return [
        f"{problem}\n  {line(place, event)}"
        for place, event in enumerate(events, 1)
        for problem in problems_of(event)
    ]


@contextmanager
def errors_kept_away() -> Iterator[list[str]]:
    """Collect, with their tracebacks, the errors that the shield swallows inside this block."""
    errors: list[str] = []
    note = shield.note

    def keep(where: str, error: Exception) -> None:
        errors.append(f"Swallowed in {where}:\n" + "".join(traceback.format_exception(error)))
        note(where, error)

    with patch.object(shield, "note", keep):
        yield errors
