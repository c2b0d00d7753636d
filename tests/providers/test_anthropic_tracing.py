"""Anthropic's clients trace their calls themselves: what their spans say is the same when we observe too."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import anthropic

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.anthropic import Anthropic, AsyncAnthropic

from ..fakes.anthropic_server import AnthropicServer
from .contract.anthropic import MODEL, connections, tls
from .expected import kinds

Call = Callable[[Any], Any]
HI: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "think Hi"}],
}


def _whole(client: Any) -> None:
    client.messages.create(**HI)


def _read(client: Any) -> None:
    list(client.messages.create(stream=True, **HI))


def _with(client: Any) -> None:
    with client.messages.create(stream=True, **HI) as stream:
        for event in stream:
            if event.type == "content_block_delta":
                break


def _pulled(client: Any) -> None:
    stream = client.messages.create(stream=True, **HI)
    next(stream)
    stream.close()


def _helper(client: Any) -> None:
    with client.messages.stream(**HI) as stream:
        stream.get_final_message()


def _helper_left(client: Any) -> None:
    with client.messages.stream(**HI) as stream:
        for _text in stream.text_stream:
            break


def _raw(client: Any) -> None:
    with client.messages.with_streaming_response.create(stream=True, **HI) as response:
        list(response.parse())


CALLS: list[Call] = [_whole, _read, _with, _pulled, _helper, _helper_left, _raw]


async def _read_later(client: Any) -> None:
    async for _event in await client.messages.create(stream=True, **HI):
        pass
    async with client.messages.stream(**HI) as stream:
        await stream.get_final_message()


if hasattr(anthropic, "OpenTelemetryOptions"):  # older versions have no spans
    from opentelemetry import trace

    class _Span(trace.NonRecordingSpan):
        """A span that keeps what it is told."""

        def __init__(self, number: int, attributes: Any) -> None:
            super().__init__(trace.SpanContext(1, number, is_remote=False, trace_flags=trace.TraceFlags(1)))
            self.told: dict[str, Any] = dict(attributes or {})
            self.status: Any = None
            self.ends = 0

        def is_recording(self) -> bool:
            return self.ends == 0

        def set_attribute(self, key: str, value: Any) -> None:
            self.told[key] = value

        def set_attributes(self, attributes: Any) -> None:
            self.told.update(attributes)

        def set_status(self, status: Any, description: str | None = None) -> None:
            self.status = getattr(status, "status_code", status)

        def end(self, end_time: int | None = None) -> None:
            self.ends += 1

    class _Spans(trace.TracerProvider, trace.Tracer):
        """Keeps the spans that a client starts."""

        def __init__(self) -> None:
            self.started: list[_Span] = []

        def get_tracer(self, *_given: Any, **_more: Any) -> trace.Tracer:
            return self

        def start_span(self, name: str, *_given: Any, attributes: Any = None, **_more: Any) -> trace.Span:
            span = _Span(len(self.started) + 1, attributes)
            self.started.append(span)
            return span

        def start_as_current_span(self, *_given: Any, **_more: Any) -> Any:
            raise NotImplementedError

        @property
        def seen(self) -> list[Any]:
            """Return of each span how it ended and what it was told, but for times."""
            return [
                (
                    span.status,
                    span.ends > 0,
                    {name: value for name, value in span.told.items() if not isinstance(value, float)},
                )
                for span in self.started
            ]

    def _traced(spans: _Spans, fake: AnthropicServer, http: Any) -> dict[str, Any]:
        tracing = {"tracer_provider": spans, "traces": {"content_mode": "content"}}
        given = {"api_key": "k", "base_url": fake.address, "http_client": http}
        return {**given, "max_retries": 0, "open_telemetry": tracing}

    def test_the_vendors_spans_are_the_same_beside_ours() -> None:
        fake, sink = AnthropicServer(), MemorySink()
        ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))
        ours, theirs = _Spans(), _Spans()
        try:
            with ai.agent("bot", user_id="u").session(track_session_end=False):
                observed = Anthropic(amplitude=ai, **_traced(ours, fake, connections()))
                bare = anthropic.Anthropic(**_traced(theirs, fake, connections()))
                for call, client in itertools.product(CALLS, (observed, bare)):
                    call(client)
        finally:
            fake.stop()
        assert len(theirs.seen) == len(CALLS)
        assert ours.seen == theirs.seen
        assert kinds(sink).count("answer") == len(CALLS)
        sent = [
            {name.lower(): value for name, value in request["headers"].items()} for request in fake.requests
        ]
        assert [headers.get("traceparent") for headers in sent[::2]] == [
            headers.get("traceparent") for headers in sent[1::2]
        ]
        assert all("x-amplitude-session-id" in headers for headers in sent[::2])

    def test_the_vendors_spans_of_asynchronous_streams_are_the_same_beside_ours() -> None:
        fake, ai = AnthropicServer(), AmplitudeAI(sink=MemorySink())
        ours, theirs = _Spans(), _Spans()

        async def call() -> None:
            http = anthropic.DefaultAsyncHttpxClient(verify=tls())
            async with AsyncAnthropic(amplitude=ai, **_traced(ours, fake, http)) as observed:
                await _read_later(observed)
                await _read_later(anthropic.AsyncAnthropic(**_traced(theirs, fake, http)))

        try:
            asyncio.run(call())
        finally:
            fake.stop()
        assert len(theirs.seen) == 2
        assert ours.seen == theirs.seen
