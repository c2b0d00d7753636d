"""One rule from the name in Python to the name on the wire."""

from __future__ import annotations

from functools import cache

_ACRONYMS = {"id": "ID", "sdk": "SDK", "usd": "USD", "ttfb": "TTFB", "sha": "SHA"}

_OWN_NAMES = {
    "llm_message": "$llm_message",
    "session_replay_id": "[Amplitude] Session Replay ID",
}


@cache
def wire_name(field: str) -> str:
    """Return the property name of a field: ``session_id`` becomes ``[Agent] Session ID``."""
    if field in _OWN_NAMES:
        return _OWN_NAMES[field]
    words = (_ACRONYMS.get(word, word.capitalize()) for word in field.split("_"))
    return "[Agent] " + " ".join(words)
