"""A server over HTTP: the middleware knows whose requests they are."""

from __future__ import annotations

import mcp
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink, tool
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

from ...conftest import Serve
from ...events import types
from .sdk import MCPServer, Peer


@pytest.mark.skipif(not hasattr(mcp, "Client"), reason="the major before has another client for HTTP")
async def test_a_request_is_a_session_of_its_user(serve: Serve, ai: AmplitudeAI, sink: MemorySink) -> None:
    server = MCPServer("weather")

    async def forecast(city: str) -> str:
        return f"sunny in {city}"

    server.add_tool(tool(forecast, rationale=True))

    app = AmplitudeAIMiddleware(
        server.streamable_http_app(),
        amplitude_ai=ai,
        agent_id="weather",
        user_id_resolver=lambda request: request.headers.get("x-user"),
    )
    async with mcp.Client(f"{serve(app)}/mcp") as client:
        assert await Peer(client).call("forecast", city="Paris", rationale="Why.") == (
            "sunny in Paris",
            False,
        )
    assert types(sink.events) == ["User Message", "Tool Call", "Session End"]
    sessions = {event["event_properties"]["[Agent] Session ID"] for event in sink.events}
    agents = {event["event_properties"]["[Agent] Agent ID"] for event in sink.events}
    assert len(sessions) == 1
    assert agents == {"weather"}
