"""What type checkers say of decorated functions; checked by mypy and basedpyright, never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

from typing_extensions import assert_type

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.decorators import observe, tool
from amplitude_ai_integrations.client.tracker import ToolCallTracker

ai = AmplitudeAI(sink=MemorySink())


@tool
def search(query: str, limit: int = 3) -> list[str]:
    return [query] * limit


@tool(name="fetch", amplitude=ai, user_id="user-1", input_schema=True, timeout_ms=50)
async def fetch(url: str) -> bytes:
    return url.encode()


@observe
def count(to: int) -> Generator[int, str, bool]:
    yield to
    return True


@observe(type="agent", name="writer")
async def write(words: str) -> AsyncGenerator[str, None]:
    yield words


class Shop:
    @tool
    def price(self, item: str) -> float:
        return len(item) / 2

    @tool
    @classmethod
    def opened(cls, name: str) -> Shop:
        return cls()

    @classmethod
    @observe(env="test")
    def closed(cls, name: str) -> Shop:
        return cls()

    @observe
    @staticmethod
    def rounded(price: float) -> int:
        return round(price)


assert_type(search("a", limit=1), list[str])
assert_type(count(3), Generator[int, str, bool])
assert_type(write("a"), AsyncGenerator[str, None])
assert_type(Shop().price("tea"), float)
assert_type(Shop.opened("a"), Shop)
assert_type(Shop.closed("a"), Shop)
assert_type(Shop.rounded(1.5), int)
assert_type(tool(search, name="other")("a"), list[str])

fetching: Callable[[str], Coroutine[Any, Any, bytes]] = fetch
search(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
search("a", colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def refused() -> None:
    tool(colour="red")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    observe(type="dream")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    ToolCallTracker.set_amplitude(ai, "user-1", env="test")
    ToolCallTracker.set_amplitude(ai, "user-1", colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
