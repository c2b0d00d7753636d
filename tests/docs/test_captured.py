"""The table of what is captured is true of what the vendors' fakes report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.anthropic import Anthropic
from amplitude_ai_integrations.providers.bedrock import Bedrock
from amplitude_ai_integrations.providers.gemini import Gemini
from amplitude_ai_integrations.providers.mistral import Mistral
from amplitude_ai_integrations.providers.openai import OpenAI
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.bedrock_server import BedrockServer, arguments
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.mistral_server import MistralServer
from tests.fakes.model_server import ModelServer
from tests.fakes.openai_server import OpenAIServer
from tests.providers.expected import fields

from .blocks import ROOT

FACTS = {
    "words asked and answered, tool calls and results": "llm_message",
    "system prompt, tool definitions, temperature, top-p, token limit": "system_prompt",
    "time to the first piece of a stream": "ttfb_ms",
    "finish reason, as the vendor says it": "finish_reason",
    "request id": "provider_request_id",
    "reasoning text": "reasoning_content",
    "reasoning tokens": "reasoning_tokens",
    "tokens read from a cache": "cache_read_tokens",
    "tokens written to a cache": "cache_creation_tokens",
    "embeddings": "embedding_dimensions",
}
SYSTEM = "Be brief."
SAID = {"role": "user", "content": "think Hi"}


def _openai(ai: AmplitudeAI, fake: Any) -> None:
    client = OpenAI(amplitude=ai, api_key="k", base_url=fake.url)
    messages: Any = [{"role": "system", "content": SYSTEM}, SAID]
    asked: Any = {"stream": True, "stream_options": {"include_usage": True}}
    assert [*client.chat.completions.create(model="gpt-4o-mini", messages=messages, **asked)]
    client.embeddings.create(model="text-embedding-3-small", input="Hi")
    client.close()


def _anthropic(ai: AmplitudeAI, fake: Any) -> None:
    client = Anthropic(amplitude=ai, api_key="k", base_url=fake.address)
    given: Any = {"model": "claude-sonnet-4-20250514", "max_tokens": 99, "system": SYSTEM}
    assert [*client.messages.create(**given, messages=[SAID], stream=True)]
    client.close()


def _gemini(ai: AmplitudeAI, fake: Any) -> None:
    client = Gemini(amplitude=ai, api_key="k", http_options={"base_url": fake.address})
    assert [*client.generate_content("think Hi", config={"system_instruction": SYSTEM}, stream=True)]
    client.models.embed_content(model="gemini-embedding-001", contents="Hi")
    client.close()


def _mistral(ai: AmplitudeAI, fake: Any) -> None:
    with Mistral(amplitude=ai, api_key="k", server_url=fake.address) as client:
        messages: Any = [{"role": "system", "content": SYSTEM}, SAID]
        assert [*client.chat.stream(model="mistral-large-latest", messages=messages)]
        client.embeddings.create(model="mistral-embed", inputs=["Hi"])


def _bedrock(ai: AmplitudeAI, fake: Any) -> None:
    client = Bedrock(amplitude=ai, **arguments(fake))
    given = {"system": [{"text": SYSTEM}], "messages": [{"role": "user", "content": [{"text": "think Hi"}]}]}
    assert [*client.converse_stream(modelId="anthropic.claude-3-5-sonnet-20240620-v1:0", **given)["stream"]]
    vectors = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body='{"inputText": "Hi"}')
    assert vectors["body"].read()
    client.close()


VENDORS: dict[str, tuple[type[ModelServer], Callable[[AmplitudeAI, Any], None]]] = {
    "OpenAI, Azure": (OpenAIServer, _openai),
    "Anthropic": (AnthropicServer, _anthropic),
    "Gemini": (GeminiServer, _gemini),
    "Mistral": (MistralServer, _mistral),
    "Bedrock": (BedrockServer, _bedrock),
}
# OpenAI reports it since its clients' third major only, and the fake speaks as older ones.
NOT_SHOWN = {("OpenAI, Azure", "tokens written to a cache")}


def _table() -> dict[str, dict[str, bool]]:
    text = (ROOT / "docs/providers.md").read_text().partition("## What is captured")[2]
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    head, *rows = [[cell.strip() for cell in line] for line in lines]
    return {
        row[0]: {vendor: cell == "yes" for vendor, cell in zip(head[1:], row[1:], strict=True)}
        for row in rows
    }


def test_the_table_tells_of_all_facts_and_vendors() -> None:
    table = _table()
    assert [*table] == [*FACTS]
    assert all([*row] == [*VENDORS] for row in table.values())


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_captured(vendor: str, ai: AmplitudeAI, sink: MemorySink) -> None:
    kind, use = VENDORS[vendor]
    fake = kind()
    try:
        use(ai, fake)
    finally:
        fake.stop()
    seen = {name for event in sink for name, value in fields(event).items() if value is not None}
    for fact, row in _table().items():
        if (vendor, fact) not in NOT_SHOWN:
            assert (FACTS[fact] in seen) == row[vendor], fact
