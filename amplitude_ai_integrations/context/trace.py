"""Traces: the exchanges inside a session, and where in the program each is current."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from . import stamps

if TYPE_CHECKING:
    from .current import AgentFacts


class Trace:
    """One exchange: a user's message and all that answers it."""

    __slots__ = (
        "_id", "facts", "has_user_message", "parent_message_id", "tools_by_hand", "user_by_hand", "user_key",
    )  # fmt: skip

    def __init__(self, trace_id: str | None = None) -> None:
        self._id = trace_id
        self.facts: AgentFacts | None = None  # what its events say where they say nothing else
        self.has_user_message = False
        self.user_by_hand = False
        self.parent_message_id: str | None = None  # the message its next tool call follows from
        self.user_key: object = None  # which user message an observer found in it
        self.tools_by_hand: Counter[str] = Counter()

    @property
    def id(self) -> str:
        """The trace's id, made when it is first needed."""
        if self._id is None:
            self._id = stamps.new_id()
        return self._id

    @property
    def is_begun(self) -> bool:
        """Whether anything has been said in this trace."""
        return self._id is not None


class Place:
    """Where in the program a trace is current.

    Tasks and threads see a copy of the context they were started from, so what they set there is lost to
    their parent. A place that is left says where to: that is how word of a new trace reaches the parent,
    while siblings, who stand in places of their own, do not hear of it.
    """

    __slots__ = ("next", "trace")

    def __init__(self, trace: Trace | None = None) -> None:
        self.trace = trace if trace is not None else Trace()
        self.next: Place | None = None

    def latest(self) -> Trace:
        """Return the trace that is current here now."""
        place = self
        while place.next is not None:
            place = place.next
        return place.trace
