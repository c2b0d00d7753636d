"""What ``app`` says, as it should arrive."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations.version import __version__


def said(text: str, number: int) -> dict[str, Any]:
    """Return the event as ``told`` shows it, which is the ``number``-th one."""
    return {
        "event_type": "[Agent] AI Response",
        "user_id": "ada",
        "$llm_message": {"text": text},
        "[Agent] Component Type": "llm",
        "[Agent] Content Mode": "full",
        "[Agent] Is Error": False,
        "[Agent] Latency Ms": "ms",
        "[Agent] Message ID": f"message {number}",
        "[Agent] Model Name": "gpt-4o",
        "[Agent] Model Tier": "standard",
        "[Agent] Provider": "openai",
        "[Agent] Runtime": "python",
        "[Agent] SDK Version": __version__,
        "[Agent] Session ID": "thread-1",
        "[Agent] Turn ID": 7,
    }
