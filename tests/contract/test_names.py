"""Names can be imported from where the specification imports them, `amplitude_ai` being replaced.

What it shows beyond the examples in this directory:

| part | where |
|---|---|
| providers other than OpenAI | to come |
| LangChain, LlamaIndex, OpenAI Agents, Anthropic's tool loop, CrewAI, Claude Agent SDK, managed agents | to come |
| OpenTelemetry, in and out | to come |
| `register-catalog`, the MCP server | to come |
| `enable_live_price_updates()` | asks a server on the internet; its tests are those of prices |
| Presidio | any function of a text: `test_privacy` |
| Session Evaluation, Topic Classification, scores by rubric | made by the server |
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest

ROOT = "amplitude_ai_integrations"
NAMES = {
    "": "AIConfig AmplitudeAI Anthropic AsyncOpenAI AzureOpenAI Bedrock ContentMode EvidenceQuote Gemini MessageLabel "
    "Mistral MockAmplitudeAI OpenAI "
    "RubricScore SessionEnrichments TopicClassification enable_live_price_updates observe patch patch_anthropic "
    "patch_async_openai patch_azure_openai patch_gemini patch_mistral patch_openai tool unpatch wrap",
    ".client": "AmplitudeAI BoundAgent Session TenantHandle",
    ".config": "AIConfig ContentMode",
    ".context": "SessionContext",
    ".exceptions": "AmplitudeAIError ValidationError",
    ".middleware": "AmplitudeAIMiddleware",
    ".patching": "patch patch_anthropic patch_async_openai patch_azure_openai patch_gemini patch_mistral patch_openai "
    "unpatch unpatch_openai",
    ".providers.bedrock": "Bedrock",
    ".propagation": "extract_context inject_context",
    ".testing": "MockAmplitudeAI",
    ".wrappers": "wrap",
}
TO_COME = {
    "": "AmplitudeLlamaIndexHandler create_amplitude_callback",
}
MODULES_TO_COME = (".frameworks",)


def _each(names: dict[str, str]) -> list[tuple[str, str]]:
    return [(module, name) for module, text in names.items() for name in text.split()]


@pytest.mark.parametrize(("module", "name"), _each(NAMES))
def test_a_name_is_where_the_specification_has_it(module: str, name: str) -> None:
    assert callable(getattr(import_module(ROOT + module), name))


def test_what_is_said_to_come_has_not_come() -> None:
    come = [name for module, name in _each(TO_COME) if hasattr(import_module(ROOT + module), name)]
    come += [module for module in MODULES_TO_COME if find_spec(ROOT + module) is not None]
    assert come == [], "move it to NAMES, and write its examples"
