"""What is known of one call from two sides: from above, where a framework makes it, and from beneath."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from .facts import RequestFacts, ResponseFacts

_OF_REQUESTS: Final = (
    "model", "system_prompt", "tools", "temperature", "top_p", "max_output_tokens", "service_tier",
)  # fmt: skip
# What the vendor's own answer says better than anybody who passes it on.
_OF_VENDORS: Final = (
    "usage", "request_id", "cost_usd", "service_tier", "model", "finish_reason", "tool_calls", "reasoning",
)  # fmt: skip


def add_request(above: RequestFacts, beneath: RequestFacts) -> None:
    """Add to what is known above what was asked beneath, and of whom, which a framework may only suppose."""
    above.provider = beneath.provider or above.provider
    for name in _OF_REQUESTS:
        if not getattr(above, name):
            setattr(above, name, getattr(beneath, name))


def merged(above: ResponseFacts, beneath: ResponseFacts) -> ResponseFacts:
    """Return what both know of an answer."""
    both = structs.replace(above)
    for name in ResponseFacts.__struct_fields__:
        lower = getattr(beneath, name)
        if lower and (name in _OF_VENDORS or not getattr(above, name)):
            setattr(both, name, lower)
    return both
