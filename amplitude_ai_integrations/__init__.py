"""Agent analytics: every turn of every AI agent as a correct ``[Agent]`` event.

Names are imported when they are first used, so that importing this package imports no vendor.

PYTEST_DONT_REWRITE: the plugin may be loaded after the package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .client import (
        AmplitudeAI,
        BoundAgent,
        Session,
        TenantHandle,
        current_session,
        is_serverless,
        track_conversation,
    )
    from .client.decorators import observe, tool
    from .client.tracker import ToolCallTracker
    from .config import AIConfig, ContentMode, PrivacyConfig, TurnCounter
    from .context.threads import keep_session
    from .delivery.sinks import ConsoleSink, MemorySink, Sink
    from .exceptions import (
        AmplitudeAIError,
        AmplitudeAIWrapError,
        ConfigurationError,
        CostCalculationError,
        ProviderError,
        ValidationError,
    )
    from .frameworks.langchain import AmplitudeCallbackHandler, create_amplitude_callback
    from .frameworks.llamaindex import AmplitudeLlamaIndexHandler, create_amplitude_llamaindex_handler
    from .patching import (
        patch,
        patch_anthropic,
        patch_async_openai,
        patch_azure_openai,
        patch_bedrock,
        patch_gemini,
        patch_mistral,
        patch_openai,
        unpatch,
        unpatch_anthropic,
        unpatch_async_openai,
        unpatch_azure_openai,
        unpatch_bedrock,
        unpatch_gemini,
        unpatch_mistral,
        unpatch_openai,
    )
    from .pricing import (
        calculate_cost,
        enable_live_price_updates,
        infer_provider,
        strip_provider_prefix,
    )
    from .propagation import extract_context, inject_context
    from .providers.anthropic import Anthropic, AsyncAnthropic
    from .providers.bedrock import Bedrock
    from .providers.gemini import Gemini
    from .providers.mistral import Mistral
    from .providers.openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
    from .schema.enrichments import (
        EvidenceQuote,
        MessageLabel,
        RubricScore,
        SessionEnrichments,
        TopicClassification,
    )
    from .testing.mock import MockAmplitudeAI
    from .wrappers import wrap

_MODULES = {
    "client": (
        "AmplitudeAI",
        "BoundAgent",
        "Session",
        "TenantHandle",
        "current_session",
        "is_serverless",
        "track_conversation",
    ),
    "client.decorators": ("observe", "tool"),
    "client.tracker": ("ToolCallTracker",),
    "config": ("AIConfig", "ContentMode", "PrivacyConfig", "TurnCounter"),
    "context.threads": ("keep_session",),
    "delivery.sinks": ("ConsoleSink", "MemorySink", "Sink"),
    "exceptions": (
        "AmplitudeAIError",
        "AmplitudeAIWrapError",
        "ConfigurationError",
        "CostCalculationError",
        "ProviderError",
        "ValidationError",
    ),
    "frameworks.langchain": ("AmplitudeCallbackHandler", "create_amplitude_callback"),
    "frameworks.llamaindex": ("AmplitudeLlamaIndexHandler", "create_amplitude_llamaindex_handler"),
    "patching": (
        "patch",
        "patch_anthropic",
        "patch_async_openai",
        "patch_azure_openai",
        "patch_bedrock",
        "patch_gemini",
        "patch_mistral",
        "patch_openai",
        "unpatch",
        "unpatch_anthropic",
        "unpatch_async_openai",
        "unpatch_azure_openai",
        "unpatch_bedrock",
        "unpatch_gemini",
        "unpatch_mistral",
        "unpatch_openai",
    ),
    "pricing": (
        "calculate_cost",
        "enable_live_price_updates",
        "infer_provider",
        "strip_provider_prefix",
    ),
    "propagation": ("extract_context", "inject_context"),
    "providers.anthropic": ("Anthropic", "AsyncAnthropic"),
    "providers.bedrock": ("Bedrock",),
    "providers.gemini": ("Gemini",),
    "providers.mistral": ("Mistral",),
    "providers.openai": ("AsyncAzureOpenAI", "AsyncOpenAI", "AzureOpenAI", "OpenAI"),
    "schema.enrichments": (
        "EvidenceQuote",
        "MessageLabel",
        "RubricScore",
        "SessionEnrichments",
        "TopicClassification",
    ),
    "testing.mock": ("MockAmplitudeAI",),
    "wrappers": ("wrap",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AIConfig",
    "AmplitudeAI",
    "AmplitudeAIError",
    "AmplitudeAIWrapError",
    "AmplitudeCallbackHandler",
    "AmplitudeLlamaIndexHandler",
    "Anthropic",
    "AsyncAnthropic",
    "AsyncAzureOpenAI",
    "AsyncOpenAI",
    "AzureOpenAI",
    "Bedrock",
    "BoundAgent",
    "ConfigurationError",
    "ConsoleSink",
    "ContentMode",
    "CostCalculationError",
    "EvidenceQuote",
    "Gemini",
    "MemorySink",
    "MessageLabel",
    "Mistral",
    "MockAmplitudeAI",
    "OpenAI",
    "PrivacyConfig",
    "ProviderError",
    "RubricScore",
    "Session",
    "SessionEnrichments",
    "Sink",
    "TenantHandle",
    "ToolCallTracker",
    "TopicClassification",
    "TurnCounter",
    "ValidationError",
    "__version__",
    "calculate_cost",
    "create_amplitude_callback",
    "create_amplitude_llamaindex_handler",
    "current_session",
    "enable_live_price_updates",
    "extract_context",
    "infer_provider",
    "inject_context",
    "is_serverless",
    "keep_session",
    "observe",
    "patch",
    "patch_anthropic",
    "patch_async_openai",
    "patch_azure_openai",
    "patch_bedrock",
    "patch_gemini",
    "patch_mistral",
    "patch_openai",
    "strip_provider_prefix",
    "tool",
    "track_conversation",
    "unpatch",
    "unpatch_anthropic",
    "unpatch_async_openai",
    "unpatch_azure_openai",
    "unpatch_bedrock",
    "unpatch_gemini",
    "unpatch_mistral",
    "unpatch_openai",
    "wrap",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
