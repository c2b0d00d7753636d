"""An MCP server on stdin and stdout, whose tools are told of together with why they were called.

An MCP client starts it with `python -m example_apps.mcp_server_example`; `example_apps.mcp_client` is one.
"""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from amplitude_ai_integrations import AmplitudeAI, tool

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
server = MCPServer("trains", instructions="Knows today's trains, and books seats.")


# Below the server's decorator, `@tool` offers the model one more parameter, in which to say why it calls.
@server.tool()
@tool(rationale=True)
def find_trains(origin: str, destination: str) -> str:
    """Look up today's trains between two cities."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


@server.tool()
@tool(rationale=True)
async def book_seat(train: str) -> str:
    """Book a seat on one of today's trains."""
    if train != "EC 171":
        raise ToolError(f"{train} does not run today.")  # which the model is told
    return f"Seat 42 on {train} is yours."


def main() -> None:
    """Serve until the client closes stdin, and deliver; stdout is the protocol's, so nothing is printed."""
    with ai.agent("trains").session(user_id="user-42"):  # a process has one client: its calls are a session
        server.run()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main()
