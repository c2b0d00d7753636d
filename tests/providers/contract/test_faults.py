"""Each function of ours that a call passes is made to raise in turn; what the caller sees stays the same."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI

from ...faults import functions_passed, raising
from ..test_openai_faults import DOORS
from . import PROVIDERS
from .cells import Cell, cells, first_apis, lacks, over
from .conftest import Stand
from .provider import Ask, Tool
from .uses import Use, catching

pytestmark = [
    pytest.mark.usefixtures("swallowing"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# The same places as in `test_openai_faults`, on other paths.
MORE_DOORS = {
    "CallKeywords.encode",
    "AsyncTap.__aiter__",
    "AsyncTap.__anext__",
    "AsyncTap.aclose",
    "_AsyncLoop.__init__",
    "_AsyncLoop.__aiter__",
    "_AsyncLoop.__anext__",
    "_async_class.<locals>.<lambda>",
    "_async_class.<locals>.enter",
    "_async_class.<locals>.leave",
}


def _rows() -> list[Cell]:
    """Every API by one way in, and what differs by the way in or the kind of client by one API of each provider."""
    needs: dict[str, tuple[str, ...]] = {"whole": (), "streamed": ("streamed",), "left": ("streamed",)}
    rows = [
        (*cell, call) for call, more in needs.items() for cell in cells(*more, kinds=["sync"], doors=["swap"])
    ]
    rows += [(*cell, "refused") for cell in first_apis(kinds=["sync"], doors=["swap"])]
    rows += [(*cell, "whole") for cell in first_apis(kinds=["sync"], doors=["patch"])]
    later = first_apis("streamed", kinds=["async"], doors=["wrap"])
    rows += [(*cell, call) for call in ("streamed", "left") for cell in later]
    return [row for row in rows if not PROVIDERS[row[0]].like]


def _call(stand: Stand, api: str, kind: str, name: str) -> Use:
    """Return what makes a call, and returns what the caller sees as data."""
    known, plain = stand.api(api), stand.provider.plain
    if name == "refused":
        told = catching(stand.call(api, kind, Ask("error429")), kind)
        return _then(told, lambda error: (type(error), str(error)), kind)
    if name == "left":
        return _leaving(stand, api, kind)
    if name == "streamed":
        use = stand.call(api, kind, Ask("think"), "streamed", amplitude_user_id="u")
        return _then(use, lambda chunks: [plain(chunk) for chunk in chunks], kind)
    if lacks(stand.provider, known, "tool"):
        return _then(stand.call(api, kind, Ask("think")), plain, kind)
    ran = replace(known.ran, call_id=known.ran.call_id and f"call-{uuid.uuid4()}")
    return _then(stand.call(api, kind, Ask("think", tool=Tool(), ran=ran)), plain, kind)


def _then(use: Use, change: Callable[[Any], Any], kind: str) -> Use:
    async def use_later(client: Any) -> Any:
        return change(await use(client))

    return use_later if kind == "async" else lambda client: change(use(client))


def _leaving(stand: Stand, api: str, kind: str) -> Use:
    begin = stand.call(api, kind, Ask("think"), "opened")
    provider, piece = stand.provider, stand.api(api).piece

    def use(client: Any) -> Any:
        stream = begin(client)
        seen = []
        for chunk in stream:
            seen.append(piece(chunk))
            if seen[-1] == "two ":
                break
        provider.close_stream(stream)
        return seen

    async def use_later(client: Any) -> Any:
        stream = await begin(client)
        seen = []
        async for chunk in stream:
            seen.append(piece(chunk))
            if seen[-1] == "two ":
                break
        await provider.aclose_stream(stream)
        return seen

    return use_later if kind == "async" else use


@contextmanager
def _in_a_session(stand: Stand, kind: str, door: str) -> Iterator[Callable[[Use], Any]]:
    """Yield what uses one client as often as it is asked to, and returns what that shows or raises."""
    loop = asyncio.new_event_loop()

    def do(use: Use) -> Any:
        try:
            return loop.run_until_complete(use(client)) if kind == "async" else use(client)
        except Exception as error:  # noqa: BLE001 - whatever it is, it would be the program's
            return error

    async def make() -> Any:
        return stand.client(kind, door)

    client = loop.run_until_complete(make())
    with stand.session():
        yield do
    if kind == "async":
        loop.run_until_complete(stand.provider.aclose(client))
    loop.close()


@over("provider api kind door call", _rows())
def test_a_fault_in_any_function_of_ours_harms_no_call(
    provider: str, api: str, kind: str, door: str, call: str, stand: Stand
) -> None:
    stand.ai = AmplitudeAI(sink=stand.sink, config=AIConfig(propagate_context=True))
    doors = DOORS | MORE_DOORS | stand.provider.doors
    harmed = []
    with _in_a_session(stand, kind, door) as do:
        expected = do(_call(stand, api, kind, call))
        inner = functions_passed(lambda: do(_call(stand, api, kind, call)), doors)
        for functions in inner:
            use = _call(stand, api, kind, call)
            with raising(functions):
                result = do(use)
            if result != expected:
                harmed.append(functions[0].__qualname__)
    assert len(inner) > 30
    assert sorted(harmed) == []
