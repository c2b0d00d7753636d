"""The ways a function can be written, all doing the same, the ways a call of it can end, what is told of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from amplitude_ai_integrations import MemorySink

from ...events import told

Decorator = Callable[[Any], Any]
ENDINGS = ("returns", "raises", "cancelled", "closed")
RUNS: list[str] = []  # one entry for each time a body began


def work(q: str, ending: str) -> dict[str, str]:
    """What every way does last."""
    if ending == "raises":
        raise ValueError(f"no {q}")
    if ending == "cancelled":
        raise KeyboardInterrupt
    return {"found": q}


def as_function(decorator: Decorator) -> Any:
    @decorator
    def search(q: str, ending: str) -> dict[str, str]:
        RUNS.append(q)
        return work(q, ending)

    return search


def as_coroutine(decorator: Decorator) -> Any:
    @decorator
    async def search(q: str, ending: str) -> dict[str, str]:
        RUNS.append(q)
        await asyncio.sleep(60 if ending in ("cancelled", "closed") else 0)
        return work(q, ending)

    return search


def as_generator(decorator: Decorator) -> Any:
    @decorator
    def search(q: str, ending: str) -> Iterator[Any]:
        RUNS.append(q)
        yield q
        yield work(q, ending)

    return search


def as_async_generator(decorator: Decorator) -> Any:
    @decorator
    async def search(q: str, ending: str) -> AsyncIterator[Any]:
        RUNS.append(q)
        yield q
        await asyncio.sleep(60 if ending == "cancelled" else 0)
        yield work(q, ending)

    return search


def as_method(decorator: Decorator) -> Any:
    class Shop:
        secret = "hunter2"

        def __repr__(self) -> str:
            return self.secret

        @decorator
        def search(self, q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            return work(q, ending)

    return Shop().search


def as_async_method(decorator: Decorator) -> Any:
    class Shop:
        @decorator
        async def search(this, q: str, ending: str) -> dict[str, str]:  # noqa: N805 - nobody has to say self
            RUNS.append(q)
            await asyncio.sleep(60 if ending in ("cancelled", "closed") else 0)
            return work(q, ending)

    return Shop().search


def as_classmethod(decorator: Decorator) -> Any:
    class Shop:
        @classmethod
        @decorator
        def search(cls, q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            return work(q, ending)

    return Shop.search


def as_decorated_classmethod(decorator: Decorator) -> Any:
    class Shop:
        @decorator
        @classmethod
        def search(klass, q: str, ending: str) -> dict[str, str]:  # noqa: N804 - nor cls
            RUNS.append(q)
            return work(q, ending)

    return Shop().search


def as_staticmethod(decorator: Decorator) -> Any:
    class Shop:
        @staticmethod
        @decorator
        def search(q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            return work(q, ending)

    return Shop().search


def as_decorated_staticmethod(decorator: Decorator) -> Any:
    class Shop:
        @decorator
        @staticmethod
        def search(q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            return work(q, ending)

    return Shop.search


def as_object(decorator: Decorator) -> Any:
    class search:  # noqa: N801 - an object goes by its class
        def __call__(self, q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            return work(q, ending)

    return decorator(search())


def as_async_object(decorator: Decorator) -> Any:
    class search:  # noqa: N801
        async def __call__(self, q: str, ending: str) -> dict[str, str]:
            RUNS.append(q)
            await asyncio.sleep(60 if ending in ("cancelled", "closed") else 0)
            return work(q, ending)

    return decorator(search())


def as_partial(decorator: Decorator) -> Any:
    def search(key: str, q: str, ending: str) -> dict[str, str]:
        RUNS.append(q)
        return work(q, ending)

    return decorator(partial(search, "a key of its own"))


WAYS: dict[str, Callable[[Decorator], Any]] = {
    name.removeprefix("as_").replace("_", " "): value
    for name, value in list(globals().items())
    if name.startswith("as_")
}


def ends(way: str, ending: str) -> bool:
    """Tell whether a way can end so: only what waits or is read can be closed early."""
    return ending != "closed" or "async" in way or way in ("coroutine", "generator")


def end(call: Callable[..., Any], ending: str) -> object:
    """Call, let it end as wanted, and return what came of it: the result, the items, or the error."""
    try:
        result = call("tea", ending=ending)
        if inspect.iscoroutine(result):
            return asyncio.run(_end_coroutine(result, ending))
        if hasattr(result, "__anext__"):
            return asyncio.run(_end_async_generator(result, ending))
        if hasattr(result, "__next__"):
            return _end_generator(result, ending)
    except BaseException as error:  # noqa: BLE001 - it is what came of the call
        return type(error), str(error)
    else:
        return result


async def _end_coroutine(coroutine: Any, ending: str) -> object:
    if ending == "closed":
        coroutine.send(None)
        return coroutine.close()
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    if ending == "cancelled":
        task.cancel()
    return await task


async def _end_async_generator(items: Any, ending: str) -> object:
    if ending == "closed":
        await anext(items)
        return await items.aclose()
    task = asyncio.ensure_future(_read(items))
    for _ in range(5):
        await asyncio.sleep(0)
    if ending == "cancelled":
        task.cancel()
    return await task


async def _read(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def _end_generator(items: Any, ending: str) -> object:
    if ending == "closed":
        next(items)
        return items.close()
    return list(items)


def facts(sink: MemorySink, *names: str) -> list[tuple[Any, ...]]:
    """Return of each event its type and some of its properties."""
    return [(event["type"], *(event.get(name) for name in names)) for event in told(sink.events)]
