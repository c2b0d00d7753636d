"""The classes of which model clients are made: ours, and all those of the vendors."""

from __future__ import annotations

from typing import Final

from ...registry import PROVIDERS

# By our classes' names, the packages whose calls their clients make.
OURS: Final = {
    "OpenAI": "openai",
    "AsyncOpenAI": "openai",
    "AzureOpenAI": "openai",
    "AsyncAzureOpenAI": "openai",
    "Anthropic": "anthropic",
    "AsyncAnthropic": "anthropic",
    "Gemini": "google.genai",
    "Mistral": "mistralai",
    "Bedrock": "boto3",
}
_CLOUDS: Final = ("Bedrock", "BedrockMantle", "Vertex", "Foundry", "AWS", "GoogleCloud")
# By provider, the vendors' classes of clients; those that are made of others are observed as these are.
VENDORS: Final = {
    **{provider: known.clients for provider, known in PROVIDERS.items()},
    "openai": (*PROVIDERS["openai"].clients, "BedrockOpenAI", "AsyncBedrockOpenAI"),
    "anthropic": tuple(f"{form}Anthropic{cloud}" for form in ("", "Async") for cloud in ("", *_CLOUDS)),
}
BEDROCK: Final = "bedrock-runtime"  # boto3 makes its clients by their names
LITELLM: Final = "litellm"
LITELLM_DOOR: Final = "AmplitudeLiteLLM"
