"""Names can be imported from where the specification imports them, `amplitude_ai` being replaced.

What it shows beyond the examples in this directory:

| part | where |
|---|---|
| providers other than OpenAI | `tests/providers` |
| LangChain, LlamaIndex, OpenAI Agents, Anthropic's tool loop, CrewAI, Claude Agent SDK, managed agents | `tests/frameworks` |
| OpenTelemetry, in and out | `tests/frameworks` |
| `register-catalog`, the MCP server | to come |
| `enable_live_price_updates()` | asks a server on the internet; its tests are those of prices |
| Presidio | any function of a text: `test_privacy` |
| Session Evaluation, Topic Classification, scores by rubric | made by the server |
"""

from __future__ import annotations

from importlib import import_module

import pytest

ROOT = "amplitude_ai_integrations"
NAMES = {
    "": "AIConfig AmplitudeAI AmplitudeLlamaIndexHandler Anthropic AsyncOpenAI AzureOpenAI Bedrock ContentMode EvidenceQuote Gemini MessageLabel "
    "Mistral MockAmplitudeAI OpenAI "
    "RubricScore SessionEnrichments TopicClassification enable_live_price_updates observe patch patch_anthropic "
    "patch_async_openai patch_azure_openai patch_gemini patch_mistral patch_openai create_amplitude_callback tool unpatch wrap",
    ".client": "AmplitudeAI BoundAgent Session TenantHandle",
    ".config": "AIConfig ContentMode",
    ".context": "SessionContext",
    ".exceptions": "AmplitudeAIError ValidationError",
    ".frameworks.anthropic_tools": "AmplitudeToolLoop",
    ".frameworks.anthropic_managed": "ManagedAgentTracker",
    ".frameworks.claude_agent_sdk": "ClaudeAgentSDKTracker",
    ".frameworks.openai_agents": "AmplitudeTracingProcessor",
    ".frameworks.opentelemetry": "AmplitudeAgentExporter AmplitudeGenAIExporter",
    ".middleware": "AmplitudeAIMiddleware",
    ".patching": "patch patch_anthropic patch_async_openai patch_azure_openai patch_gemini patch_mistral patch_openai "
    "unpatch unpatch_openai",
    ".providers.bedrock": "Bedrock",
    ".propagation": "extract_context inject_context",
    ".testing": "MockAmplitudeAI",
    ".wrappers": "wrap",
}


def _each(names: dict[str, str]) -> list[tuple[str, str]]:
    return [(module, name) for module, text in names.items() for name in text.split()]


@pytest.mark.parametrize(("module", "name"), _each(NAMES))
def test_a_name_is_where_the_specification_has_it(module: str, name: str) -> None:
    assert callable(getattr(import_module(ROOT + module), name))
