"""An attribute put in another's place, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]
_ABSENT = object()


def replace(owner: Any, name: str, value: Any) -> Undo:
    """Set ``owner.name``, and return what puts back what was there: what it had itself, or nothing.

    Where somebody else has replaced it since, going back would undo their work, so it stays.
    """
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, value)

    def undo() -> None:
        if vars(owner).get(name, _ABSENT) is not value:
            return
        if before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return undo


def undo_all(undos: list[Undo]) -> None:
    """Go all the way back, the last step first."""
    while undos:
        undos.pop()()
