"""Names of gateways, regions and deployments lead to the price that is charged there, or to none."""

from __future__ import annotations

import pytest
from genai_prices import Usage, calc_price

from amplitude_ai_integrations.pricing import calculate_cost, infer_provider, strip_provider_prefix
from amplitude_ai_integrations.pricing.names import candidates

SONNET = "claude-sonnet-4-20250514"
ON_BEDROCK = f"us.anthropic.{SONNET}-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012"
LLAMA = "accounts/fireworks/models/llama-v3p1-8b-instruct"


@pytest.mark.parametrize(
    ("model", "provider", "seller", "listed"),
    [
        # Bare names, however they are written.
        ("gpt-4o", None, "openai", "gpt-4o"),
        (" GPT-4o ", None, "openai", "gpt-4o"),
        ("gpt-4o:extended", None, "openai", "gpt-4o:extended"),
        ("text-embedding-3-small", None, "openai", "text-embedding-3-small"),
        ("sonar-pro", None, "perplexity", "sonar-pro"),
        ("grok-4", None, "x-ai", "grok-4"),
        ("mistral-large-latest", None, "mistral", "mistral-large-latest"),
        ("deepseek-chat", None, "deepseek", "deepseek-chat"),
        ("claude-3.7-sonnet:thinking", None, "anthropic", "claude-3.7-sonnet"),
        # Sellers before the name.
        ("openai/gpt-4o", None, "openai", "gpt-4o"),
        ("openai:gpt-4o", None, "openai", "gpt-4o"),
        ("azure/gpt-4o", None, "azure", "gpt-4o"),
        ("azure/eu/gpt-4o", None, "azure", "gpt-4o"),
        ("xai/grok-4", None, "x-ai", "grok-4"),
        ("gemini/gemini-2.5-pro", None, "google", "gemini-2.5-pro"),
        ("groq/llama-3.1-8b-instant", None, "groq", "llama-3.1-8b-instant"),
        ("litellm/groq/openai/gpt-oss-120b", None, "groq", "openai/gpt-oss-120b"),
        ("openrouter/anthropic/claude-3.5-sonnet", None, "openrouter", "anthropic/claude-3.5-sonnet"),
        ("anthropic/claude-3.5-sonnet", "openrouter", "openrouter", "anthropic/claude-3.5-sonnet"),
        ("company-gateway/gpt-4o", None, "openai", "gpt-4o"),
        # Google's paths.
        ("models/gemini-2.0-flash", None, "google", "gemini-2.0-flash"),
        ("publishers/google/models/gemini-2.5-pro", None, "google", "gemini-2.5-pro"),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", None, "google", "gemini-2.5-pro"),
        ("claude-sonnet-4@20250514", None, "anthropic", SONNET),
        ("claude-opus-4@20250514", None, "anthropic", "claude-opus-4-20250514"),
        ("vertex_ai/claude-sonnet-4@20250514", None, "google", "claude-sonnet-4@20250514"),
        # Regions and resources of Bedrock.
        (ON_BEDROCK, None, "aws", ON_BEDROCK),
        (f"bedrock/{ON_BEDROCK}", None, "aws", ON_BEDROCK),
        (f"bedrock/converse/{ON_BEDROCK}", None, "aws", ON_BEDROCK),
        (f"bedrock:{ON_BEDROCK}", None, "aws", ON_BEDROCK),
        (f"{ARN}:inference-profile/{ON_BEDROCK}", None, "aws", ON_BEDROCK),
        (f"{ARN}:foundation-model/amazon.nova-lite-v1:0", None, "aws", "amazon.nova-lite-v1:0"),
        ("us.amazon.nova-lite-v1:0", None, "aws", "us.amazon.nova-lite-v1:0"),
        ("anthropic.claude-v2:1", None, "anthropic", "claude-v2"),
        # Fireworks.
        (LLAMA, None, "fireworks", LLAMA),
        ("fireworks_ai/llama-v3p1-8b-instruct", None, "fireworks", LLAMA),
        # Deployments of Azure.
        ("prod-gpt-4o-mini-eu", "azure", "openai", "gpt-4o-mini"),
        ("gpt4o", "azure-openai", "openai", "gpt-4o"),
        ("gpt_4o_blue", "azure_openai", "openai", "gpt-4o"),
        ("gpt-35-turbo-prod", "azure", "openai", "gpt-35-turbo"),
        ("team-text-embedding-3-small", "azure", "azure", "text-embedding-3-small"),
        # Fine-tunes, where the list knows them.
        ("ft:gpt-4o-mini-2024-07-18:org::id", None, "openai", "ft:gpt-4o-mini-2024-07-18"),
        # Labels of providers.
        (ON_BEDROCK, "aws.bedrock", "aws", ON_BEDROCK),
        (SONNET, "bedrock", "aws", SONNET),
        ("gemini-2.5-pro", "gcp.vertex_ai", "google", "gemini-2.5-pro"),
        ("gemini-2.5-pro", "gemini", "google", "gemini-2.5-pro"),
        ("mistral-large-latest", "mistral_ai", "mistral", "mistral-large-latest"),
        ("grok-4", "x_ai", "x-ai", "grok-4"),
        ("command-r-plus", "cohere", "cohere", "command-r-plus"),
        # The provider does not know the model, its maker does.
        ("gpt-4o", "acme", "openai", "gpt-4o"),
        ("claude-3-5-haiku-latest", "openai", "anthropic", "claude-3-5-haiku-latest"),
        # An OpenAI client that speaks to a gateway.
        ("groq/openai/gpt-oss-120b", "openai", "groq", "openai/gpt-oss-120b"),
    ],
)
def test_a_price_is_found(model: str, provider: str | None, seller: str, listed: str) -> None:
    expected = calc_price(Usage(input_tokens=1_000_000), listed, provider_id=seller).total_price
    assert expected > 0
    assert calculate_cost(model, 1_000_000, 0, provider=provider) == float(expected)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("", None),
        ("/", None),
        ("gpt", None),
        ("gpt-99", None),
        ("gpt-4o-but-mine", None),
        ("my-own-model", None),
        ("my-own-model", "openai"),
        ("llama-custom-v9", None),
        ("llama-custom-v9", "azure"),
        # Another model than the one in its name.
        ("ft:o4-mini-2025-04-16:org::id", "azure"),
        ("deepseek-r1-distill-llama-70b", None),
        ("gpt-4o-mini:online", "openai"),
        ("prod-gpt-4o-audio", "azure"),
        ("gpt-4o-custom", "azure"),
        ("gpt-5-9-prod", "azure"),
        ("my-deployment", "azure"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abcd1234", None),
        # Open weights on a host whose price nobody knows.
        ("deepseek-r1:7b", None),
        ("ollama/deepseek-r1", None),
        ("gpt-4o", "ollama"),
        ("deepseek-ai/DeepSeek-R1", None),
        ("deepseek-chat", "acme"),
        ("gpt-oss-120b", None),
        ("accounts/acme/models/llama-v3p1-8b-instruct", None),
    ],
)
def test_a_wrong_price_is_worse_than_none(model: str, provider: str | None) -> None:
    assert calculate_cost(model, 1_000, 1_000, provider=provider) is None


