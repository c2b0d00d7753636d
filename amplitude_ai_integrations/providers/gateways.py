"""Who answers at an address: the sellers whose API is OpenAI's, or Anthropic's."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

_HOSTS: Final = {
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cloudflare.com": "cloudflare",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepinfra.com": "deepinfra",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.minimax.io": "minimax",
    "api.minimaxi.com": "minimax",
    "api.mistral.ai": "mistral",
    "api.moonshot.ai": "moonshotai",
    "api.moonshot.cn": "moonshotai",
    "api.novita.ai": "novita",
    "api.perplexity.ai": "perplexity",
    "api.sambanova.ai": "sambanova",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.x.ai": "x-ai",
    "api.z.ai": "zai",
    "azure-api.net": "azure",
    "azuredatabricks.net": "databricks",
    "cloud.databricks.com": "databricks",
    "cognitiveservices.azure.com": "azure",
    "googleapis.com": "google",
    "inference.ai.azure.com": "azure",
    "integrate.api.nvidia.com": "nvidia",
    "models.ai.azure.com": "azure",
    "ollama.com": "ollama",
    "open.bigmodel.cn": "zhipuai",
    "openai.azure.com": "azure",
    "openrouter.ai": "openrouter",
    "router.huggingface.co": "huggingface",
    "services.ai.azure.com": "azure",
}
# bedrock-runtime.us-east-1.amazonaws.com, bedrock-mantle.us-east-1.api.aws
_BEDROCK: Final = ("bedrock-runtime.", "bedrock-runtime-fips.", "bedrock-mantle.")
# Of servers that people run themselves, these two have a port of their own.
_PORTS: Final = {11434: "ollama", 1234: "lm-studio"}


def gateway_at(url: Any) -> str | None:
    """Return who answers at a client's base URL, or ``None`` if its host tells nothing."""
    return _seller(url.host, url.port)


@cache
def _seller(host: str, port: int | None) -> str | None:
    if host.startswith(_BEDROCK):
        return "aws"
    named = next((name for known, name in _HOSTS.items() if f".{host}".endswith(f".{known}")), None)
    return named or (_PORTS.get(port) if port is not None else None)
