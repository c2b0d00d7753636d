"""One thing that was found out, good or bad."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["ok", "hint", "warning", "problem"]


class Finding(NamedTuple):
    """What is so, and what to do about it; ``place`` is the file and line that it is about.

    A problem means that events are lost or wrong, a warning that they may be, a hint that there is more to
    have. Only a problem makes a check fail.
    """

    topic: str
    state: State
    words: str
    fix: str = ""
    place: str = ""
