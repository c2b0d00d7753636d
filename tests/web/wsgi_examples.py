"""The events of the example applications' conversations with the scripted model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ..events import told

INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."


def settled(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events without what differs from run to run: durations, and the provider's own ids."""
    found = told(events)
    for event in found:
        for name in ("Latency Ms", "TTFB Ms"):
            assert event.pop(name, 1) > 0
        assert event.pop("Provider Request ID", "chatcmpl-").startswith("chatcmpl-")
    return found


def exchange(
    number: int, question: str, reply: str, tokens: tuple[int, int], **who: str
) -> list[dict[str, Any]]:
    """Return the two events of a conversation's exchange, the first of which is 1."""
    sent, written = tokens
    common = {"Agent ID": "travel-guide", "Trace ID": f"id-{3 * number - 1}"}
    asked = {
        "type": "User Message",
        "Turn ID": 2 * number - 1,
        "Message ID": f"id-{3 * number - 2}",
        "Component Type": "user_input",
        "Message Source": "user",
        "$llm_message": {"text": question},
    }
    answered = {
        "type": "AI Response",
        "Turn ID": 2 * number,
        "Message ID": f"id-{3 * number}",
        "Component Type": "llm",
        "$llm_message": {"text": reply},
        "Model Name": "gpt-4o-mini",
        "Model Tier": "fast",
        "Provider": "openai",
        "Is Streaming": True,
        "Is Error": False,
        "Finish Reason": "stop",
        "Input Tokens": sent,
        "Output Tokens": written,
        "Total Tokens": sent + written,
        "Cache Read Tokens": 0,
        "Reasoning Tokens": 0,
        "Cost USD": pytest.approx((0.15 * sent + 0.60 * written) / 1_000_000),
        "System Prompt": INSTRUCTIONS,
        "System Prompt Length": len(INSTRUCTIONS),
    }
    return [{**common, **who, **asked}, {**common, **who, **answered}]
