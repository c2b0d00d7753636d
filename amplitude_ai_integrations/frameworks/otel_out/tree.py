"""Finished events as spans that stand in their trees.

A part is told before what it is a part of, so spans have numbers that follow from ids, and none waits for
another. What no event tells of, an exchange as a whole and an agent that works in a session without a run
of its own, gets a span when its trace is over: at the session's end, or when nothing is heard of it any more.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ...context.forks import Guarded
from ...context.memory import origin_of
from ...context.recent import Recent
from ...delivery.sinks import WireEvent
from . import attributes
from .event import Event
from .ids import span_number, trace_number
from .told import Told
from .trace import OpenTrace

MOST: Final = 1_000  # traces that are open at once


class Trees(Guarded):
    """Turns finished events into spans; safe from any thread."""

    def __init__(self, limit: int = MOST) -> None:
        super().__init__()
        self._limit = limit
        self._open: OrderedDict[int, OpenTrace] = OrderedDict()
        self._over: Recent[int, OpenTrace] = Recent()
        self._pid = os.getpid()

    def __len__(self) -> int:
        return len(self._open)

    def take(self, wire: WireEvent, within: str | None = None) -> list[Told]:
        """Return the spans that are to be told now that this event is there; ``within`` is the id of the
        step it is a part of.
        """
        event = Event(wire)
        with self._lock:
            self._notice_fork()
            if event.kind == "Session End":
                return self._ended(event.session_id)
            rule = _RULES.get(event.kind)
            return rule(self, event, within) if rule is not None else []

    def finish(self, idle_seconds: float = 0.0) -> list[Told]:
        """Return the spans of traces of which nothing was heard for so long."""
        told: list[Told] = []
        with self._lock:
            self._notice_fork()
            before = time.monotonic() - idle_seconds
            while self._open and next(iter(self._open.values())).heard <= before:
                told += self._close(next(iter(self._open)))
        return told

    def _notice_fork(self) -> None:
        if self._pid != os.getpid():  # the parent process tells of what it has begun
            self._pid = os.getpid()
            self._open.clear()

    def _user_message(self, event: Event, _within: str | None) -> list[Told]:
        trace, told = self._trace(event)
        if trace is not None:
            trace.asked(event)
        return told

    def _part(self, event: Event, within: str | None) -> list[Told]:
        trace, told = self._trace(event)
        span = _told(event, trace, within)
        return [*told, span]

    def _score(self, event: Event, _within: str | None) -> list[Told]:
        """A judgement comes after what it judges has been told, and so has a span of its own beside it."""
        target = event.text("target_id") or ""
        is_session = event.text("target_type") == "session"
        origin = origin_of(target) if not is_session else None
        trace_id = (origin.trace_id if origin is not None else None) or event.trace_id
        event.take("trace_id")
        name = event.text("score_name") or ""
        judgement = attributes.of_score(event)
        number = trace_number(trace_id or _lonely(event))
        root = span_number(trace_id, "trace") if trace_id and self._is_known(number) else None
        return [
            Told(
                f"evaluation {name}".rstrip(),
                number,
                span_number(event.insert_id, "score"),
                root if is_session or not target else span_number(target, "message"),
                event.started,
                event.ended,
                attributes.finished(event, {"amplitude.trace_id": trace_id}),
                events=[("gen_ai.evaluation.result", judgement)],
            )
        ]

    def _trace(self, event: Event) -> tuple[OpenTrace | None, list[Told]]:
        """Return the trace of an event, and the spans of traces that had to make room for it."""
        trace_id = event.trace_id
        if trace_id is None:
            return None, []
        number = trace_number(trace_id)
        trace = self._open.get(number) or self._over.get(number)
        told: list[Told] = []
        if trace is None:
            trace = self._open[number] = OpenTrace(number, trace_id, event)
            if len(self._open) > self._limit:
                told = self._close(next(iter(self._open)))
        trace.hear(event)
        if not trace.is_over:
            self._open.move_to_end(number)
        return trace, told

    def _is_known(self, number: int) -> bool:
        return number in self._open or self._over.get(number) is not None

    def _ended(self, session_id: str | None) -> list[Told]:
        numbers = [number for number, trace in self._open.items() if trace.session_id == session_id]
        return [span for number in numbers for span in self._close(number)]

    def _close(self, number: int) -> list[Told]:
        trace = self._open.pop(number)
        told = trace.close()
        self._over.put(number, trace)
        return told


def _told(event: Event, trace: OpenTrace | None, within: str | None) -> Told:
    is_agent = _is_agent(event)
    shape = _SHAPES["Agent" if is_agent else event.kind]
    own = event.text(shape.id) or event.insert_id
    number = trace.number if trace is not None else trace_number(_lonely(event))
    span = span_number(own, shape.kind)
    parent = trace.place(event, span, within, is_agent=is_agent) if trace is not None else None
    link = trace.asking_for(event, span) if trace is not None else None
    title = f"{shape.words} {event.text(shape.name) or ''}".strip() or event.kind
    said = shape.attributes(event)
    if trace is not None and event.kind == "AI Response":
        said["gen_ai.input.messages"] = trace.question(event.agent_id)
    error = str(event.get("error_message") or "") if event.is_error else None
    stack = event.text("stack_trace")
    events = []
    if error is not None and stack is not None:
        failure = {"exception.type": event.text("error_type") or "", "exception.message": error}
        events.append(("exception", {**failure, "exception.stacktrace": stack}))
    whole = attributes.finished(event, said)
    return Told(
        title, number, span, parent, event.started, event.ended, whole, shape.is_client, error, link, events
    )


def _lonely(event: Event) -> str:
    """Return what stands for the trace of an event that names none."""
    return f"session:{event.session_id}" if event.session_id else f"event:{event.insert_id}"


def _is_agent(event: Event) -> bool:
    """Tell whether a step is the whole run of an agent: it says so, or has the agent's name."""
    if event.kind != "Span":
        return False
    kind, name = event.text("span_kind"), event.text("span_name")
    if kind is not None and kind.lower() in ("agent", "invoke_agent"):
        return True
    return name is not None and name in (event.text("agent_name"), event.agent_id)


class _Shape:
    """How the span of one kind of event is called, and by which of its fields it is known."""

    def __init__(
        self,
        kind: str,
        own_id: str,
        words: str,
        name: str,
        said: Callable[[Event], attributes.Attributes],
        *,
        is_client: bool = False,
    ) -> None:
        self.kind = kind
        self.id = own_id
        self.words = words
        self.name = name
        self.attributes = said
        self.is_client = is_client


_SHAPES: Final = {
    "AI Response": _Shape("message", "message_id", "chat", "model_name", attributes.of_call, is_client=True),
    "Tool Call": _Shape("tool", "invocation_id", "execute_tool", "tool_name", attributes.of_tool),
    "Embedding": _Shape(
        "span", "span_id", "embeddings", "model_name", attributes.of_embedding, is_client=True
    ),
    "Agent": _Shape("span", "span_id", "invoke_agent", "span_name", attributes.of_agent),
    "Span": _Shape("span", "span_id", "", "span_name", attributes.of_step),
}
_RULES: Final[dict[str, Callable[[Trees, Event, str | None], list[Told]]]] = {
    "User Message": Trees._user_message,
    "AI Response": Trees._part,
    "Tool Call": Trees._part,
    "Embedding": Trees._part,
    "Span": Trees._part,
    "Score": Trees._score,
}
