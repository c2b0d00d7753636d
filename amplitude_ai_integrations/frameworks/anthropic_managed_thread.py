"""One thread of a managed agent's session: its events in, records of ours out."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from ..calls.facts import peek
from ..providers.anthropic_content import attachments_of, text_of
from .anthropic_managed_records import (
    ANSWER,
    MESSAGE,
    SPAN,
    TOOL,
    Record,
    Request,
    Use,
    between,
    milliseconds,
    output_of,
    seconds_of,
    trace_of,
    usage_fields,
    use_call,
)

_MOST_OPEN: Final = 1_000  # tools of which no result has come
_MOST_TURNS: Final = 1_000
_FROM_PEOPLE: Final = ("user.message", "user.define_outcome")
_RUNNING: Final = ("session.status_running", "session.thread_status_running")
_USES: Final = {"agent.tool_use": "builtin", "agent.mcp_tool_use": "mcp", "agent.custom_tool_use": "function"}
_RESULTS: Final = {
    "agent.tool_result": "tool_use_id",
    "agent.mcp_tool_result": "mcp_tool_use_id",
    "user.custom_tool_result": "custom_tool_use_id",
    "user.tool_result": "tool_use_id",
}
_OWN_PROGRAMS: Final = ("user.custom_tool_result", "user.tool_result")  # ran these tools
_ENDS: Final = ("session.status_terminated", "session.thread_status_terminated", "session.deleted")


class Moments:
    """What began when, for threads that have to know what was under way in another."""

    def __init__(self) -> None:
        self._began: list[tuple[float, str]] = []

    def begin(self, at: float | None, value: str) -> None:
        """Note what began."""
        moment = (at or 0.0, value)
        if moment not in self._began:
            self._began.insert(bisect_right(self._began, moment), moment)
            del self._began[:-_MOST_TURNS]

    def at(self, at: float | None) -> str | None:
        """Return what had begun last at a time."""
        place = len(self._began) if at is None else bisect_right(self._began, (at, "\U0010ffff"))
        return self._began[place - 1][1] if place else None


class Turns:
    """The turns of a session: the trace of each message of a user's, and the span of each run."""

    def __init__(self) -> None:
        self.traces = Moments()
        self.runs = Moments()


