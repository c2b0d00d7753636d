"""One part of a run: an agent, a step, a tool, a model call."""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol

from ..context import stamps
from ..context.current import AgentFacts, SessionContext
from .root import Root


class Kind(Enum):
    """What a part of a run is, and so which event it becomes."""

    AGENT = "agent"  # a Span, and everything inside is this agent's
    STEP = "step"  # a Span
    TOOL = "tool"  # a Tool Call
    CALL = "call"  # a model call, which whoever watches it tells
    HIDDEN = "hidden"  # nothing: it only says whose part its parts are


class ModelCall(Protocol):
    """Whoever watches a model call."""

    def left(self, reason: str | None = None) -> None:
        """Nobody waits for the answer any more."""


class Run:
    """One part of a run, from its start to its end."""

    __slots__ = (
        "agent", "call", "given", "id", "kept", "kind", "name", "parent", "parts", "root", "span_id",
        "started",
    )  # fmt: skip

    def __init__(
        self,
        run_id: object,
        kind: Kind,
        name: str,
        parent: Run | None,
        root: Root,
        agent: AgentFacts,
        given: dict[str, Any],
    ) -> None:
        self.id = run_id
        self.kind = kind
        self.name = name
        self.parent = parent
        self.root = root
        self.agent = agent
        self.given = given  # what its event says beside name, time and failure
        self.parts: dict[object, Run] = {}  # of it that are under way
        self.call: ModelCall | None = None
        self.kept: Any = None  # what a door needs again at its end
        self.span_id = stamps.new_id() if kind in (Kind.AGENT, Kind.STEP) else None
        self.started = stamps.seconds()

    @property
    def latency_ms(self) -> float:
        """How long it has taken so far."""
        return (stamps.seconds() - self.started) * 1000

    @property
    def inner_span_id(self) -> str | None:
        """The span that its parts are parts of."""
        return self.span_id if self.span_id is not None else self.outer_span_id

    @property
    def outer_span_id(self) -> str | None:
        """The span it is a part of."""
        return self.parent.inner_span_id if self.parent is not None else self.root.span_id

    @property
    def agent_around(self) -> Run | None:
        """The nearest agent of the framework's it is a part of, itself included."""
        run: Run | None = self
        while run is not None and run.kind is not Kind.AGENT:
            run = run.parent
        return run

    def context(self, span_id: str | None) -> SessionContext:
        """Return the view of this place in the program, for what is part of ``span_id``."""
        return self.root.context(self.agent, span_id)
