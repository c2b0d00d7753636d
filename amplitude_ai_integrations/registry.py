"""One table of what we integrate with, and what is observed in this process now."""

from __future__ import annotations

import importlib.util
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Final

from .exceptions import ProviderError

DISTRIBUTION: Final = "amplitude-ai-integrations"


@dataclass(frozen=True)
class Integration:
    """One vendor's package: what to import, what to require of it, and how to install it with us.

    ``extra`` is ``None`` where nothing has to be installed with it. ``clients`` are the classes of which a
    program makes its model clients.
    """

    name: str
    module: str
    requirement: str
    extra: str | None
    clients: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """The name under which it is installed."""
        return self.requirement.partition(">=")[0]

    @property
    def floor(self) -> str:
        """The oldest version that works with us, or an empty text where any does."""
        return self.requirement.partition(">=")[2]

    @property
    def command(self) -> str:
        """The command that installs it with us, or a newer version of it where what is there is too old."""
        if self.extra is None:
            return f"pip install '{self.requirement}'"
        return f"pip install '{DISTRIBUTION}[{self.extra}]'"

    @property
    def is_installed(self) -> bool:
        """Whether the package can be imported; it is not imported to find out."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except (ImportError, ValueError):
            return False

    def missing(self) -> ProviderError:
        """Return the error that says how to install it."""
        return ProviderError(f"{self.name} needs the package {self.requirement}: {self.command}")


PROVIDERS: Final[dict[str, Integration]] = {
    "openai": Integration("OpenAI", "openai", "openai>=1.68", "openai", ("OpenAI", "AsyncOpenAI")),
    "azure": Integration(
        "Azure OpenAI", "openai", "openai>=1.68", "azure", ("AzureOpenAI", "AsyncAzureOpenAI")
    ),
    "anthropic": Integration(
        "Anthropic",
        "anthropic",
        "anthropic>=0.49",
        "anthropic",
        ("Anthropic", "AsyncAnthropic", "AnthropicBedrock", "AnthropicVertex"),
    ),
    "gemini": Integration("Gemini", "google.genai", "google-genai>=1", "gemini", ("Client",)),
    "bedrock": Integration("Bedrock", "boto3", "boto3>=1.34.116", "bedrock"),
    "mistral": Integration("Mistral", "mistralai", "mistralai>=1.1", "mistral", ("Mistral",)),
}
WEB: Final = (
    Integration("FastAPI", "fastapi", "fastapi>=0.115.12", "fastapi"),
    Integration("Starlette", "starlette", "starlette", None),
    Integration("Litestar", "litestar", "litestar", None),
    Integration("Quart", "quart", "quart", None),
    Integration("Django", "django", "django>=4.2", "django"),
    Integration("Flask", "flask", "flask>=3.0", "flask"),
)
WORKERS: Final = (
    Integration("Celery", "celery", "celery>=5.3", "celery"),
    Integration("Dramatiq", "dramatiq", "dramatiq>=1.17", "dramatiq"),
)
AGENT_FRAMEWORKS: Final = {
    "langchain": Integration("LangChain", "langchain_core", "langchain-core>=0.3", "langchain"),
    "llamaindex": Integration("LlamaIndex", "llama_index.core", "llama-index-core>=0.12", "llamaindex"),
    "openai_agents": Integration("OpenAI Agents", "agents", "openai-agents>=0.1", "openai-agents"),
    "crewai": Integration("CrewAI", "crewai", "crewai>=1.10", "crewai"),
    "claude_agent_sdk": Integration(
        "Claude Agent SDK", "claude_agent_sdk", "claude-agent-sdk>=0.1", "claude-agent-sdk"
    ),
    "opentelemetry": Integration("OpenTelemetry", "opentelemetry.sdk", "opentelemetry-sdk>=1.27", "otel"),
    "mcp": Integration("MCP", "mcp", "mcp>=1.2", "mcp"),
}
HELPERS: Final = (Integration("tiktoken", "tiktoken", "tiktoken>=0.7", "tokens"),)
INTEGRATIONS: Final = (*PROVIDERS.values(), *WEB, *WORKERS, *AGENT_FRAMEWORKS.values(), *HELPERS)

_lock = threading.RLock()
_observed: Counter[str] = Counter()


def note_observed(name: str) -> None:
    """Record that a client of this provider is observed in this process."""
    with _lock:
        _observed[name] += 1


def forget_observed(name: str) -> None:
    """Record that clients of this provider are no longer observed."""
    with _lock:
        _observed[name] -= 1
        if not _observed[name]:
            del _observed[name]


def observed() -> list[str]:
    """Return the providers of which a client is observed, by name."""
    return sorted(_observed)


def installed() -> list[str]:
    """Return the providers whose packages are installed, by name."""
    return sorted(name for name, integration in PROVIDERS.items() if integration.is_installed)
