"""Starts `mcp_server_example` and calls it as a model would: `python -m example_apps.mcp_client`."""

from __future__ import annotations

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.types import TextContent

SERVER = StdioServerParameters(
    command=sys.executable, args=["-m", "example_apps.mcp_server_example"], env={**os.environ}
)
CALLS = {
    "find_trains": {
        "origin": "Berlin",
        "destination": "Prague",
        "rationale": "The user wants to go from Berlin to Prague.",
    },
    "book_seat": {"train": "EC 171", "rationale": "The user takes the first train."},
}


async def main() -> None:
    """Call both tools, and say why."""
    async with Client(SERVER) as client:
        for name, arguments in CALLS.items():
            print(f"> {name}: {arguments['rationale']}")
            result = await client.call_tool(name, arguments)
            print(*(block.text for block in result.content if isinstance(block, TextContent)))


if __name__ == "__main__":
    asyncio.run(main())
