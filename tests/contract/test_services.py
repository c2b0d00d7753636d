"""A session that goes on in another service."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.propagation import extract_context, inject_context
from tests.conftest import Serve

from .expected import seen, span


def test_headers_carry_a_session_from_sender_to_receiver(ai: AmplitudeAI, serve: Serve) -> None:
    async def receive(request: Request) -> JSONResponse:
        return JSONResponse(extract_context(request.headers))

    url = serve(Starlette(routes=[Route("/", receive)]))
    with ai.agent("orchestrator").session("s-1", user_id="u1") as s:
        headers = inject_context({"x-mine": "1"})
        assert httpx.get(url, headers=dict(headers)).json() == {
            "trace_id": s.trace_id,
            "session_id": "s-1",
            "agent_id": "orchestrator",
        }
    assert headers["x-mine"] == "1"


@pytest.mark.parametrize("propagates", [True, False])
def test_the_middleware_takes_a_session_over_where_that_is_trusted(
    propagates: bool, sink: MemorySink, serve: Serve
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=propagates))

    async def retrieve(_request: Request) -> JSONResponse:
        ai.track_span(span_name="retrieve", latency_ms=1.0)
        return JSONResponse({})

    app = Starlette(routes=[Route("/", retrieve)])
    app.add_middleware(
        AmplitudeAIMiddleware, amplitude_ai=ai, agent_id="retriever", user_id_resolver=lambda _request: "u1"
    )
    url = serve(app)
    with ai.agent("orchestrator").session("s-1", user_id="u1") as s:
        s.track_span("ask", 1.0)
        httpx.get(url, headers=dict(inject_context()))
    told = {one["Span Name"]: one for one in seen(sink) if one["type"] == "Span"}
    assert told["retrieve"].pop("Span ID") != told["ask"].pop("Span ID")
    shared = {"user_id": "u1", "latency_ms": 1.0, "trace_id": told["ask"]["Trace ID"], "session_id": "s-1"}
    assert told["ask"] == span("ask", agent_id="orchestrator", **shared)
    inherited = span("retrieve", agent_id="retriever", parent_agent_id="orchestrator", **shared)
    if propagates:
        assert told["retrieve"] == inherited
    else:
        assert told["retrieve"]["Session ID"] != "s-1"
        assert told["retrieve"]["Trace ID"] != told["ask"]["Trace ID"]
