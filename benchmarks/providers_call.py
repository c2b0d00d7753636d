"""An observed call over the bare call for every vendor but OpenAI, whole and streamed in 20 pieces."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from benchmarks.measure import compare
from benchmarks.openai_call import WORDS, process
from benchmarks.silence import ai

CALLS = 30
MESSAGES: Any = [{"role": "user", "content": "hello"}]
LONG: Any = [{"role": "user", "content": f"echo:{WORDS}"}]


class Vendor(NamedTuple):
    """A vendor's client, bare and observed, and how to call either."""

    bare: Any
    observed: Any
    whole: Callable[[Any], object]
    streamed: Callable[[Any], Any]


def anthropic(address: str) -> Vendor:
    import anthropic as vendor

    from amplitude_ai_integrations.providers.anthropic import Anthropic

    options: Any = {"api_key": "k", "base_url": address, "max_retries": 0}
    asked: Any = {"model": "claude-sonnet-4-20250514", "max_tokens": 1024}
    return Vendor(
        vendor.Anthropic(**options),
        Anthropic(amplitude=ai, **options),
        lambda client: client.messages.create(messages=MESSAGES, **asked),
        lambda client: client.messages.create(messages=LONG, stream=True, **asked),
    )


def azure(address: str) -> Vendor:
    import openai

    from amplitude_ai_integrations.providers.openai import AzureOpenAI

    options: Any = {"api_key": "k", "azure_endpoint": address, "api_version": "2024-10-21", "max_retries": 0}
    return Vendor(
        openai.AzureOpenAI(**options),
        AzureOpenAI(amplitude=ai, **options),
        lambda client: client.chat.completions.create(model="gpt-4o", messages=MESSAGES),
        lambda client: client.chat.completions.create(model="gpt-4o", messages=LONG, stream=True),
    )


def gemini(address: str) -> Vendor:
    from google import genai

    from amplitude_ai_integrations import wrap

    def client() -> Any:
        return genai.Client(api_key="k", http_options={"base_url": address})

    asked: Any = {"model": "gemini-2.5-flash"}
    return Vendor(
        client(),
        wrap(client(), ai),
        lambda client: client.models.generate_content(contents="hello", **asked),
        lambda client: client.models.generate_content_stream(contents=f"echo:{WORDS}", **asked),
    )


def mistral(address: str) -> Vendor:
    from amplitude_ai_integrations.providers.mistral import Mistral

    bare: Any = next(kind for kind in Mistral.__mro__ if kind.__module__.startswith("mistralai"))
    options: Any = {"api_key": "k", "server_url": address}
    asked: Any = {"model": "mistral-small-latest"}
    return Vendor(
        bare(**options),
        Mistral(amplitude=ai, **options),
        lambda client: client.chat.complete(messages=MESSAGES, **asked),
        lambda client: client.chat.stream(messages=LONG, **asked),
    )


def bedrock(address: str) -> Vendor:
    import boto3

    from amplitude_ai_integrations import wrap

    keys: Any = {"aws_access_key_id": "k", "aws_secret_access_key": "k", "region_name": "us-east-1"}

    def client() -> Any:
        return boto3.client("bedrock-runtime", endpoint_url=address, **keys)

    def said(words: str) -> Any:
        messages = [{"role": "user", "content": [{"text": words}]}]
        return {"modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0", "messages": messages}

    return Vendor(
        client(),
        wrap(client(), ai),
        lambda client: client.converse(**said("hello")),
        lambda client: client.converse_stream(**said(f"echo:{WORDS}"))["stream"],
    )


VENDORS: dict[str, Callable[[str], Vendor]] = {
    "Anthropic": anthropic,
    "Azure OpenAI": azure,
    "Gemini": gemini,
    "Mistral": mistral,
    "Bedrock": bedrock,
}


def serve(pipe: Connection) -> None:
    """Be all the models."""
    from tests.fakes.anthropic_server import AnthropicServer
    from tests.fakes.azure_server import AzureServer
    from tests.fakes.bedrock_server import BedrockServer
    from tests.fakes.gemini_server import GeminiServer
    from tests.fakes.mistral_server import MistralServer

    servers = [AnthropicServer(), AzureServer(), GeminiServer(), MistralServer(), BedrockServer()]
    pipe.send([server.address for server in servers])
    pipe.recv()
    for server in servers:
        server.stop()


def repeating(call: Callable[[Any], object], client: Any) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in range(count):
            call(client)

    return run


def reading(call: Callable[[Any], Any], client: Any) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in range(count):
            for _chunk in call(client):
                pass

    return run


def main() -> None:
    with process(serve) as pipe, ai.agent("bench").session("bench", user_id="user-1"):
        for (name, vendor), address in zip(VENDORS.items(), pipe.recv(), strict=True):
            bare, observed, whole, streamed = vendor(address)
            ways = {"bare client": bare, "observed client": observed}
            compare(
                f"{name}, a whole answer",
                {way: repeating(whole, client) for way, client in ways.items()},
                CALLS,
            )
            compare(
                f"{name}, an answer streamed in 20 pieces",
                {way: reading(streamed, client) for way, client in ways.items()},
                CALLS,
            )


if __name__ == "__main__":
    main()
