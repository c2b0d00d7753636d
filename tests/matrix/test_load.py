"""A thousand conversations at once, on an event loop, in sixteen threads, in greenlets: no id is mixed up."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import aiohttp
import pytest

from amplitude_ai_integrations.schema.names import wire_name

from .servers import DOORS
from .visiting import DEVICE, Running

CONVERSATIONS, CONNECTIONS, REQUESTS = 1_000, 100, 2
SERVERS = ["uvicorn", "gunicorn-gthread", "gunicorn-gevent", "waitress"]


async def converse(running: Running, doors: tuple[str, ...], devices: list[str]) -> None:
    turn = asyncio.Semaphore(CONNECTIONS)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def visit(number: int, device: str) -> None:
            url = f"{running.url}/{doors[number % len(doors)]}/slow"
            later = "yes" if number % 2 else ""
            headers = {DEVICE: device, "x-user": f"u-{device}", "x-thread": f"t-{device}", "x-later": later}
            async with turn:
                for _ in range(REQUESTS):
                    async with client.get(url, headers=headers) as response:
                        assert await response.text() == "done"

        await asyncio.gather(*(visit(number, device) for number, device in enumerate(devices)))


@pytest.mark.parametrize("server", SERVERS)
def test_no_id_is_mixed_up(servers: Callable[[str], Running], server: str) -> None:
    running = servers(server)
    devices = [str(uuid.uuid4()) for _ in range(CONVERSATIONS)]
    asyncio.run(converse(running, DOORS[server], devices))
    for device, events in running.wait_for_all(set(devices), 2 * REQUESTS).items():
        told = [
            (
                event["event_type"],
                event["user_id"],
                event["event_properties"][wire_name("session_id")],
                event["event_properties"][wire_name("turn_id")],
            )
            for event in events
        ]
        kinds = ["[Agent] User Message", "[Agent] AI Response"] * REQUESTS
        assert told == [(kind, f"u-{device}", f"t-{device}", n) for n, kind in enumerate(kinds, 1)]
        traces = [event["event_properties"][wire_name("trace_id")] for event in events]
        assert traces[0::2] == traces[1::2]
        assert len(set(traces)) == REQUESTS
