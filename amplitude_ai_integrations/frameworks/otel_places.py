"""Where spans take place: in which session, as part of which agent's work."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_trace_id

from ..calls.facts import ResponseFacts
from ..calls.observation import Observation
from ..calls.reporting import Reporting
from ..context.current import SessionContext, get_active_context, push_context, reset_context
from ..context.recent import Recent
from ..runs.place import Defaults, place_for
from ..runs.root import Root
from ..runs.run import Kind, Run
from ..runs.tree import RunTree
from ..schema.values import state
from .otel_dialects import Part
from .otel_spans import STOPPED, SpanFacts

_KINDS: Final = {Part.AGENT: Kind.AGENT, Part.STEP: Kind.STEP}


class Place:
    """One span under way: what was around it when it began."""

    __slots__ = (
        "answered", "beneath", "call", "context", "handled", "id", "is_followed", "is_ours", "parent", "run",
        "span", "stopped", "tools", "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        span: ReadableSpan,
        parent: Place | None,
        call: Observation | None,
        *,
        is_ours: bool,
        is_followed: bool,
    ) -> None:
        own = span.context
        self.id = own.span_id if own is not None else 0
        self.trace_id = own.trace_id if own is not None else 0
        self.span = span
        self.parent = parent
        self.context = get_active_context()
        self.call = weakref.ref(call) if call is not None else None  # the observed one it began inside
        self.is_ours = is_ours
        self.is_followed = is_followed  # from its start, and not only heard of at its end
        self.tools = Counter(self.context.trace.tools_by_hand) if self.context is not None else None
        self.run: Run | None = None
        self.handled = sys.exc_info()[1]
        self.stopped: str | None = None  # by whom, where it ended because it was told to
        self.answered: list[str] = []  # the tools that ended inside, by call
        self.beneath: ResponseFacts | None = None  # what another span of the same call knows

    @property
    def trace(self) -> str:
        """The trace's id, as OpenTelemetry writes it."""
        return format_trace_id(self.trace_id)

    def ended(self, span: ReadableSpan) -> None:
        """The span ends now, maybe because of what is on its way through here, which few spans tell."""
        self.span = span
        kind, error, _trace = sys.exc_info()
        if kind is not None and error is not self.handled and kind.__name__ in STOPPED:
            self.stopped = kind.__name__

    def above(self) -> Iterator[Place]:
        """Yield the spans it is part of, the nearest first."""
        place = self.parent
        while place is not None:
            yield place
            place = place.parent


class Whereabouts:
    """Finds the session, the agent and the step that a span belongs to.

    An agent's or a step's run begins when the first of its parts is told, with what its span says by then.
    """

    def __init__(self, reporting: Reporting, defaults: Defaults) -> None:
        self._reporting = reporting
        self._defaults = defaults
        self.tree: Final = RunTree(lambda: reporting.client, defaults)
        self._roots: Recent[object, Root] = Recent(1_000)  # outside any session: by trace, and whose it is

    def run_of(self, place: Place, around: SessionContext | None, identity: Mapping[str, Any]) -> Run | None:
        """Return the run of the nearest agent or step at ``place`` or above it.

        ``around`` and ``identity`` are of the part that asks: a run that began outside any session
        belongs to the first that is opened in it.
        """
        if place.run is None:
            facts = SpanFacts(place.span)
            kind = _KINDS.get(facts.part) if facts.part is not None and place.is_ours else None
            context = place.context or around
            known = {**identity, **facts.identity}
            above = self.run_of(place.parent, context, known) if place.parent is not None else None
            if kind is None:
                return above
            if context is None and above is None and not place.is_followed:
                root = self.root(place, known)
                context = root.context(root.agent, None)
            with pushed(context):
                place.run = self.tree.start(
                    place.id,
                    above.id if above is not None else None,
                    kind,
                    facts.name,
                    identity={"trace_id": place.trace, **known},
                    agent=facts.agent if kind is Kind.AGENT else None,
                    input_state=state(facts.given()),
                )
        return place.run

    def root(self, place: Place, identity: Mapping[str, Any]) -> Root:
        """Return where a span takes place that is part of no agent's work."""
        ai = self._reporting.client
        if place.context is not None:
            return place_for(place.context, self._defaults, {}, ai, opens=False)
        known = {"trace_id": place.trace, **identity}
        return self._roots.made(
            tuple(known.items()), lambda: place_for(None, self._defaults, known, ai, opens=False)
        )

    def view(self, place: Place, run: Run) -> SessionContext:
        """Return the view of a part of ``run``, unless the program itself says nearer where it is."""
        inner = run.context(run.inner_span_id)
        if place.context is None:
            return inner
        owner = next((above for above in (place, *place.above()) if above.run is run), None)
        before = owner.context if owner is not None else None
        if before is None:
            is_nearer = place.context.conversation is not run.root.conversation
        else:
            is_nearer = (
                place.context.conversation is not before.conversation
                or place.context.agent != before.agent
                or place.context.span_id != before.span_id
            )
        return place.context if is_nearer else inner


@contextmanager
def pushed(context: SessionContext | None) -> Iterator[None]:
    """Make ``context`` the current one, also none."""
    token = push_context(context)
    try:
        yield
    finally:
        reset_context(token)
