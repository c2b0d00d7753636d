"""The services in the table of docs/gateways.md, each spoken to as its users do, against its own dialect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd
from amplitude_ai_integrations.pricing.tokens import estimate_tokens
from amplitude_ai_integrations.providers.gateways import gateway_at
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.gateway_server import CACHED, COST, SENT, THOUGHT, WRITTEN, GatewayServer
from ..fakes.openai_server import TEXT
from .expected import Event, answer, seen, user

PAGE = Path(__file__).parents[2] / "docs/gateways.md"
SYSTEM = "Be brief."
COUNTED = {"counted": False, "counted on request": True}
MODELS = {
    "OpenRouter": "openai/gpt-4o-mini",
    "Groq": "llama-3.3-70b-versatile",
    "DeepSeek": "deepseek-chat",
    "xAI": "grok-3-mini",
    "Perplexity": "sonar-pro",
    "Cerebras": "gpt-oss-120b",
    "Fireworks": "accounts/fireworks/models/gpt-oss-120b",
    "Together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "Azure OpenAI, version 1": "gpt-4o-mini",
    "Azure AI Foundry": "gpt-4o-mini",
    "Ollama": "llama3.2",
    "LM Studio": "openai/gpt-oss-20b",
    "vLLM": "Qwen/Qwen3-8B",
    "LiteLLM's proxy": "claude-sonnet-4-20250514",
}


class Row(NamedTuple):
    """One line of the table."""

    name: str
    url: str
    label: str
    is_named: bool
    stream: str
    cost: str

    @property
    def model(self) -> str:
        return MODELS[self.name]

    @property
    def options(self) -> dict[str, Any]:
        """What a client of it is made with; without TLS a proxy can answer in its place."""
        named = {"provider_name": self.label} if self.is_named else {}
        return {"base_url": self.url.replace("https:", "http:"), **named}


def _rows() -> Iterator[Row]:
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and cells[1].startswith("`http"):
            name, url, label, stream, cost = cells
            is_named = label.startswith("`provider_name=")
            yield Row(name, url.strip("`"), label.strip('`"').split('"')[-1], is_named, stream, cost)


ROWS = [*_rows()]
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def _gateways() -> Iterator[GatewayServer]:
    server = GatewayServer()
    yield server
    server.stop()


@pytest.fixture
def gateways(_gateways: GatewayServer) -> Iterator[GatewayServer]:
    yield _gateways
    _gateways.release()


@pytest.fixture(scope="module")
def _proxied(_gateways: GatewayServer) -> Iterator[Any]:
    with openai.DefaultHttpxClient(proxy=_gateways.address) as connections:
        yield connections


@pytest.fixture
def connections(_proxied: Any, gateways: GatewayServer) -> Any:
    """Connections that lead to the gateways, which have forgotten what came before."""
    assert gateways.requests == []
    return _proxied


def client_of(row: Row, ai: AmplitudeAI, connections: Any) -> OpenAI:
    return OpenAI(amplitude=ai, api_key="k", max_retries=0, http_client=connections, **row.options)


def call(client: Any, row: Row, words: str, **more: Any) -> Any:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": words}]
    return client.chat.completions.create(model=row.model, messages=messages, **more)


def expected(row: Row, **changes: Any) -> Event:
    """Return the whole answer of a row, as far as all rows agree."""
    same = answer(model_name=row.model, provider=row.label, model_tier="<tier>", cost_usd="<cost>")
    details: Event = dict.fromkeys(("reasoning_tokens", "cache_read_tokens", "has_reasoning"), "<detail>")
    return {**same, **details, **changes}


def told(row: Row, events: Any) -> list[Event]:
    """Return the answers with what differs from row to row as words."""
    found = [event for event in seen(events) if event["kind"] == "answer"]
    words = {"model_tier": "<tier>", "cost_usd": "<cost>"}
    details = dict.fromkeys(("reasoning_tokens", "cache_read_tokens", "has_reasoning"), "<detail>")
    return [{**event, **words, **details} for event in found]


def test_the_table_is_read() -> None:
    assert [row.name for row in ROWS] == [*MODELS]
    assert {row.stream for row in ROWS} == set(COUNTED)
    assert {row.cost for row in ROWS} == {"as reported", "price list", "none"}


@each
def test_a_whole_answer(
    row: Row, ai: AmplitudeAI, sink: MemorySink, connections: Any, gateways: GatewayServer, session_id: str
) -> None:
    with ai.agent("a").session(session_id, user_id="u"):
        call(client_of(row, ai, connections), row, "Hi")
    (request,) = gateways.requests
    assert request["path"] == f"{row.options['base_url']}/chat/completions"
    events = [event for event in seen(sink) if event["kind"] != "end"]
    assert [event["kind"] for event in events] == ["user", "answer"]
    own = {"agent_id": "a"}
    assert events[0] == user("Hi", **own)
    assert told(row, sink) == [expected(row, **own)]


@each
def test_a_streamed_answer(
    row: Row, ai: AmplitudeAI, sink: MemorySink, connections: Any, gateways: GatewayServer, session_id: str
) -> None:
    asked = {"stream_options": {"include_usage": True}} if COUNTED[row.stream] else {}
    with ai.agent("a").session(session_id, user_id="u"):
        for _chunk in call(client_of(row, ai, connections), row, "Hi", stream=True, **asked):
            pass
    own = {"agent_id": "a", "is_streaming": True, "ttfb_ms": "<ms>"}
    assert told(row, sink) == [expected(row, **own)]


@each
def test_a_stream_that_nobody_counted_is_estimated(
    row: Row, ai: AmplitudeAI, sink: MemorySink, connections: Any, session_id: str
) -> None:
    with ai.agent("a").session(session_id, user_id="u"):
        for _chunk in call(client_of(row, ai, connections), row, "nousage", stream=True):
            pass
    sent, written = estimate_tokens(f"{SYSTEM}\nnousage", row.model), estimate_tokens(TEXT, row.model)
    counts = {"input_tokens": sent, "output_tokens": written, "total_tokens": sent + written}
    own = {"agent_id": "a", "is_streaming": True, "ttfb_ms": "<ms>", "usage_estimated": True, **counts}
    assert told(row, sink) == [expected(row, **own)]


@each
def test_a_stream_is_asked_for_usage_only_where_that_is_safe(
    row: Row, ai: AmplitudeAI, connections: Any, gateways: GatewayServer
) -> None:
    for _chunk in call(client_of(row, ai, connections), row, "Hi", stream=True):
        pass
    (request,) = gateways.requests
    assert ("stream_options" in request["body"]) == (row.name == "Azure OpenAI, version 1")


@pytest.mark.parametrize("is_streaming", [False, True])
@each
def test_the_cost(row: Row, is_streaming: bool, ai: AmplitudeAI, sink: MemorySink, connections: Any) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}} if is_streaming else {}
    returned = call(client_of(row, ai, connections), row, "Hi", **asked)
    assert not is_streaming or [*returned]
    (event,) = [event for event in seen(sink) if event["kind"] == "answer"]
    tokens = Tokens(event["input_tokens"], event["output_tokens"], event.get("cache_read_tokens") or 0)
    listed = cost_usd(row.model, row.label, tokens)
    assert (listed is None) == (row.cost == "none")
    assert event.get("cost_usd") == (COST if row.cost == "as reported" else listed)


@pytest.mark.parametrize("is_streaming", [False, True])
@each
def test_reasoning(row: Row, is_streaming: bool, ai: AmplitudeAI, sink: MemorySink, connections: Any) -> None:
    returned = call(client_of(row, ai, connections), row, "think:Hm", stream=is_streaming)
    assert not is_streaming or [*returned]
    (event,) = [event for event in seen(sink) if event["kind"] == "answer"]
    assert (event["reasoning_content"], event["llm_message"]) == ("Hm", {"text": TEXT})


@each
async def test_an_asynchronous_call(
    row: Row, ai: AmplitudeAI, sink: MemorySink, gateways: GatewayServer, session_id: str
) -> None:
    connections = openai.DefaultAsyncHttpxClient(proxy=gateways.address)
    client = AsyncOpenAI(amplitude=ai, api_key="k", max_retries=0, http_client=connections, **row.options)
    async with client:
        with ai.agent("a").session(session_id, user_id="u"):
            await call(client, row, "Hi")
    assert told(row, sink) == [expected(row, agent_id="a")]


@each
def test_an_error(row: Row, ai: AmplitudeAI, sink: MemorySink, connections: Any) -> None:
    with pytest.raises(openai.InternalServerError):
        call(client_of(row, ai, connections), row, "error503")
    (event,) = [event for event in seen(sink) if event["kind"] == "answer"]
    said = {name: event.get(name) for name in ("provider", "is_error", "error_source", "error_type")}
    assert said == {
        "provider": row.label,
        "is_error": True,
        "error_source": "provider",
        "error_type": "InternalServerError",
    }


CACHE_AND_THOUGHT = {
    "OpenRouter",
    "DeepSeek",
    "xAI",
    "Cerebras",
    "Fireworks",
    "Azure OpenAI, version 1",
    "LiteLLM's proxy",
}


@pytest.mark.parametrize("is_streaming", [False, True])
@each
def test_all_that_a_seller_counts(
    row: Row, is_streaming: bool, ai: AmplitudeAI, sink: MemorySink, connections: Any
) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}} if is_streaming else {}
    returned = call(client_of(row, ai, connections), row, "Hi", **asked)
    assert not is_streaming or [*returned]
    (event,) = [event for event in seen(sink) if event["kind"] == "answer"]
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
    details = [CACHED, THOUGHT] if row.name in CACHE_AND_THOUGHT else [None, None]
    assert [event.get(name) for name in names] == [SENT, WRITTEN, *details]


ADDRESSES = {
    "https://api.openai.com/v1": None,
    "https://eu.api.openai.com/v1": None,
    "https://llm.example.com/v1": None,
    "https://notopenrouter.ai/api/v1": None,
    "https://api.groq.com.example.com/v1": None,
    "http://127.0.0.1:8000/v1": None,
    "https://API.GROQ.COM/openai/v1": "groq",
    "https://eu.openrouter.ai/api/v1": "openrouter",
    "https://api.deepseek.com/anthropic": "deepseek",
    "https://generativelanguage.googleapis.com/v1beta/openai/": "google",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi": "google",
    "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi": "google",
    "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1": "aws",
    "https://bedrock-mantle.eu-west-1.api.aws/v1": "aws",
    "https://acme.cognitiveservices.azure.com/openai/v1": "azure",
    "https://dbc-1.cloud.databricks.com/serving-endpoints": "databricks",
    "http://10.0.0.7:11434/v1": "ollama",
    "http://[::1]:1234/v1": "lm-studio",
}


@pytest.mark.parametrize(("address", "name"), ADDRESSES.items())
def test_who_answers_is_told_by_the_host(address: str, name: str | None) -> None:
    assert gateway_at(openai.OpenAI(api_key="k", base_url=address).base_url) == name
