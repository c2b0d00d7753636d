"""What the spans of a program become: each model call, tool, agent and step one event, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..calls import tools
from ..calls.facts import ResponseFacts
from ..calls.reporting import Reporting, resolved
from ..calls.surroundings import observed_here, take_told
from ..client.failures import failure_of
from ..client.recording import Scope
from ..context.current import SessionContext
from ..context.recent import Recent
from ..schema.events import ToolCall
from ..schema.values import plain, state
from .options import defaults_of
from .otel_calls import SpanCall
from .otel_dialects import Part
from .otel_places import Place, Whereabouts, pushed
from .otel_spans import SpanFacts

_CALLS: Final = (Part.CALL, Part.EMBEDDING)
# What is known of a span from those beneath it.
_HAS_CALLS: Final = 1
_IS_TOLD: Final = 2  # as a call: one beneath is the same one


class Telling:
    """Tells of spans as they end.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(self, door: str, amplitude: Any, options: Mapping[str, Any]) -> None:
        defaults, settings = defaults_of(options, door)
        self.reporting: Final = Reporting(resolved(amplitude, door), defaults=settings)
        self.places: Final = Whereabouts(self.reporting, defaults)
        self._known: Recent[tuple[int, int], int] = Recent()
        self._answers: Recent[str, SpanFacts] = Recent()  # the calls told last, by answer

    @property
    def is_enabled(self) -> bool:
        """Whether anything is told at all."""
        return self.reporting.client.config.enabled

    def place_of_call(self, place: Place) -> SessionContext | None:
        """Return where a call takes place that is made in a span, if that span is part of an agent's work."""
        here = Place(place.span, place, None, is_ours=False, is_followed=True)
        run = self.places.run_of(place, here.context, {})
        return self.places.view(here, run) if run is not None else None

    def call_begins(self, trace_id: int, span_id: int) -> None:
        """An observed call begins inside a span, and will be told by who observes it."""
        self._note((trace_id, span_id), _HAS_CALLS | _IS_TOLD)

    def ended(self, place: Place) -> None:
        """A span ended; one that is not ours says nothing but what it is part of."""
        facts = SpanFacts(place.span, place.stopped)
        part = facts.part if place.is_ours else None
        known = self._known.get((place.trace_id, place.id)) or 0
        if part in _CALLS:
            known = _HAS_CALLS | (_IS_TOLD if self._call(place, facts, known) else 0)
        elif part is Part.TOOL:
            self._tool(place, facts)
        elif part is not None:
            self._run(place, facts, known)
        if part is not None and part not in _CALLS:
            known &= ~_IS_TOLD
        parent = place.span.parent
        if known and parent is not None:
            self._note((parent.trace_id, parent.span_id), known)

    def _note(self, key: tuple[int, int], known: int) -> None:
        self._known.put(key, known | (self._known.get(key) or 0))

    def _call(self, place: Place, facts: SpanFacts, known: int) -> bool:
        """Tell of a call, and return whether it is told now; if not, a span above it will."""
        answer = facts.answer()
        was_told = take_told(answer.request_id)
        if was_told or known & _IS_TOLD or _is_observed(place, facts):
            return True
        above = _same_call(place)
        if above is not None:
            above.beneath = answer
            return False
        if self._is_answer_told(answer.request_id, facts):
            return True
        context, keywords = self._where(place, facts)
        self._tell(facts, context, keywords, place.beneath)
        for call_id in place.answered:  # told already; the next call brings their results back
            tools.answer(tools.place_of(context, context.session_id), call_id)
        return True

    def _is_answer_told(self, answer_id: str | None, facts: SpanFacts) -> bool:
        """Tell whether a span of another instrumentation told of the same answer, beside this one."""
        if answer_id is None:
            return False
        before = self._answers.get(answer_id)
        if before is not None and before.scope != facts.scope:
            return before.started < facts.ended and facts.started < before.ended
        self._answers.put(answer_id, facts)
        return False

    def _tell(
        self,
        facts: SpanFacts,
        context: SessionContext,
        keywords: Mapping[str, Any],
        beneath: ResponseFacts | None = None,
    ) -> None:
        with pushed(context):
            SpanCall(self.reporting.client, facts, keywords).tell(beneath)

    def _where(self, place: Place, facts: SpanFacts) -> tuple[SessionContext, dict[str, Any]]:
        """Return where a call or a tool takes place, and what its events say of that."""
        identity = facts.identity
        parent = place.parent
        run = self.places.run_of(parent, place.context, identity) if parent is not None else None
        if run is not None:
            context, root = self.places.view(place, run), run.root
        else:
            root = self.places.root(place, identity)
            agent = root.agent if root.agent.agent_id else facts.agent.over(root.agent)
            context = root.context(agent, root.span_id)
        return context, {**root.fields, **_traced(place, context)}

    def _tool(self, place: Place, facts: SpanFacts) -> None:
        context, keywords = self._where(place, facts)
        name, call_id = facts.name, facts.tool_call_id
        given: dict[str, Any] = {
            "tool_name": name,
            "latency_ms": facts.latency_ms,
            "timestamp_ms": facts.ended // 1_000_000,
            "tool_type": facts.attributes.get("gen_ai.tool.type"),
            "input": plain(facts.arguments),
            "output": plain(facts.result),
        }
        by_hand = context.trace.tools_by_hand
        before = place.tools[name] if place.tools is not None else 0
        is_told = place.is_followed and by_hand[name] > before  # its own code was decorated
        if call_id is not None:
            _note_answered(place, call_id)
            is_new, asked = tools.answer(tools.place_of(context, context.session_id), call_id)
            is_told = is_told or not is_new
            if asked is not None:
                given["parent_message_id"] = asked.message_id
                if given["input"] is None:  # some spans of tools say no arguments
                    given["input"] = plain(asked.arguments)
        if is_told:
            if by_hand[name] > before and call_id is not None:
                by_hand[name] -= 1
            return
        if call_id is None:
            by_hand[name] += 1  # the model call that brings the result back need not report it again
        failure = facts.failure
        if facts.stopped is not None:
            given.update(success=False, error_type=facts.stopped)
        elif failure is not None:
            ai = self.reporting.client
            given.update(success=False, **failure_of(failure, ai.config, "tool"))
        self._record_tool(given, context, keywords)

    def _record_tool(
        self, given: dict[str, Any], context: SessionContext, keywords: Mapping[str, Any]
    ) -> None:
        known = {name: value for name, value in {**keywords, **given}.items() if value is not None}
        self.reporting.client.recorder.record(ToolCall, known, Scope(context=context), by_hand=False)

    def _run(self, place: Place, facts: SpanFacts, known: int) -> None:
        """An agent or a step ended. An agent none of whose calls is told, and that says what was said or
        counted, is told as a call itself.
        """
        run = self.places.run_of(place, place.context, facts.identity)
        if run is None or place.run is not run:
            return
        tree = self.places.tree
        if facts.part is Part.AGENT and not known & _HAS_CALLS and _speaks(facts):
            context = run.context(run.outer_span_id)
            self._tell(facts, context, {**run.root.fields, **_traced(place, context)})
            tree.pop(run.id)
            return
        given = {
            "latency_ms": facts.latency_ms,
            "timestamp_ms": facts.ended // 1_000_000,
            "input_state": state(facts.given()),
            "output_state": state(facts.made()),
        }
        failure = facts.failure
        if facts.stopped is not None:
            tree.end(run.id, **given, error_type=facts.stopped)
        elif failure is None:
            tree.end(run.id, **given)
        else:
            tree.fail(run.id, failure, **given)


def _traced(place: Place, context: SessionContext) -> dict[str, Any]:
    """Return the trace that events are to say, where it is that of OpenTelemetry: outside any session."""
    return {"trace_id": place.trace} if context.trace.id == place.trace else {}


def _same_call(place: Place) -> Place | None:
    """Return the span above that tells of the same call."""
    for above in place.above():
        part = SpanFacts(above.span).part if above.is_ours else None
        if part is not None:
            return above if part in _CALLS else None
    return None


def _note_answered(place: Place, call_id: str) -> None:
    """Tell the calls that a tool's span is in that it ended, before they told that they asked for it."""
    for above in place.above():
        part = SpanFacts(above.span).part if above.is_ours else None
        if part in _CALLS:
            above.answered.append(call_id)
        elif part is not None:
            return


def _is_observed(place: Place, facts: SpanFacts) -> bool:
    """Tell whether the call is told by who observes it: the span began inside, or ends inside."""
    call = place.call() if place.call is not None else None
    if call is None and not place.is_followed:
        call = observed_here()
    return call is not None and call.model == facts.model


def _speaks(facts: SpanFacts) -> bool:
    answer = facts.answer()
    return answer.usage is not None or bool(answer.text or answer.tool_calls)
