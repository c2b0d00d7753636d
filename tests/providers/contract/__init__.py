"""The contract of every observed call: each provider is held to the same tests, by its description."""

from __future__ import annotations

from .anthropic import ANTHROPIC
from .azure import AZURE
from .bedrock import BEDROCK
from .gemini import GEMINI
from .mistral import MISTRAL
from .openai import OPENAI
from .provider import Provider

_ALL: tuple[Provider, ...] = (OPENAI, AZURE, ANTHROPIC, GEMINI, MISTRAL, BEDROCK)
PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in _ALL}
