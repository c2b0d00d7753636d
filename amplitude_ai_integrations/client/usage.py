"""Token counts from the usage object of any vendor, for callers who pass ``usage=``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Our field, and where each vendor has it; a dot leads into a nested object.
_PLACES = {
    "input_tokens": (
        "input_tokens",
        "prompt_tokens",
        "inputTokens",
        "prompt_token_count",
        "promptTokenCount",
    ),
    "output_tokens": (
        "output_tokens",
        "completion_tokens",
        "outputTokens",
        "candidates_token_count",
        "candidatesTokenCount",
        "thoughts_token_count",  # where a model was cut off before it said anything
        "thoughtsTokenCount",
    ),
    "total_tokens": ("total_tokens", "totalTokens", "total_token_count", "totalTokenCount"),
    "reasoning_tokens": (
        "reasoning_tokens",
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "thoughts_token_count",
        "thoughtsTokenCount",
    ),
    "cache_read_tokens": (
        "cache_read_tokens",
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cache_read_input_tokens",
        "cacheReadInputTokens",
        "cached_content_token_count",
        "cachedContentTokenCount",
    ),
    "cache_creation_tokens": (
        "cache_creation_tokens",
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
        "cache_creation_input_tokens",
        "cacheWriteInputTokens",
    ),
}
# Anthropic and Bedrock count cached tokens beside the input, Gemini counts tools' results beside it and
# thoughts beside the output; everywhere else, and here, the parts are included.
_BESIDE = {
    "input_tokens": ("cache_read_input_tokens", "cache_creation_input_tokens"),
    "inputTokens": ("cacheReadInputTokens", "cacheWriteInputTokens"),
    "prompt_token_count": ("tool_use_prompt_token_count",),
    "promptTokenCount": ("toolUsePromptTokenCount",),
    "candidates_token_count": ("thoughts_token_count",),
    "candidatesTokenCount": ("thoughtsTokenCount",),
}


def tokens_of(usage: object) -> dict[str, int]:
    """Return the token counts found in a vendor's usage, a mapping or an object, under our names."""
    found: dict[str, int] = {}
    for field, places in _PLACES.items():
        for place in places:
            counted = _count(usage, place)
            if counted is not None:
                found[field] = counted + sum(_count(usage, name) or 0 for name in _BESIDE.get(place, ()))
                break
    return found


def _count(usage: object, place: str) -> int | None:
    value: Any = usage
    for name in place.split("."):
        value = _inside(value, name)
    return value if type(value) is int and value >= 0 else None


def _inside(value: object, name: str) -> object:
    try:
        return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    except Exception:  # noqa: BLE001 - the object's own code, which may raise anything
        return None
