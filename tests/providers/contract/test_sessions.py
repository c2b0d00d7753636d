"""Where the events of calls belong: many at once never mix, and a stream stays with the session it began in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ..expected import fields, kinds, of_kind, seen
from .cells import cells, first_apis, over
from .conftest import Stand
from .provider import Ask

MANY = 200
NAMES = [f"user{number}" for number in range(MANY)]


def _expected() -> set[tuple[str, str, str]]:
    said = {(name, f"of {name}", f"echo:{name}") for name in NAMES}
    return said | {(name, f"of {name}", name) for name in NAMES}


def _told(stand: Stand) -> set[tuple[str, str, str]]:
    return {
        (event["user_id"], event["session_id"], event["llm_message"]["text"]) for event in seen(stand.sink)
    }


@over("provider api kind door", first_apis(kinds=["async"], doors=["swap"]))
def test_many_tasks_never_mix_their_sessions(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    how = "whole" if "streamed" in stand.api(api).lacks else "streamed"

    async def talk(client: Any, name: str) -> None:
        session = stand.ai.agent(user_id=name).session(session_id=f"of {name}", track_session_end=False)
        async with session:
            await stand.call(api, kind, Ask(f"echo:{name}", system=None), how)(client)

    async def talk_all() -> None:
        client = stand.client(kind, door)
        await asyncio.gather(*(talk(client, name) for name in NAMES))
        await stand.provider.aclose(client)

    asyncio.run(talk_all())
    assert _told(stand) == _expected()
    assert len(stand.sink.events) == 2 * MANY


@over("provider api kind door", first_apis(kinds=["sync"], doors=["patch"]))
def test_many_threads_never_mix_their_sessions(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    how = "whole" if "streamed" in stand.api(api).lacks else "streamed"
    client = stand.client(kind, door)

    def talk(name: str) -> None:
        session = stand.ai.agent(user_id=name).session(session_id=f"of {name}", track_session_end=False)
        with session:
            stand.call(api, kind, Ask(f"echo:{name}", system=None), how)(client)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(talk, NAMES))
    assert _told(stand) == _expected()
    assert len(stand.sink.events) == 2 * MANY


@over("provider api kind door", cells("streamed"))
def test_a_stream_keeps_the_ids_of_the_session_it_began_in(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    ann = stand.ai.agent("bot", user_id="ann").session(session_id="of ann")
    bob = stand.ai.agent(user_id="bob").session(session_id="of bob", track_session_end=False)
    begin = stand.call(api, kind, Ask(), "opened")

    async def use_later() -> None:
        client = stand.client(kind, door)
        async with ann:
            stream = await begin(client)
        async with bob:
            async for _chunk in stream:
                pass
        await stand.provider.aclose(client)

    if kind == "async":
        asyncio.run(use_later())
    else:
        client = stand.client(kind, door)
        with ann:
            stream = begin(client)
        with bob:
            for _chunk in stream:
                pass
    assert kinds(stand.sink) == ["user", "end", "answer"]
    said, _ended, answered = (fields(event) for event in stand.sink)
    ids = ("session_id", "trace_id", "agent_id")
    assert [answered[name] for name in ids] == [said[name] for name in ids]
    assert (answered["session_id"], stand.sink.events[2]["user_id"]) == ("of ann", "ann")


@over("provider api kind door", cells("retries", doors=["swap", "patch"]))
@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_several_attempts_are_one_call(
    provider: str, api: str, kind: str, door: str, how: str, stand: Stand
) -> None:
    stand.run(kind, door, stand.call(api, kind, Ask("error500x2"), how), retries=2)
    assert len(stand.fake.requests) == 3
    assert [event["is_error"] for event in of_kind("answer", stand.sink)] == [False]
