"""Who answers at an address: the sellers whose API is OpenAI's, or Anthropic's."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

_SELLERS: Final = {
    "api.cerebras.ai": "cerebras",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.perplexity.ai": "perplexity",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.x.ai": "x-ai",
    "generativelanguage.googleapis.com": "google",
    "openrouter.ai": "openrouter",
}
_OLLAMA_PORT: Final = 11434


def gateway_at(url: Any) -> str | None:
    """Return who answers at a client's base URL, or ``None`` if its host tells nothing."""
    return _seller(url.host, url.port)


@cache
def _seller(host: str, port: int | None) -> str | None:
    if port == _OLLAMA_PORT:
        return "ollama"
    return next((name for known, name in _SELLERS.items() if f".{host}".endswith(f".{known}")), None)
