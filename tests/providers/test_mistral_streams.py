"""The streams of Mistral's other resources end as those of chats do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from ..fakes.mistral_server import MistralServer
from .contract.mistral import MISTRAL
from .contract.mistral_ways import CLIENT, MODEL
from .contract.provider import HTTP_ERRORS
from .expected import of_kind

Arguments = Callable[[str], dict[str, Any]]

STREAMS: dict[str, Arguments] = {
    "agents.stream": lambda words: {"agent_id": "a", "messages": [{"role": "user", "content": words}]},
    "fim.stream": lambda words: {"model": MODEL, "prompt": words},
}
if "beta" in CLIENT.__annotations__:
    STREAMS["beta.conversations.start_stream"] = lambda words: {"model": MODEL, "inputs": words}
    STREAMS["beta.conversations.append_stream"] = lambda words: {"conversation_id": "c", "inputs": words}
    STREAMS["beta.conversations.restart_stream"] = lambda words: {
        "conversation_id": "c",
        "from_entry_id": "e",
        "inputs": words,
    }
if "responses" in CLIENT.__annotations__:
    STREAMS["responses.create"] = lambda words: {"model": MODEL, "input": words, "stream": True}

every_stream = pytest.mark.parametrize("path", STREAMS)


@pytest.fixture(scope="module")
def fake() -> Iterator[MistralServer]:
    server = MistralServer()
    yield server
    MISTRAL.stop()
    server.stop()


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    """An event that only the collector brings about comes too late."""
    gc.disable()
    yield
    gc.enable()


def _is_second(event: Any) -> bool:
    data = event.data
    if hasattr(data, "choices"):
        return bool(data.choices[0].delta.content == "two ")
    return "two " in (getattr(data, "content", None), getattr(data, "delta", None))


def _answer(sink: MemorySink) -> tuple[str, bool, bool]:
    """Return the text of the only answer, and whether it was abandoned or failed."""
    (answer,) = of_kind("answer", sink)
    return answer["llm_message"]["text"], answer.get("stream_abandoned", False), answer["is_error"]


@every_stream
def test_a_loop_that_is_left_is_one_answer(
    path: str, fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = MISTRAL.swap(fake, "sync", ai)
    for event in attrgetter(path)(client)(**STREAMS[path]("Hi")):
        if _is_second(event):
            break
    del event
    assert _answer(sink) == ("One two ", True, False)


@every_stream
def test_a_stream_that_is_cut_is_one_failed_answer(
    path: str, fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = MISTRAL.swap(fake, "sync", ai)
    with pytest.raises(HTTP_ERRORS):
        list(attrgetter(path)(client)(**STREAMS[path]("cut")))
    assert _answer(sink) == ("One two ", False, True)


@every_stream
async def test_a_task_that_is_cancelled_is_one_answer(
    path: str, fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = MISTRAL.swap(fake, "async", ai)
    has_two = asyncio.Event()

    async def read() -> None:
        async for event in await attrgetter(f"{path}_async")(client)(**STREAMS[path]("stall")):
            if _is_second(event):
                has_two.set()

    task = asyncio.create_task(read())
    await has_two.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _answer(sink) == ("One two ", True, False)
    await MISTRAL.aclose(client)
    fake.release()
