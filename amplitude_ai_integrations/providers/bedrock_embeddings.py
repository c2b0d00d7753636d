"""Embedding models: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html.

The vectors themselves are never looked at beyond their length.
"""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, known, peek
from .bedrock_models import PROVIDER
from .bedrock_prompts import PromptPieces, Prompts


class Embeddings:
    """Maps bodies with a text, or several, and vectors for them."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return RequestFacts(PROVIDER, "", is_embedding=True)

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back."""
        names = ("embedding", "embeddingsByType", "embeddings")
        sent = count(peek(payload, "inputTextTokenCount"))
        return ResponseFacts(
            usage=None if sent is None else Usage(input=sent),
            dimensions=_dimensions(next((payload[name] for name in names if payload.get(name)), None)),
        )

    def accumulator(self) -> PromptPieces:
        """Embeddings are never streamed; nothing will be gathered."""
        return PromptPieces(Prompts())

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = [payload.get("inputText"), *(known(payload.get("texts"), list) or ())]
        return "\n".join(text for text in given if isinstance(text, str))


def _dimensions(found: Any) -> int | None:
    """Return the length of the first vector in lists and kinds of them, of those that are not packed."""
    while isinstance(found, dict) and found:
        inner = found.get("embedding") or found.get("float") or next(iter(found.values()))
        found = inner
    if not isinstance(found, list) or not found:
        return None
    return _dimensions(found[0]) if isinstance(found[0], (list, dict)) else len(found)
