"""Calls of bare clients, and what is seen of them outside any session."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations.context.identity import device_for
from amplitude_ai_integrations.pricing.cost import Tokens, cost_usd

from ..providers.expected import MODEL, answer, user
from ..providers.ways import chat

NOBODYS = {"user_id": None, "session_id": None, "turn_id": None, "device_id": device_for(None)}
PLAIN = {"system_prompt": None, "system_prompt_length": None}


def say(client: Any, words: str = "Hi", **more: Any) -> Any:
    """Make the plainest call there is."""
    return client.chat.completions.create(**chat(words, **more))


def exchange(words: str = "Hi", **changes: Any) -> list[dict[str, Any]]:
    """Return the two whole events of it."""
    shared = {**NOBODYS, **changes}
    own = {name: value for name, value in shared.items() if name not in ("provider", "cost_usd")}
    if "provider" in shared:
        shared["cost_usd"] = cost_usd(MODEL, shared["provider"], Tokens(20, 7, 8))
    return [user(words, **own), answer(**{**PLAIN, **shared})]


__all__ = ["MODEL", "NOBODYS", "PLAIN", "exchange", "say"]
