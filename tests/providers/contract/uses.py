"""What is done with a client, in both kinds: with an asynchronous client, each of these is awaited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

Use = Callable[[Any], Any]


def reading(call: Use, kind: str) -> Use:
    """Return what makes a call and returns all chunks of its stream."""

    async def use_later(client: Any) -> list[Any]:
        return [chunk async for chunk in await call(client)]

    return use_later if kind == "async" else lambda client: [*call(client)]


def catching(use: Use, kind: str, errors: tuple[type[BaseException], ...] = (Exception,)) -> Use:
    """Return what returns the error that is raised."""

    def use_now(client: Any) -> BaseException:
        with pytest.raises(errors) as caught:
            use(client)
        return caught.value

    async def use_later(client: Any) -> BaseException:
        with pytest.raises(errors) as caught:
            await use(client)
        return caught.value

    return use_later if kind == "async" else use_now


def each(uses: Iterable[Use], kind: str) -> Use:
    """Return what does all of these, one after the other, and returns the results."""

    async def use_later(client: Any) -> list[Any]:
        return [await use(client) for use in uses]

    return use_later if kind == "async" else lambda client: [use(client) for use in uses]
