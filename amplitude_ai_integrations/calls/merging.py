"""What is known of one call from two sides: from above, where a framework makes it, and from beneath."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from .facts import RequestFacts, ResponseFacts, Usage

_OF_REQUESTS: Final = (
    "model", "system_prompt", "tools", "temperature", "top_p", "max_output_tokens", "service_tier",
)  # fmt: skip
_WORDS: Final = ("user_text", "history", "attachments", "tool_results")
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


def asks_alike(above: RequestFacts, beneath: RequestFacts, *, is_exact: bool) -> bool:
    """Tell whether two may be tellings of one request; of words that are not known above, the model tells."""
    is_same_model = above.model in ("", beneath.model)
    if is_exact:
        return is_same_model and above.user_text == beneath.user_text
    if above.is_embedding or not _says_anything(above):
        return is_same_model or not beneath.model
    one, other = above.user_text, beneath.user_text
    return one == other or bool(one and other and (one in other or other in one))


def _says_anything(request: RequestFacts) -> bool:
    return bool(request.user_text or request.tool_results or request.history is not None)


def learn_words(above: RequestFacts, beneath: RequestFacts) -> bool:
    """Add what was said, where nothing is known of it above, and tell whether that was so."""
    if above.is_embedding or above.history is not None or above.user_text or above.tool_results:
        return False
    for name in _WORDS:
        setattr(above, name, getattr(beneath, name))
    return True


def merged(above: ResponseFacts, beneath: ResponseFacts) -> ResponseFacts:
    """Return what both know of an answer."""
    both = structs.replace(above)
    for name in ResponseFacts.__struct_fields__:
        lower = getattr(beneath, name)
        if lower and (name in _OF_VENDORS or not getattr(above, name)):
            setattr(both, name, lower)
    return both


def together(before: ResponseFacts, after: ResponseFacts) -> ResponseFacts:
    """Return what several requests beneath one call that embeds texts came to: the tokens of all of them."""
    usages = [facts.usage for facts in (before, after) if facts.usage is not None]
    counts = [usage.input for usage in usages if usage.input is not None]
    return structs.replace(after, usage=Usage(input=sum(counts)) if counts else None)
