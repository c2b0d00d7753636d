"""A conversation that passes between Python and Node, in both directions, over the headers of both packages."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, current_session
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.outgoing import propagate_httpx
from tests.conftest import running
from tests.web.reading import AGENT, Expected, told

SERVICE = Path(__file__).parent / "service.mjs"


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    """The service in Node."""
    program = shutil.which("node")
    assert program, "these tests need Node 18 or newer on the PATH"
    with subprocess.Popen([program, SERVICE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdecimal(), "the service did not start"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def searcher() -> Iterator[tuple[str, MemorySink]]:
    """A service in Python that trusts the one in Node."""
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))

    async def search(_request: Request) -> PlainTextResponse:
        current_session().track_ai_message("you said hello", "gpt-4o-mini", "openai", 5.0)
        return PlainTextResponse("found")

    app = Starlette(routes=[Route("/search", search)])
    app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, agent_id="searcher")
    with running(app) as url:
        yield url, sink


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with propagate_httpx(httpx.Client()) as client:
        yield client


@pytest.fixture
def thread() -> str:
    return f"thread-{uuid.uuid4()}"


def get(client: httpx.Client, url: str, **query: str) -> Any:
    response = client.get(url, params=query)
    assert response.status_code == 200
    return response.json()


def test_node_reads_what_python_sends(ai: AmplitudeAI, client: httpx.Client, node: str, thread: str) -> None:
    with ai.agent(AGENT, parent_agent_id="front").session(thread, user_id="ada") as session:
        arrived = get(client, node + "/told")
    names = {name for name in arrived.pop("all") if name.startswith(("trace", "x-"))}
    assert arrived == {
        "traceId": session.trace_id.replace("-", ""),
        "sessionId": thread,
        "agentId": AGENT,
        "parentAgentId": "front",
    }
    assert names == {
        "traceparent",
        "x-amplitude-session-id",
        "x-amplitude-agent-id",
        "x-amplitude-parent-agent-id",
    }


def test_python_goes_on_with_what_node_began(
    client: httpx.Client, node: str, searcher: tuple[str, MemorySink], thread: str
) -> None:
    url, sink = searcher
    sink.events.clear()
    answered = get(client, node + "/asks", to=url + "/search", session=thread)
    assert (answered["status"], answered["body"]) == (200, "found")
    (event,) = sink.events
    assert event["event_properties"]["[Agent] Trace ID"] == str(uuid.UUID(answered["context"]["traceId"]))
    expected = Expected(thread, trace=1).saying(agent_id="searcher", parent_agent_id="node-planner")
    assert told(sink) == [expected.answer("you said hello")]


def test_one_conversation_from_python_through_node_to_python(
    client: httpx.Client, node: str, searcher: tuple[str, MemorySink], thread: str
) -> None:
    url, sink = searcher
    sink.events.clear()
    with (
        AmplitudeAI(sink=sink).agent(AGENT).session(thread, user_id="ada", track_session_end=False) as session
    ):
        session.track_user_message("hello")
        assert get(client, node + "/passes", to=url + "/search")["body"] == "found"
    expected = Expected(thread, trace=1).of_user("ada")
    question = expected.question("hello")
    expected.around = {"device_id": "of the session"}
    expected.saying(agent_id="searcher", parent_agent_id="node-middle")
    assert told(sink) == [question, expected.answer("you said hello")]
