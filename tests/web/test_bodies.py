"""A body that is made piece by piece lets the events of a piece go with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.web.body import AsyncBody, Body
from amplitude_ai_integrations.web.options import Policy
from amplitude_ai_integrations.web.request import RequestSession

from .reading import AGENT


async def slowly(_: Any) -> str:
    return "ada"


def session_of(ai: AmplitudeAI) -> RequestSession:
    return RequestSession(Policy.of(ai, {"agent_id": AGENT, "user_id_resolver": slowly}), dict, dict)


async def test_of_an_asynchronous_body(ai: AmplitudeAI, sink: MemorySink) -> None:
    async def pieces() -> AsyncIterator[str]:
        for text in ("one", "two"):
            ai.track_user_message(content=text)
            yield text

    told_so_far = [len(sink.events) async for _ in AsyncBody(pieces(), session_of(ai))]
    assert told_so_far == [1, 2]
    assert [event["user_id"] for event in sink.events] == ["ada"] * 3


def test_of_a_synchronous_body(ai: AmplitudeAI, sink: MemorySink) -> None:
    def pieces() -> Iterator[str]:
        for text in ("one", "two"):
            ai.track_user_message(content=text)
            yield text

    body = Body(pieces(), session_of(ai))
    assert [len(sink.events) for _ in body] == [1, 2]
    body.close()
    assert [event["user_id"] for event in sink.events] == ["ada"] * 3
