"""LangChain beside an observed client: what is one call, and what is another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import openai
import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

from ...fakes.openai_server import OpenAIServer
from ..contract.graph import graph

Make = Callable[..., ChatOpenAI]
ANSWER = "answer 20+7 $0.00011"


@pytest.fixture(autouse=True)
def _observed(ai: AmplitudeAI) -> Iterator[None]:
    patch(amplitude=ai)
    yield
    unpatch()


def ask(fake: OpenAIServer, words: str) -> None:
    with openai.OpenAI(api_key="k", base_url=f"{fake.address}/v1") as client:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": words}])


def told(sink: MemorySink) -> list[str]:
    return [line.strip() for line in graph(sink.events)[1:]]


@pytest.mark.filterwarnings("ignore:Unexpected type for token usage")  # LangChain adds up what is no number
def test_prompts_that_are_begun_at_once(
    model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent().session(track_session_end=False):
        model().generate([[HumanMessage("echo:One")], [HumanMessage("echo:Two")]], callbacks=[handler])
    assert told(sink) == ["user: echo:One", "user: echo:Two", f"{ANSWER}: One", f"{ANSWER}: Two"]


def test_a_call_between_the_pieces_of_a_stream_is_another(
    fake: OpenAIServer, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent().session(track_session_end=False):
        pieces = FakeListChatModel(responses=["ab"]).stream("echo:Same", {"callbacks": [handler]})
        next(pieces)
        ask(fake, "echo:Same")
        list(pieces)
    assert [line for line in told(sink) if "answer" in line] == [
        f"{ANSWER}: Same",
        "answer estimated streamed first token: ab",
    ]


async def test_a_cancelled_call_of_which_langchain_does_not_speak(
    fake: OpenAIServer, model: Make, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    fake.release()
    async with ai.agent().session(track_session_end=False):
        async with openai.DefaultAsyncHttpxClient() as http:
            call = asyncio.create_task(
                model(http_async_client=http).ainvoke("stall", {"callbacks": [handler]})
            )
            while not fake.requests:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await asyncio.to_thread(ask, fake, "echo:After")
    assert told(sink) == [
        "user: stall",
        "answer None+None $None:  CancelledError",
        "user: echo:After",
        f"{ANSWER}: After",
    ]
    assert len(handler._watching.tree) == 0


def test_what_never_ends_takes_no_other_call(
    fake: OpenAIServer, handler: AmplitudeCallbackHandler, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent().session(track_session_end=False):
        params = {"model": "gpt-4o"}
        handler.on_chat_model_start(None, [[HumanMessage("lost")]], run_id="lost", invocation_params=params)
        ask(fake, "echo:After")
    assert told(sink) == ["user: lost", "user: echo:After", f"{ANSWER}: After"]
