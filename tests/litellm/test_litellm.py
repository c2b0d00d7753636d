"""One event a call that LiteLLM makes, whoever answers and however it ends."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import litellm
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.litellm import AmplitudeLiteLLM

from ..fakes.anthropic_server import AnthropicServer
from ..fakes.openai_server import TEXT, OpenAIServer
from ..providers.expected import SYSTEM, Event, answer, kinds, of_kind, seen, user
from .conftest import Arrived

pytestmark = pytest.mark.usefixtures("callback")

OWN = {"agent_id": "a"}


def ask(fake: OpenAIServer, words: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": words}]
    options = {"model": "openai/gpt-4o-mini", "api_base": fake.url, "api_key": "k", "num_retries": 0}
    return {**options, "messages": messages, **more}


def _whole(fake: OpenAIServer, words: str) -> None:
    litellm.completion(**ask(fake, words))


def _streamed(fake: OpenAIServer, words: str) -> None:
    for _chunk in litellm.completion(**ask(fake, words, stream=True)):
        pass


def _whole_async(fake: OpenAIServer, words: str) -> None:
    async def call() -> None:
        await litellm.acompletion(**ask(fake, words))
        await asyncio.sleep(0.2)  # LiteLLM reports from a task of this loop

    asyncio.run(call())


def _streamed_async(fake: OpenAIServer, words: str) -> None:
    async def call() -> None:
        async for _chunk in await litellm.acompletion(**ask(fake, words, stream=True)):
            pass
        await asyncio.sleep(0.2)

    asyncio.run(call())


WAYS: dict[str, tuple[Callable[[OpenAIServer, str], None], bool]] = {
    "completion": (_whole, False),
    "completion, streamed": (_streamed, True),
    "acompletion": (_whole_async, False),
    "acompletion, streamed": (_streamed_async, True),
}
each = pytest.mark.parametrize(("way", "is_streaming"), WAYS.values(), ids=WAYS)


@each
def test_a_call_is_one_event(
    way: Callable[..., None],
    is_streaming: bool,
    ai: AmplitudeAI,
    fake: OpenAIServer,
    arrived: Arrived,
    session_id: str,
) -> None:
    with ai.agent("a").session(session_id, user_id="u", track_session_end=False):
        way(fake, "Hi")
        events = arrived(2)
    # Of a stream LiteLLM counts tokens itself, unless it is asked not to.
    told: Event = {name: seen(events)[1].get(name) for name in _COUNTED} if is_streaming else {}
    assert seen(events) == [user("Hi", **OWN), answer(**OWN, is_streaming=is_streaming, **told)]


_COUNTED = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "has_reasoning",
    "cost_usd",
)


@each
def test_an_error_is_one_event(
    way: Callable[..., None],
    is_streaming: bool,
    ai: AmplitudeAI,
    fake: OpenAIServer,
    arrived: Arrived,
    session_id: str,
) -> None:
    with ai.agent("a").session(session_id, user_id="u", track_session_end=False):
        with pytest.raises(litellm.InternalServerError):
            way(fake, "error500")
        events = arrived(2)
    assert kinds(events) == ["user", "answer"]
    (told,) = of_kind("answer", events)
    assert (told["is_error"], told["error_type"], told["error_source"]) == (
        True,
        "InternalServerError",
        "provider",
    )


def test_a_stream_that_is_left_is_told_when_litellm_lets_go(
    fake: OpenAIServer, arrived: Arrived, callback: AmplitudeLiteLLM
) -> None:
    stream = litellm.completion(**ask(fake, "Hi", stream=True))
    next(iter(stream))
    del stream
    deadline = time.monotonic() + 10
    while callback._open and time.monotonic() < deadline:  # a thread of LiteLLM's may be at the first piece
        gc.collect()
        time.sleep(0.01)
    (told,) = of_kind("answer", arrived(2))
    assert told["stream_abandoned"] is True
    assert callback._open == {}


def test_tools_and_settings(fake: OpenAIServer, arrived: Arrived) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    litellm.completion(**ask(fake, "tool", tools=[tool], temperature=0.5, top_p=0.9, max_tokens=99))
    (told,) = of_kind("answer", arrived(2))
    settings = {name: told[name] for name in ("temperature", "top_p", "max_output_tokens", "finish_reason")}
    assert settings == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 99,
        "finish_reason": "tool_calls",
    }
    assert '"name":"get_weather"' in told["tool_calls"].replace(" ", "")
    assert told["tool_definitions_count"] == 1


def test_embeddings(fake: OpenAIServer, arrived: Arrived) -> None:
    litellm.embedding(model="openai/text-embedding-3-small", input=["Hi"], api_base=fake.url, api_key="k")
    (told,) = of_kind("embedding", arrived(1))
    assert (told["model_name"], told["input_tokens"], told["embedding_dimensions"]) == (
        "text-embedding-3-small",
        5,
        3,
    )


def test_responses(fake: OpenAIServer, arrived: Arrived) -> None:
    litellm.responses(model="openai/gpt-4o-mini", input="Hi", api_base=fake.url, api_key="k")
    events = arrived(2)
    assert [event["llm_message"] for event in seen(events)] == [{"text": "Hi"}, {"text": TEXT}]


def test_a_vendor_that_litellm_speaks_to_itself(claude: AnthropicServer, arrived: Arrived) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    model = "anthropic/claude-sonnet-4-20250514"
    litellm.completion(model=model, messages=messages, api_base=claude.address, api_key="k", max_tokens=64)
    (told,) = of_kind("answer", arrived(2))
    assert (told["provider"], told["model_name"]) == ("anthropic", "claude-sonnet-4-20250514")
    assert told["llm_message"] == {"text": TEXT}
    assert told["input_tokens"] + told["output_tokens"] == told["total_tokens"]
    assert told["cost_usd"] > 0


def test_who_asks_outside_a_session(fake: OpenAIServer, arrived: Arrived) -> None:
    litellm.completion(**ask(fake, "Hi"))
    named = {"amplitude_user_id": "user-42", "amplitude_conversation_id": "c-1", "mine": 1}
    arrived(2)
    litellm.completion(**ask(fake, "Hello", metadata=named))
    events = arrived(4)
    assert [event["user_id"] for event in events] == ["someone", "someone", "user-42", "user-42"]
    assert [event.get("session_id") for event in seen(events)][2:] == ["c-1", "c-1"]


def test_a_router_that_tries_again(
    ai: AmplitudeAI, fake: OpenAIServer, arrived: Arrived, session_id: str
) -> None:
    options = ask(fake, "")
    del options["messages"], options["num_retries"]
    router = litellm.Router([{"model_name": "m", "litellm_params": options}], num_retries=1)
    with ai.agent("a").session(session_id, user_id="u", track_session_end=False):
        router.completion(model="m", messages=[{"role": "user", "content": "error500x1"}])
        events = arrived(3)
    assert kinds(events) == ["user", "answer", "answer"]
    assert [told["is_error"] for told in of_kind("answer", events)] == [True, False]


def test_nothing_is_reported_where_tracking_is_off(
    fake: OpenAIServer, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))
    monkeypatch.setattr(litellm, "callbacks", [AmplitudeLiteLLM(silent)])
    litellm.completion(**ask(fake, "Hi"))
    assert [*sink] == []
