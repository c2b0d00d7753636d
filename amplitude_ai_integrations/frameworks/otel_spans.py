"""One span as facts: what was asked and answered, who it was, how it ended, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from ..calls.facts import RequestFacts, ResponseFacts, Usage
from ..client.failures import ToldFailure
from ..context.current import AgentFacts
from ..pricing.names import infer_provider
from ..providers.openai_chat import ChatCompletions
from ..providers.openai_responses import Responses
from . import otel_dialects as names
from . import otel_haystack, otel_messages
from .otel_attributes import Attributes, count, first, listed, number, numbered, parsed, text
from .otel_dialects import Part

_DETAILS: Final = "gen_ai.client.inference.operation.details"
STOPPED: Final = ("CancelledError", "KeyboardInterrupt", "SystemExit")
_PAIRS: Final = {"tool_call": "tool_calls"}  # the conventions' word -> the one vendors and charts have
_NANOSECONDS: Final = 1e6  # in a millisecond
_OF_VENDORS: Final = ("request_id", "reasoning", "finish_reason")
_RETRIEVED: Final = "retrieval.documents"


class SpanFacts:
    """Reads one span, which may be under way; each fact as it is asked for."""

    def __init__(self, span: ReadableSpan, stopped: str | None = None) -> None:
        self.span = span
        self._stopped = stopped
        self.events = [(event.name, event.attributes or {}) for event in span.events]
        attributes: dict[str, Any] = {**(span.attributes or {})}
        for name, more in self.events:
            if name in (_DETAILS, "gen_ai.content.prompt", "gen_ai.content.completion"):
                attributes = {**more, **attributes}
        attributes.update(otel_haystack.conventions(span.name, attributes))
        if (self.scope, span.name) == names.ADK_CALL:
            attributes.setdefault("gen_ai.operation.name", "generate_content")  # it says so only at its end
        self.attributes: Attributes = attributes
        self.part = names.part_of(attributes)

    @property
    def scope(self) -> str:
        """Who made it."""
        return self.span.instrumentation_scope.name if self.span.instrumentation_scope else ""

    @property
    def latency_ms(self) -> float:
        """How long it took."""
        return max(0, self.ended - self.started) / _NANOSECONDS

    @property
    def started(self) -> int:
        """When it began, in nanoseconds since the epoch."""
        return self.span.start_time or 0

    @property
    def ended(self) -> int:
        """When it ended, in nanoseconds since the epoch."""
        return self.span.end_time or self.started

    @property
    def name(self) -> str:
        """Its name as a part of an agent's work, without the operation before it."""
        known = text(self.attributes, _NAMES.get(self.part, names.STEP_NAME))
        if known is not None or self.part is Part.STEP:
            return known or self.span.name
        operation = str(self.attributes.get("gen_ai.operation.name"))
        return self.span.name.removeprefix(f"{operation} ")

    @property
    def identity(self) -> dict[str, Any]:
        """Whose it is, as far as it says."""
        found = {
            "session_id": first(self.attributes, names.SESSION_ID),
            "user_id": first(self.attributes, names.USER_ID),
            "device_id": first(self.attributes, names.DEVICE_ID),
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    @property
    def agent(self) -> AgentFacts:
        """Which agent it is, or is of, as far as it says."""
        get = self.attributes
        return AgentFacts.of(
            agent_id=text(get, names.AGENT_ID) if get.get("gen_ai.system") != names.AUTOGEN else None,
            agent_name=text(get, names.AGENT_NAME),
            agent_description=text(get, names.AGENT_DESCRIPTION),
            agent_version=text(get, names.AGENT_VERSION),
        )

    @property
    def model(self) -> str | None:
        """The model that is asked."""
        known = text(self.attributes, (*names.REQUEST_MODEL, *names.RESPONSE_MODEL))
        return known or text(self._parameters, ("model",))

    @property
    def usage(self) -> Usage | None:
        """The tokens it counts; ``None`` where it counts none."""
        get = self.attributes
        sent, written = count(get, names.INPUT_TOKENS), count(get, names.OUTPUT_TOKENS)
        total = count(get, names.TOTAL_TOKENS)
        if sent is None and written is None and total is None:
            return None
        read, created = count(get, names.CACHE_READ), count(get, names.CACHE_CREATION)
        cached = (read or 0) + (created or 0)
        if sent is not None and sent < cached:  # counted without what the cache held
            sent += cached
            total = None
        return Usage(sent, written, total, count(get, names.REASONING_TOKENS) or None, read, created or None)

    @property
    def is_streaming(self) -> bool | None:
        """Whether the answer came as a stream, where that is said."""
        said = first(self.attributes, names.STREAMS)
        if said is None and "stream" in self._parameters:
            said = self._parameters["stream"]
        if said is None:
            return any(name in names.FIRST_CHUNK_EVENTS for name, _more in self.events) or None
        return bool(said)

    @property
    def ttfb_ms(self) -> float | None:
        """How long the first piece of a stream took."""
        if not self.is_streaming:
            return None
        seconds = number(self.attributes, names.FIRST_CHUNK)
        if seconds is not None:
            return seconds * 1000
        at = (event.timestamp for event in self.span.events if event.name in names.FIRST_CHUNK_EVENTS)
        first_at = next(at, None)
        return (first_at - self.started) / _NANOSECONDS if first_at is not None else None

    @property
    def tool_call_id(self) -> str | None:
        """Under which id a model asked for a tool."""
        return text(self.attributes, names.TOOL_CALL_ID)

    @property
    def arguments(self) -> Any:
        """What a tool was given."""
        said = first(self.attributes, names.TOOL_ARGUMENTS)
        return otel_messages.of_tool(said, self.events, names.TOOL_ARGUMENTS_EVENT)

    @property
    def result(self) -> Any:
        """What a tool returned."""
        said = first(self.attributes, names.TOOL_RESULT)
        return otel_messages.of_tool(said, self.events, names.TOOL_RESULT_EVENT)

    @property
    def failure(self) -> ToldFailure | None:
        """How it failed, if it did."""
        raised = next((more for name, more in self.events[::-1] if name == "exception"), {})
        get = self.attributes
        kind = text(get, ("error.type",)) or text(raised, ("exception.type",))
        status = self.span.status
        if status.status_code is not StatusCode.ERROR and not get.get("error.type"):
            return None
        message = text({**get, **raised}, ("exception.message", "error.message")) or status.description or ""
        return ToldFailure(_class_name(kind or "Error"), message)

    @property
    def stopped(self) -> str | None:
        """Who told it to stop, where that is how it ended: that is nobody's failure."""
        failure = self.failure
        if failure is None:
            return self._stopped
        return failure.error_type if failure.error_type in STOPPED else None

    def request(self) -> tuple[RequestFacts, str]:
        """Return what was asked, and all its words."""
        get, parameters = self.attributes, self._parameters
        model = self.model or ""
        if self.part is Part.EMBEDDING:
            return RequestFacts(self._provider(model), model, is_embedding=True), ""
        messages = otel_messages.asked(get, self.events)
        payload = {
            "model": model,
            "messages": messages,
            "tools": self._tools(),
            "temperature": number({**parameters, **get}, (*names.TEMPERATURE, "temperature")),
            "top_p": number({**parameters, **get}, (*names.TOP_P, "top_p")),
            "max_tokens": count({**parameters, **get}, (*names.MAX_TOKENS, "max_tokens")),
        }
        facts = ChatCompletions(self._provider(model)).request(payload)
        return facts, otel_messages.words(messages)

    def answer(self) -> ResponseFacts:
        """Return what came back."""
        get = self.attributes
        message = otel_messages.answered(get, self.events)
        reason = message.pop("finish_reason", None)
        facts = ChatCompletions("").response({"choices": [{"message": message}]})
        facts.reasoning = facts.reasoning or text(get, names.REASONING) or ""
        reason = text(get, names.FINISH_REASON) or reason
        facts.finish_reason = _PAIRS.get(reason, reason) if isinstance(reason, str) else None
        facts.model = text(get, names.RESPONSE_MODEL)
        facts.request_id = text(get, names.RESPONSE_ID)
        facts.service_tier = text(get, names.SERVICE_TIER)
        facts.usage = self.usage
        vendors = self._vendors_answer
        for name in _OF_VENDORS:
            setattr(facts, name, getattr(facts, name) or getattr(vendors, name))
        facts.dimensions = count(get, names.DIMENSIONS) or _dimensions(get)
        return facts

    def given(self) -> Any:
        """Return what a step or an agent was given."""
        said = otel_messages.asked(self.attributes, self.events) if self.part is Part.AGENT else []
        texts = [otel_messages.words([item]) for item in said if item["role"] == "user"]
        return next(filter(None, reversed(texts)), None) or parsed(first(self.attributes, names.GIVEN))

    def made(self) -> Any:
        """Return what a step or an agent made."""
        documents = numbered(self.attributes, _RETRIEVED)
        if documents:
            return [{key.removeprefix("document."): value for key, value in row.items()} for row in documents]
        said = otel_messages.answered(self.attributes, self.events) if self.part is Part.AGENT else {}
        return otel_messages.words([said]) or parsed(first(self.attributes, names.MADE))

    @property
    def _vendors_answer(self) -> ResponseFacts:
        """What came back in the vendor's own words, which OpenInference keeps as a whole."""
        whole = parsed(self.attributes.get("output.value"))
        if isinstance(whole, Mapping) and isinstance(whole.get("choices"), list):
            return ChatCompletions("").response(whole)
        if isinstance(whole, Mapping) and isinstance(whole.get("output"), list):
            return Responses("").response(whole)
        return ResponseFacts()

    @property
    def _parameters(self) -> Mapping[str, Any]:
        """What OpenInference says of a call in one value."""
        found = parsed(
            first(self.attributes, ("llm.invocation_parameters", "embedding.invocation_parameters"))
        )
        return found if isinstance(found, Mapping) else {}

    def _provider(self, model: str) -> str:
        said = text(self.attributes, names.PROVIDER)
        if said is None or said in names.FRAMEWORKS:
            return infer_provider(model) or ""
        return infer_provider(f"{said.lower()}/model", said.lower()) or said.lower()

    def _tools(self) -> list[Any] | None:
        found = listed(self.attributes.get("gen_ai.tool.definitions"))
        schemas = numbered(self.attributes, "llm.tools")
        found = found or [
            row for item in schemas if isinstance(row := parsed(item.get("tool.json_schema")), dict)
        ]
        functions = numbered(self.attributes, "llm.request.functions")
        return found or functions or None


_NAMES: Final[Mapping[Part | None, tuple[str, ...]]] = {
    Part.AGENT: (*names.AGENT_NAME, "traceloop.entity.name"),
    Part.TOOL: names.TOOL_NAME,
}


def _class_name(kind: str) -> str:
    """Return the bare name of an exception's class, however it was written: ``<class 'a.B'>``, ``a.B``."""
    bare = kind.removeprefix("<class '").removesuffix("'>")
    return bare.rpartition(".")[2] or bare if " " not in bare else bare


def _dimensions(attributes: Attributes) -> int | None:
    for row in numbered(attributes, "embedding.embeddings"):
        vector = row.get("embedding.vector")
        if isinstance(vector, (list, tuple)):
            return len(vector)
    return None
