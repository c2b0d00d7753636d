"""The official SDK of MCP, today's major and the one before, by the names that these tests use."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, TypeAlias

import mcp

try:
    _server: Any = import_module("mcp.server.mcpserver")
except ImportError:
    _server = import_module("mcp.server.fastmcp")
MCPServer: Any = getattr(_server, "MCPServer", None) or _server.FastMCP
Context: TypeAlias = _server.Context

__all__ = ["Context", "MCPServer", "Peer", "connected"]


class Peer:
    """A client that is connected to a server in memory."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def schema(self, name: str) -> dict[str, Any]:
        """Return the schema of a tool's arguments."""
        tools = (await self._client.list_tools()).tools
        (found,) = [tool for tool in tools if tool.name == name]
        schema: dict[str, Any] = getattr(found, "input_schema", None) or found.inputSchema
        return schema

    async def call(self, name: str, **arguments: Any) -> tuple[str, bool]:
        """Call a tool, and return its words and whether it failed."""
        result = await self._client.call_tool(name, arguments)
        failed = result.is_error if hasattr(result, "is_error") else result.isError
        return "".join(block.text for block in result.content), bool(failed)


@asynccontextmanager
async def connected(server: Any) -> Any:
    """Connect a client to a server."""
    if hasattr(mcp, "Client"):
        async with mcp.Client(server) as client:
            yield Peer(client)
    else:
        from mcp.shared import memory

        connect: Any = vars(memory)["create_connected_server_and_client_session"]
        async with connect(server._mcp_server) as client:
            yield Peer(client)
