"""One model call from begin to end, however it ends: time, first token, errors, one event."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from msgspec import structs

from ..client.client import AmplitudeAI
from ..client.failures import ToldFailure, failure_of, is_failure
from ..client.plan import plan_of
from ..client.recording import Scope
from ..client.tracker import ToolCallTracker
from ..config import AIConfig
from ..context import stamps
from ..context.current import SessionContext, get_active_context
from ..context.identity import usable_id
from ..context.trace import Trace
from ..exceptions import shield, shielded
from ..pricing.tokens import estimate_tokens
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, Embedding, ToolCall, UserMessage
from .facts import Adapter, RequestFacts, ResponseFacts, ToolResult, Usage, peek
from .merging import add_request, asks_alike, learn_words, merged, together
from .surroundings import note_told
from .tools import answer, note_asked, place_of

# What belongs to the answer alone; every other keyword of a call holds for all events that have it.
_OF_THE_ANSWER = {"turn_id", "labels"}
_OF_THE_QUESTION = {"attachments"}
_LONGEST_ID = 300  # characters of what stands in for a tool call's id
_KINDS: tuple[type[AgentEvent], ...] = (UserMessage, ToolCall, AIResponse, Embedding)
_ENDINGS = (GeneratorExit, StopIteration, StopAsyncIteration)


class Observation:
    """Watches one call and records what it shows.

    The session that was active when the call began is the one it belongs to, also if the answer ends
    after that session's block.
    """

    _is_live = True  # the call is watched as it happens

    def __init__(
        self,
        ai: AmplitudeAI,
        adapter: Adapter,
        payload: Any,
        keywords: Mapping[str, Any],
        *,
        is_streaming: bool,
        propagates: bool | None = None,
    ) -> None:
        self.is_over = False
        self.told_by: object = None  # the door that watches, which makes no two calls one
        self.inside: Callable[[], AbstractContextManager[Any]] = nullcontext  # the call's own place
        self.when_over: Callable[[], object] | None = None
        self._ai = ai
        self._adapter = adapter
        self._payload = payload
        self._propagates = propagates
        self._keywords = {name: value for name, value in keywords.items() if value is not None}
        self._is_streaming = is_streaming
        self._lock = threading.RLock()
        self._chunks = adapter.accumulator() if is_streaming else None
        self._message_id = usable_id(self._keywords.pop("message_id", None), "message_id") or stamps.new_id()
        self._request = RequestFacts("", "")
        self._first_at: float | None = None
        self._came: Any = None
        self._session_id: str | None = None
        self._trace: Trace | None = None
        self._beneath: ResponseFacts | None = None  # what the vendor's own client knows of the answer
        self._has_beneath = False
        self._context = get_active_context()
        if self._context is None:
            self._keywords = {**_fallback(), **self._keywords}
            self._trace = Trace()  # question and answer belong together also where nobody said to what
        self._handled = sys.exc_info()[1]
        self._started = stamps.seconds()
        with shielded("model call, begin"):
            self._request = adapter.request(payload)
            self._said()
        self._started = stamps.seconds()

    @property
    def propagates(self) -> bool:
        """Whether the call is to carry session, trace and agent in its headers."""
        return self._config().propagate_context if self._propagates is None else self._propagates

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self._request.model

    @property
    def trace_id(self) -> str | None:
        """The trace that the call belongs to."""
        given: str | None = self._keywords.get("trace_id")
        return given or (self._trace.id if self._trace is not None else None)

    def asks(self, payload: Any) -> None:
        """Take what is asked, which was not known when the call began."""
        with shielded("model call, question"):
            if not self.is_over:
                request = self._adapter.request(payload)
                request.provider = self._request.provider or request.provider
                if self._learn(request):
                    self._payload = payload

    def sent(self) -> None:
        """The request goes out now, later than the call was made."""
        self._started = stamps.seconds()

    def streams(self) -> None:
        """The answer comes as a stream, also where that was not known when it was asked for."""
        if self._is_streaming or self.is_over:
            return
        self._is_streaming, self._chunks = True, self._adapter.accumulator()
        if self._context is not None:
            self._context.conversation.open_calls.add(self)

    def chunk(self, chunk: Any) -> None:
        """Take one piece of a streamed answer."""
        chunks = self._chunks
        if chunks is None:
            return
        try:
            if chunks.add(chunk) and self._first_at is None:
                self._first_at = stamps.seconds()
        except Exception as error:  # noqa: BLE001 - as `shielded`, which would be felt with each chunk
            shield.keep("model call, chunk", error)

    def came(self, response: Any) -> None:
        """The whole answer is there, and the vendor's client goes on with it, which may fail."""
        self._came = response

    def returned(self, response: Any) -> None:
        """The whole answer is there."""
        with shielded("model call, answer"):
            self._end(self._adapter.response(response))

    def finished(self) -> None:
        """The stream was read to its end."""
        with shielded("model call, end of stream"):
            self._end(self._gathered())

    def failed(self, error: BaseException | ToldFailure) -> None:
        """The call, or the stream, raised."""
        with shielded("model call, error"):
            if not is_failure(error):
                self.left(type(error).__name__)
                return
            facts = self._gathered() if self._came is None else self._adapter.response(self._came)
            facts.request_id = facts.request_id or _request_id(error)
            self._end(facts, failure_of(error, self._config(), "provider"))

    def left(self, reason: str | None = None) -> None:
        """The reader went away before the end: a break, a close, a cancellation, its own error."""
        with shielded("model call, left"):
            if not self.is_over:
                abandoned = True if self._is_streaming else None
                reason = reason or self._reason()
                self._end(self._gathered(), {"error_type": reason, "stream_abandoned": abandoned})

    def takes_beneath(self, request: RequestFacts, *, is_exact: bool = False, is_known: bool = False) -> bool:
        """Tell whether a call that is made beneath is this one: the first is, or one after it failed.

        A framework may give the model a name of its own, or put words around what is said; with ``is_exact``,
        neither. It may embed texts in several requests. Once an answer comes, a call that begins is another.
        With ``is_known`` it is this one, whatever it asks.
        """
        own = self._request
        if self.is_over or self._first_at is not None or request.is_embedding != own.is_embedding:
            return False
        if self._has_beneath and not own.is_embedding:
            return False
        if not is_known and not asks_alike(own, request, is_exact=is_exact):
            return False
        self._has_beneath = True
        self._learn(request)
        return True

    def seen_beneath(self, facts: ResponseFacts, first_at: float | None, *, has_failed: bool) -> None:
        """Take what the vendor's own client knows of the answer."""
        before = self._beneath if self._request.is_embedding else None
        self._beneath = facts if before is None else together(before, facts)
        self._has_beneath = not has_failed
        self._first_at = self._first_at if first_at is None else first_at

    def _reason(self) -> str | None:
        """Return the name of the exception on its way through here, unless it was when the call began."""
        kind, error, _trace = sys.exc_info()
        if kind is None or error is self._handled or issubclass(kind, _ENDINGS):
            return None
        return kind.__name__

    def _gathered(self) -> ResponseFacts:
        return self._chunks.facts() if self._chunks is not None else ResponseFacts()

    def _end(self, facts: ResponseFacts, outcome: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            if self.is_over:
                return
            self.is_over = True
        ended = stamps.seconds()
        if self._beneath is not None:
            facts = merged(facts, self._beneath)
        given = self._answer(facts)
        given["latency_ms"] = (ended - self._started) * 1000
        if self._first_at is not None:
            given["ttfb_ms"] = (self._first_at - self._started) * 1000
        given.update(outcome if outcome is not None else _refusal(facts))
        note_asked(self._place_of_tools(), facts.tool_calls, self._message_id)
        if self._is_live:
            note_told(facts.request_id)
        if self._context is not None and self._is_streaming:
            self._context.conversation.open_calls.discard(self)
        self._record(Embedding if self._request.is_embedding else AIResponse, given)
        self._payload = self._chunks = None  # the stream may be held long after its end
        if self.when_over is not None:
            self.when_over()

    def _answer(self, facts: ResponseFacts) -> dict[str, Any]:
        request = self._request
        usage, is_estimated = self._usage(facts)
        given: dict[str, Any] = {
            "model": facts.model or request.model,
            "provider": request.provider,
            "input_tokens": usage.input,
            "service_tier": facts.service_tier or request.service_tier,
        }
        if request.is_embedding:
            return {**given, "dimensions": facts.dimensions}
        return {
            **given,
            "content": facts.text,
            "attachments": facts.attachments or None,
            "message_id": self._message_id,
            "output_tokens": usage.output,
            "total_tokens": usage.total,
            "reasoning_tokens": usage.reasoning,
            "cache_read_tokens": usage.cache_read,
            "cache_creation_tokens": usage.cache_creation,
            "total_cost_usd": facts.cost_usd,
            "usage_estimated": is_estimated or None,
            "was_cached": facts.was_cached or None,
            "finish_reason": facts.finish_reason,
            "tool_calls": facts.tool_calls or None,
            "reasoning_content": facts.reasoning or None,
            "system_prompt": request.system_prompt,
            "tool_definitions": request.tools or None,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "max_output_tokens": request.max_output_tokens,
            "is_streaming": self._is_streaming,
            "provider_request_id": facts.request_id,
        }

    def _usage(self, facts: ResponseFacts) -> tuple[Usage, bool]:
        usage = facts.usage or Usage()
        if usage.output is not None:
            return usage, False
        written = facts.text + facts.reasoning + "".join(str(call) for call in facts.tool_calls)
        if not written:
            return usage, False
        model = self._request.model
        output = estimate_tokens(written, model)
        if usage.input is not None:  # as where a stream counts what was sent at once
            return structs.replace(usage, output=output, total=usage.input + output), True
        sent = estimate_tokens(self._adapter.prompt_text(self._payload), model)
        return Usage(sent, output), True

    def _said(self) -> None:
        """Record what the messages of the call say that was not known: tool results, the user's words."""
        self._session_id = usable_id(self._keywords.get("session_id"), "session_id")
        if self._context is not None:
            self._context.conversation.identify()
            around = self._context.session_id
            if self._session_id in (None, around):
                self._trace = self._context.trace
            if self._is_streaming:
                self._context.conversation.open_calls.add(self)
            self._session_id = self._session_id or around
        self._say()

    def _say(self) -> None:
        for result in self._request.tool_results:
            self._tool_result(result)
        request = self._request
        if (request.user_text or request.attachments) and not self._is_known_message():
            given = {"content": request.user_text, "attachments": request.attachments or None}
            self._record(UserMessage, given, self._message_key())
            if self._trace is not None:
                active = get_active_context()
                self._trace = active.trace if active is not None else self._trace
                self._trace.user_key = self._message_key()

    def _learn(self, request: RequestFacts) -> bool:
        """Add to what is known of the question; words that nobody knew are recorded, and are news."""
        with self._lock:
            is_news = learn_words(self._request, request)
        add_request(self._request, request)
        if is_news:
            with self.inside():
                self._say()
        return is_news

    def _is_known_message(self) -> bool:
        """Tell whether the user's message is in the trace already: by hand, or by another call over it.

        An application that tries again, or asks two models about one message, sends the same words with
        the same history.
        """
        trace = self._trace
        return trace is not None and (trace.user_by_hand or trace.user_key == self._message_key())

    def _message_key(self) -> object:
        files = repr(self._request.attachments) if self._request.attachments else None
        return (self._request.user_text, files, self._request.history, self._delegate)

    @property
    def _delegate(self) -> str | None:
        """The agent that the message is for, where another one sends it and not the user."""
        agent = self._context.agent if self._context is not None else None
        return agent.agent_id if agent is not None and agent.parent_agent_id else None

    def _tool_result(self, result: ToolResult) -> None:
        call_id = result.call_id or f"{result.name} after {self._request.history!r}"[:_LONGEST_ID]
        is_new, asked = answer(self._place_of_tools(), call_id)
        name = result.name or (asked.name if asked else None) or "tool"
        if not is_new or self._was_tracked_by_hand(name):
            return
        given: dict[str, Any] = {"tool_name": name, "input": result.arguments, "output": result.output}
        if asked is not None:
            given["latency_ms"] = (self._started - asked.at) * 1000
            given["parent_message_id"] = asked.message_id
            given["input"] = asked.arguments if result.arguments is None else result.arguments
        if result.is_error:
            given["success"] = False
        self._record(ToolCall, given)

    def _place_of_tools(self) -> object:
        return place_of(self._context, self._session_id)

    def _was_tracked_by_hand(self, name: str) -> bool:
        if self._trace is None or not self._trace.tools_by_hand[name]:
            return False
        self._trace.tools_by_hand[name] -= 1
        return True

    def _config(self) -> AIConfig:
        pipeline = self._context.conversation.pipeline if self._context is not None else None
        return pipeline.config if pipeline is not None else self._ai.config

    def _record(self, kind: type[AgentEvent], given: dict[str, Any], question: object = None) -> None:
        context = self._at_its_trace(kind)
        scope = Scope(context=context)
        if self._trace is not None and (kind is not UserMessage or context is None):
            given["trace_id"] = self._trace.id
        given.update(self._keywords_of(kind))
        self._ai.recorder.record(kind, given, scope, by_hand=False, question=question)

    def _keywords_of(self, kind: type[AgentEvent]) -> dict[str, Any]:
        """Return the call's keywords that an event has a place for; the answer also gets what no event has,
        which is how that is said.
        """
        is_answer = kind in (AIResponse, Embedding)
        others = _OF_THE_QUESTION if is_answer else _OF_THE_ANSWER
        return {
            name: value
            for name, value in self._keywords.items()
            if name not in others and (plan_of(kind).takes(name) or (is_answer and not _is_known(name)))
        }

    def _at_its_trace(self, kind: type[AgentEvent]) -> SessionContext | None:
        # The user's message may roll the trace, which has to happen in the caller's own place.
        return get_active_context() if kind is UserMessage else self._context


def _is_known(keyword: str) -> bool:
    return any(plan_of(kind).takes(keyword) for kind in _KINDS)


def _request_id(error: BaseException | ToldFailure) -> Any:
    """Return under which id a vendor knows a request that failed."""
    return peek(error, "request_id") or peek(error, "response", "ResponseMetadata", "RequestId")


def _fallback() -> dict[str, Any]:
    """Return what holds for the whole process outside any session, where a program set something."""
    fallback = ToolCallTracker.fallback()
    if fallback is None:
        return {}
    return {name: value for name, value in fallback.fields.items() if value is not None}


def _refusal(facts: ResponseFacts) -> dict[str, Any]:
    """Return the failure that an answer itself speaks of."""
    if not facts.error_type:
        return {}
    return {
        "is_error": True,
        "error_type": facts.error_type,
        "error_message": facts.error_message,
        "error_source": "provider",
    }
