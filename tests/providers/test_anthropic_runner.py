"""The tool runner of Anthropic's beta: each turn is one AI Response, its tools and their results once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.anthropic import Anthropic, AsyncAnthropic

from ..fakes.anthropic_server import AnthropicServer
from .contract.anthropic import MODEL, connections, tls
from .expected import kinds, of_kind

LOOP = ["user", "answer", "tool", "answer"]


@pytest.fixture
def fake() -> Iterator[AnthropicServer]:
    """Anthropic's API."""
    server = AnthropicServer()
    yield server
    server.stop()


def _told(sink: MemorySink) -> list[Any]:
    (tool,) = of_kind("tool", sink)
    answers = of_kind("answer", sink)
    assert tool["parent_message_id"] == answers[0]["message_id"]
    return [tool["tool_name"], tool["tool_input"], tool["tool_output"], answers[1]["llm_message"]["text"]]


if hasattr(anthropic, "beta_tool"):  # older versions have no runner

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Tells the weather."""
        return f"sunny in {city}"

    @anthropic.beta_async_tool(name="get_weather")
    async def get_weather_later(city: str) -> str:
        """Tells the weather."""
        return f"sunny in {city}"

    ASKED: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "tool"}],
    }
    TOLD = ["get_weather", '{"city":"Paris"}', "sunny in Paris", "One two three four."]

    @pytest.fixture
    def client(fake: AnthropicServer, ai: AmplitudeAI) -> Anthropic:
        """An observed client whose events `sink` keeps."""
        return Anthropic(amplitude=ai, api_key="k", base_url=fake.address, http_client=connections())

    def test_a_run_is_told_turn_by_turn(client: Anthropic, ai: AmplitudeAI, sink: MemorySink) -> None:
        with ai.agent(user_id="u").session(track_session_end=False):
            client.beta.messages.tool_runner(**ASKED, tools=[get_weather]).until_done()
        assert kinds(sink) == LOOP
        assert _told(sink) == TOLD

    def test_a_streamed_run_is_told_turn_by_turn(
        client: Anthropic, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent(user_id="u").session(track_session_end=False):
            for stream in client.beta.messages.tool_runner(**ASKED, tools=[get_weather], stream=True):
                for _event in stream:
                    pass
        assert kinds(sink) == LOOP
        assert _told(sink) == TOLD

    def test_a_streamed_run_may_leave_its_streams_to_the_runner(
        client: Anthropic, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        with ai.agent(user_id="u").session(track_session_end=False):
            for _stream in client.beta.messages.tool_runner(**ASKED, tools=[get_weather], stream=True):
                pass
        assert kinds(sink) == LOOP
        assert [event.get("stream_abandoned") for event in of_kind("answer", sink)] == [None, None]

    def test_a_run_that_is_left_ends_its_answer(client: Anthropic, ai: AmplitudeAI, sink: MemorySink) -> None:
        given = {**ASKED, "messages": [{"role": "user", "content": "stall"}]}
        with ai.agent(user_id="u").session(track_session_end=False):
            runner = client.beta.messages.tool_runner(**given, tools=[get_weather], stream=True)
            for stream in runner:
                for event in stream:
                    if event.type == "text" and event.text == "two ":
                        break
                break
            stream.close()
            assert kinds(sink) == ["user", "answer"]
        assert of_kind("answer", sink)[0]["stream_abandoned"] is True

    async def _run_later(fake: AnthropicServer, ai: AmplitudeAI, *, is_streaming: bool) -> None:
        http = anthropic.DefaultAsyncHttpxClient(verify=tls())
        observed = AsyncAnthropic(amplitude=ai, api_key="k", base_url=fake.address, http_client=http)
        async with observed as client, ai.agent(user_id="u").session(track_session_end=False):
            given = {**ASKED, "tools": [get_weather_later]}
            if not is_streaming:
                await client.beta.messages.tool_runner(**given).until_done()
                return
            async for stream in client.beta.messages.tool_runner(**given, stream=True):
                async for _event in stream:
                    pass

    @pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
    def test_an_asynchronous_run_is_told_turn_by_turn(
        is_streaming: bool, fake: AnthropicServer, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        asyncio.run(_run_later(fake, ai, is_streaming=is_streaming))
        assert kinds(sink) == LOOP
        assert _told(sink) == TOLD

    def test_keywords_hold_for_every_turn_of_a_run(
        client: Anthropic, fake: AnthropicServer, sink: MemorySink
    ) -> None:
        keywords = {"amplitude_user_id": "mary", "amplitude_conversation_id": "c"}
        asked: dict[str, Any] = {**ASKED, "tools": [get_weather], **keywords}
        client.beta.messages.tool_runner(**asked).until_done()
        assert kinds(sink) == LOOP
        assert {event["user_id"] for event in sink} == {"mary"}
        assert {event["session_id"] for event in of_kind("answer", sink)} == {"c"}
        assert "amplitude" not in str(fake.requests).lower()

    if hasattr(anthropic.resources.beta.messages.Messages, "thread"):

        def test_a_thread_is_told_message_by_message(client: Any, sink: MemorySink) -> None:
            thread = client.beta.messages.thread(model=MODEL, max_tokens=99, amplitude_user_id="mary")
            for words in ("Hi", "Hi"):
                thread.send({"role": "user", "content": words})
            assert kinds(sink) == ["user", "answer"] * 2
            assert {event["user_id"] for event in sink} == {"mary"}