def test_a_bedrock_model_that_aws_does_not_list_is_looked_up_with_its_maker() -> None:
    places = list(candidates("us.anthropic.claude-new-1-v1:0", "bedrock"))
    assert places[0] == ("aws", "us.anthropic.claude-new-1-v1:0")
    assert places[-1] == ("anthropic", "claude-new-1")


def test_what_is_offered_for_free_costs_nothing() -> None:
    assert calculate_cost("deepseek/deepseek-r1:free", 1_000, 1_000) == 0


@pytest.mark.parametrize(
    ("model", "provider", "bare"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("openai:gpt-4o", "openai", "gpt-4o"),
        ("openrouter/anthropic/Claude-3.5-Sonnet", "openrouter", "Claude-3.5-Sonnet"),
        ("gpt-4o", "openai", "gpt-4o"),
        ("vertex_ai/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("xai/grok-4", "x-ai", "grok-4"),
        (ON_BEDROCK, "aws", ON_BEDROCK),
        ("together_ai/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("@cf/meta/llama-3.1-8b-instruct", "cloudflare", "meta/llama-3.1-8b-instruct"),
        ("acme/model", None, "acme/model"),
        ("ft:gpt-4o:org::id", None, "ft:gpt-4o:org::id"),
        ("openai/" * 20 + "gpt-4o", "openai", "openai/" * 10 + "gpt-4o"),
        ("", None, ""),
    ],
)
def test_the_seller_is_told_from_the_name(model: str, provider: str | None, bare: str) -> None:
    assert infer_provider(model) == provider
    assert strip_provider_prefix(model) == bare


def test_a_name_that_tells_nothing_gives_the_default() -> None:
    assert infer_provider("my-own-model", "openai") == "openai"
    assert infer_provider("claude-sonnet-4", "openai") == "anthropic"
