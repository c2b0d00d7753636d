"""A call answered at once is one AI Response, and so is one that is refused, cut, timed out or cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ...fakes.model_server import TEXT
from ..expected import user
from .answers import missing, whole
from .cells import Cell, cells, over
from .conftest import Stand
from .provider import Ask
from .uses import catching

STATUSES = ("error500", "error429", "error401")


@over("provider api kind door", cells())
def test_a_whole_answer_is_one_event(provider: str, api: str, kind: str, door: str, stand: Stand) -> None:
    result, events = stand.run(kind, door, stand.call(api, kind, Ask("Hi")))
    assert stand.api(api).text(result) == TEXT
    assert events == [user("Hi"), whole(stand.api(api))]


def _statuses() -> list[Cell]:
    needs: dict[str, tuple[str, ...]] = {"whole": (), "streamed": ("streamed",)}
    return [(*cell, words, how) for how in needs for cell in cells(*needs[how]) for words in STATUSES]


@over("provider api kind door words how", _statuses())
def test_a_refused_request_is_one_failed_answer(
    provider: str, api: str, kind: str, door: str, words: str, how: str, stand: Stand
) -> None:
    use = catching(stand.call(api, kind, Ask(words), how), kind, stand.provider.statuses[words])
    error, events = stand.run(kind, door, use)
    told = missing(error, is_streaming=how == "streamed", **stand.api(api).refused)
    assert events == [user(words), whole(stand.api(api), **told)]


@over("provider api kind door", cells("timeout", doors=["swap"]))
def test_a_whole_answer_that_times_out_is_one_failed_answer(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    use = catching(stand.call(api, kind, Ask("stall")), kind, stand.provider.timeouts)
    error, events = stand.run(kind, door, use, timeout=0.3)
    assert events == [user("stall"), whole(stand.api(api), **missing(error))]


@over("provider api kind door", cells())
def test_a_whole_answer_cut_by_the_server_is_one_failed_answer(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    use = catching(stand.call(api, kind, Ask("cut")), kind, stand.provider.cuts)
    error, events = stand.run(kind, door, use)
    assert events == [user("cut"), whole(stand.api(api), **missing(error))]


@over("provider api kind door", cells(kinds=["async"]))
def test_a_cancelled_request_is_no_error(provider: str, api: str, kind: str, door: str, stand: Stand) -> None:
    call = stand.call(api, kind, Ask("stall"))

    async def cancel(client: Any) -> None:
        task = asyncio.ensure_future(call(client))
        while not (stand.fake.requests or task.done()):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _nothing, events = stand.run(kind, door, cancel)
    told = missing(error_type="CancelledError")
    assert events == [user("stall"), whole(stand.api(api), **told)]