class Thread:
    """Reads one thread's events in their order, and says what they become.

    A request of the model's becomes one answer: its messages, its tools, its tokens. Without the events
    about requests each message is an answer, which took the time since the agent began to run.
    """

    def __init__(
        self,
        turns: Turns,
        name: str,
        model: str,
        provider: str,
        *,
        custom_tools: bool,
        is_child: bool = False,
    ) -> None:
        self.name = name
        self.model = model
        self._is_child = is_child
        self._trace: str | None = None
        self._provider = provider
        self._custom_tools = custom_tools
        self._turns = turns
        self._running: float | None = None
        self._run: tuple[str, float | None] | None = None
        self._request: Request | None = None
        self._uses: OrderedDict[str, Use] = OrderedDict()
        self._starts: OrderedDict[str, Any] = OrderedDict()
        self._queued: dict[str, Any] = {}
        self._error: Any = None
        self._last_id: str | None = None  # of the answer that was told last

    def recall(self, event: Any) -> None:
        """Take from an event what later ones need; also from one that was told before, elsewhere."""
        kind, event_id, at = peek(event, "type"), peek(event, "id"), seconds_of(event)
        if kind in _FROM_PEOPLE and at is not None:
            self._trace = trace_of(event_id)
            self._turns.traces.begin(at, self._trace)
        elif kind in _RUNNING:
            self._running = at
        elif kind == "session.updated":
            self.model = peek(event, "agent", "model", "id") or self.model

    def recall_told(self, event: Any) -> None:
        """Take from an event that was told before which answer it belongs to."""
        kind = peek(event, "type")
        if kind == "span.model_request_start":
            self._last_id = None
        elif kind in ("agent.message", "span.model_request_end"):
            self._last_id = self._last_id or peek(event, "id")

    def waits(self, event: Any) -> bool:
        """Tell whether a message is still behind others, and keep it."""
        if peek(event, "type") != "user.message" or seconds_of(event) is not None:
            return False
        self._queued[peek(event, "id")] = event
        return True

    def read(self, event: Any) -> list[Record]:
        """Return what an event becomes, or makes of those before it."""
        kind = peek(event, "type")
        reader = _READERS.get(kind)
        return reader(self, event) if reader is not None else []

    def _said(self, event: Any) -> list[Record]:
        self._queued.pop(peek(event, "id"), None)
        content, at = peek(event, "content"), seconds_of(event)
        event_id, is_goal = peek(event, "id"), peek(event, "type") == "user.define_outcome"
        if at is None:  # it waited, and nobody says when it was taken up
            self._trace = trace_of(event_id)
            self._turns.traces.begin(self._running, self._trace)
        fields = {
            "content": peek(event, "description") if is_goal else text_of(content),
            "attachments": attachments_of(content) or None,
            "message_source": "agent" if peek(event, "type") == "agent.thread_message_received" else None,
        }
        return [*self._close(), self._record(MESSAGE, event_id, event, fields)]

    def _runs(self, event: Any) -> list[Record]:
        waited = [record for queued in tuple(self._queued.values()) for record in self._said(queued)]
        if self._run is None:
            self._run = (peek(event, "id"), seconds_of(event))
            if not self._is_child:
                self._turns.runs.begin(seconds_of(event), peek(event, "id"))
            self._error = None
        return waited

    def _starts_request(self, event: Any) -> list[Record]:
        told = self._close(is_over=True)
        self._request = Request(peek(event, "id"), seconds_of(event))
        return told

    def _answers(self, event: Any) -> list[Record]:
        request = self._request
        if request is not None:
            request.texts.append(text_of(peek(event, "content")))
            request.message_ids.append(peek(event, "id"))
            request.last = event
            return []
        alone = Request(None, self._running, [text_of(peek(event, "content"))], [peek(event, "id")])
        return [self._answer(alone, event)]

    def _uses_tool(self, event: Any) -> list[Record]:
        use = Use(event, self._request)
        self._uses[peek(event, "id")] = use
        if self._request is not None:
            self._request.tools.append(use)
            self._request.last = event
        if len(self._uses) > _MOST_OPEN:
            self._uses.popitem(last=False)
        return []

    def _ends_request(self, event: Any) -> list[Record]:
        start_id = peek(event, "model_request_start_id")
        if self._request is None or self._request.start_id != start_id:
            told = self._close(is_over=True)
            self._request = Request(start_id, None)
        else:
            told = []
        self._request.end = event
        return told + (self._close() if self._request.has_output or peek(event, "is_error") else [])

    def _brings_result(self, event: Any) -> list[Record]:
        told = self._close()
        kind = peek(event, "type")
        use = self._uses.pop(peek(event, _RESULTS[kind]), None)
        if use is None or (kind in _OWN_PROGRAMS and not self._custom_tools):
            return told
        output = {"output": output_of(peek(event, "content"))}
        return [*told, self._tool(use, event, {**output, "success": peek(event, "is_error") is not True})]

    def _errs(self, event: Any) -> list[Record]:
        self._error = peek(event, "error")
        fields = {"span_name": "session.error", "latency_ms": 0.0, **self._failure()}
        return [self._record(SPAN, peek(event, "id"), event, fields)]

    def _rests(self, event: Any) -> list[Record]:
        told = self._close(is_over=True)
        reason = peek(event, "stop_reason", "type")
        if reason == "requires_action":  # the turn goes on when it is done
            return told
        told += [record for queued in tuple(self._queued.values()) for record in self._said(queued)]
        is_end = peek(event, "type") in _ENDS
        if is_end:
            lost = {"success": False, "error_type": "NoResult"}
            told += [self._tool(use, event, dict(lost)) for use in self._uses.values()]
            self._uses.clear()
        has_failed = self._error is not None and (is_end or reason == "retries_exhausted")
        if self._run is not None:
            run_id, began = self._run
            latency_ms = between(began, seconds_of(event))
            fields = {"span_name": self.name, "span_kind": "agent", "latency_ms": latency_ms}
            fields |= self._failure() if has_failed else {}
            if self._is_child:
                fields["parent_span_id"] = self._turns.runs.at(began)
            told.append(self._record(SPAN, run_id, event, fields))
            told[-1].event_ids = (run_id, peek(event, "id"))
        self._run = self._error = None
        return told

    def _begins_judging(self, event: Any) -> list[Record]:
        self._starts[peek(event, "id")] = seconds_of(event)
        if len(self._starts) > _MOST_OPEN:
            self._starts.popitem(last=False)
        return []

    def _judges(self, event: Any) -> list[Record]:
        began = self._starts.pop(peek(event, "outcome_evaluation_start_id"), None)
        verdict = {name: peek(event, name) for name in ("result", "explanation", "iteration")}
        fields = {
            "span_name": "outcome_evaluation",
            "latency_ms": between(began, seconds_of(event)),
            "output_state": verdict,
        }
        return [self._record(SPAN, peek(event, "id"), event, fields)]

    def _close(self, *, is_over: bool = False) -> list[Record]:
        """Tell of the request that is under way, if it has ended, or has to have by now."""
        request = self._request
        if request is None or not (is_over or request.end is not None):
            return []
        self._request = None
        return [self._answer(request, None)] if request.has_output or request.end is not None else []

    def _answer(self, request: Request, message: Any) -> Record:
        end = next((one for one in (request.end, message, request.last) if one is not None), None)
        event_ids = [request.start_id, *request.message_ids, peek(end, "id")]
        request.own_id = self._last_id = next(
            one for one in (*request.message_ids, peek(end, "id"), request.start_id) if one
        )
        has_failed = peek(request.end, "is_error") is True
        fields = {
            "content": "\n\n".join(text for text in request.texts if text),
            "model": self.model,
            "provider": self._provider,
            "latency_ms": between(request.started, seconds_of(end)),
            "tool_calls": [use_call(use) for use in request.tools] or None,
            "finish_reason": "tool_use" if request.tools else None,
            **usage_fields(request.end),
            **(self._failure("model_request_error") if has_failed else {}),
        }
        record = self._record(ANSWER, request.own_id, end, fields)
        record.event_ids = tuple(one for one in event_ids if one)
        return record

    def _tool(self, use: Use, end: Any, outcome: dict[str, Any]) -> Record:
        event = use.event
        fields = {
            "tool_name": str(peek(event, "name")),
            "tool_type": _USES[peek(event, "type")],
            "tool_owner": peek(event, "mcp_server_name"),
            "input": peek(event, "input"),
            "latency_ms": between(seconds_of(event), seconds_of(end)),
            "parent_message_id": (use.request.own_id if use.request is not None else None) or self._last_id,
            **outcome,
        }
        record = self._record(TOOL, peek(event, "id"), end, fields)
        record.event_ids = (peek(event, "id"), peek(end, "id"))
        return record

    def _failure(self, otherwise: str = "error") -> dict[str, Any]:
        return {
            "is_error": True,
            "error_type": peek(self._error, "type") or otherwise,
            "error_message": peek(self._error, "message"),
            "error_source": "provider",
        }

    def _record(self, method: str, own_id: str, event: Any, fields: dict[str, Any]) -> Record:
        at = seconds_of(event)
        fields |= {"timestamp_ms": milliseconds(at), "trace_id": self._trace or self._turns.traces.at(at)}
        return Record(method, own_id, fields, (peek(event, "id"),))


_READERS: Final[dict[Any, Callable[[Thread, Any], list[Record]]]] = {
    **dict.fromkeys((*_FROM_PEOPLE, "agent.thread_message_received"), Thread._said),
    **dict.fromkeys(_RUNNING, Thread._runs),
    "span.model_request_start": Thread._starts_request,
    "span.model_request_end": Thread._ends_request,
    "agent.message": Thread._answers,
    **dict.fromkeys(_USES, Thread._uses_tool),
    **dict.fromkeys(_RESULTS, Thread._brings_result),
    "span.outcome_evaluation_start": Thread._begins_judging,
    "span.outcome_evaluation_end": Thread._judges,
    "session.error": Thread._errs,
    **dict.fromkeys(("session.status_idle", "session.thread_status_idle", *_ENDS), Thread._rests),
}
