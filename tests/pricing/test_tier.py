"""Each family of models in its tier, and words that only look alike in none of theirs."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations.pricing.tier import model_tier

TIERS = {
    "fast": """
        gpt-4o-mini gpt-4o-mini-2024-07-18 gpt-4.1-mini gpt-4.1-nano gpt-5-mini gpt-5-nano gpt-3.5-turbo gpt-35-turbo
        gpt-4o-mini-realtime-preview ft:gpt-4o-mini-2024-07-18:org::id azure/prod-gpt-4o-mini-eu
        claude-3-haiku-20240307 claude-3-5-haiku-latest claude-3.5-haiku claude-haiku-4-5 claude-instant-1.2
        us.anthropic.claude-3-5-haiku-20241022-v1:0 openrouter/anthropic/claude-3.5-haiku claude-haiku-4-5@20251001
        gemini-1.5-flash gemini-2.0-flash-lite gemini-2.5-flash models/gemini-2.5-flash gemini-1.5-flash-8b gemini-nano
        publishers/google/models/gemini-2.5-flash-lite gemma-2-9b-it gemma-3-4b-it gemma-3n-e4b-it gemma-3-270m
        mistral-small-latest mistral-tiny ministral-3b ministral-8b-2410 open-mistral-7b devstral-small voxtral-mini
        llama-3.1-8b-instant llama-3.2-3b Llama-3.2-1B-Instruct llama3.2:3b meta.llama3-1-8b-instruct-v1:0
        deepseek-v4-flash qwen2.5-7b-instruct qwen2.5-0.5b qwen-turbo qwen-flash
        grok-3-mini grok-4-fast grok-4-fast-non-reasoning grok-code-fast-1 command-r7b-12-2024 command-light
        amazon.nova-micro-v1:0 us.amazon.nova-lite-v1:0 phi-3-mini-128k-instruct phi-4-mini-instruct glm-4.5-air
        jamba-mini text-embedding-3-small
    """,
    "standard": """
        gpt-4o gpt-4o-2024-08-06 chatgpt-4o-latest gpt-4 gpt-4-turbo gpt-4.1 gpt-5 gpt-5-pro gpt-5.1-codex gpt-oss-120b
        claude-3-5-sonnet-20241022 claude-sonnet-4-20250514 claude-opus-4-1 claude-3-opus-20240229 claude-sonnet-4@20250514
        anthropic.claude-3-sonnet-20240229-v1:0 gemini-1.5-pro gemini-2.5-pro gemini-pro gemma-2-27b-it
        mistral-large-latest mistral-medium codestral-latest pixtral-large mixtral-8x7b open-mixtral-8x22b
        llama-3-70b llama-3.1-405b-instruct llama-4-maverick meta-llama/Llama-3.3-70B-Instruct-Turbo SOLAR-10.7B
        deepseek-chat deepseek-v3 qwen-max qwen2.5-72b-instruct qwen3-30b-a3b grok-4 grok-3-fast claude-opus-4.8-fast
        command-r-plus command-a-03-2025 amazon.nova-pro-v1:0 amazon.nova-premier-v1:0 phi-4 sonar-pro kimi-k2
        text-embedding-3-large text-embedding-ada-002 embed-english-v3.0
        minimax-m2 gemini-exp-1206 flashcards-model nanobot haikuwriter mini4wd-large minister-xl o1x o3d-pro proto1
        thinkingmachines/inkling grok-4.20-0309-non-reasoning model-no-thinking r10 my-own-model
    """,
    "reasoning": """
        o1 o1-preview o1-mini o1-pro-2025-03-19 o3 o3-mini o3-pro o3-deep-research o4-mini o4-mini-high openai/o4-mini
        azure/my-o3-mini-deployment openrouter/openai/o1 deepseek-reasoner deepseek-r1 deepseek-r1-0528 deepseek/deepseek-r1:free
        deepseek-ai/DeepSeek-R1-Distill-Llama-70B us.deepseek.r1-v1:0 deepseek-r1t2-chimera r1-1776 qwq qwq-32b QwQ-32B-Preview
        qvq-72b-preview qwen3-235b-a22b-thinking-2507 magistral-medium-2506 magistral-small claude-3.7-sonnet:thinking
        gemini-2.0-flash-thinking-exp kimi-k2-thinking grok-4-fast-reasoning phi-4-reasoning phi-4-mini-reasoning
        sonar-reasoning-pro sonar-deep-research
    """,
}


@pytest.mark.parametrize(
    ("model", "tier"), [(model, tier) for tier in TIERS for model in TIERS[tier].split()]
)
def test_tiers(model: str, tier: str) -> None:
    assert model_tier(model) == tier


def test_any_text_has_a_tier() -> None:
    assert model_tier("") == model_tier("-" * 1_000_000) == "standard"
