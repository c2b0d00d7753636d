"""Where a whole run takes place: its session and its trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..context.current import (
    AgentFacts,
    Conversation,
    SessionContext,
    get_active_context,
    push_context,
    reset_context,
)
from ..context.trace import Place


class Root:
    """The session and the trace that all parts of a run share.

    They are those of the place where the run began, wherever the framework carries its parts out.
    """

    def __init__(self, around: SessionContext, *, is_made: bool, fields: Mapping[str, Any]) -> None:
        self.conversation: Conversation = around.conversation
        self.agent = around.agent
        self.span_id = around.span_id
        self._lent = around.lent
        self.is_made = is_made  # the session is this run's alone, and ends with it
        self.fields = fields  # what all its events say
        self.open = 0  # parts that have not ended
        self._has_asked = False
        self._place: Place = around.place

    def context(self, agent: AgentFacts, span_id: str | None) -> SessionContext:
        """Return the view of a part of the run, at the trace that is current now."""
        return SessionContext(self.conversation, agent, self._place, span_id, lent=self._lent)

    def of_prompts(self) -> dict[str, str]:
        """Return what the next prompt's message says, where a run is one exchange: the first is the user's,
        and later ones are the program's.
        """
        has_asked, self._has_asked = self._has_asked, True
        return {"message_source": "agent"} if has_asked else {}

    @contextmanager
    def inside(self, context: SessionContext) -> Iterator[SessionContext]:
        """Make ``context`` the current one, and keep the trace that is begun meanwhile."""
        token = push_context(context)
        try:
            yield context
        finally:
            active = get_active_context()
            if active is not None and active.conversation is self.conversation:
                self._place = active.place
            reset_context(token)
