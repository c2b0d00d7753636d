"""One loop, run in each of its four ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from amplitude_ai_integrations.frameworks.anthropic_tools import AmplitudeToolLoop

MODEL = "claude-haiku-4-5"
TOOLS = [
    {"name": name, "description": f"{name}.", "input_schema": {"type": "object"}}
    for name in ("get_weather", "book_table", "ask_researcher")
]
WAYS = ("run", "stream", "arun", "astream")
STREAMED = ("stream", "astream")
LATER = ("arun", "astream")

Make = Callable[[Any], AmplitudeToolLoop]


def asked(words: str, **options: Any) -> dict[str, Any]:
    """Return the arguments of a run."""
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], "tools": TOOLS, **options}


def go(way: str, connect: Any, make: Make, given: dict[str, Any], door: str = "bare") -> Any:
    """Run the loop that `make` makes of a client, and return its last answer."""
    if way in LATER:
        return asyncio.run(later(way, connect(door, is_async=True), make, given))
    loop = make(connect(door))
    if way == "run":
        return loop.run(**given)
    answer = None
    for event in loop.stream(**given):
        if event.type == "message_stop":
            answer = event.message
    return answer


async def later(way: str, client: Any, make: Make, given: dict[str, Any]) -> Any:
    """Run it with an asynchronous client, and close that."""
    async with client:
        loop = make(client)
        if way == "arun":
            return await loop.arun(**given)
        answer = None
        async for event in loop.astream(**given):
            if event.type == "message_stop":
                answer = event.message
        return answer
