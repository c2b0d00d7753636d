"""Embeddings: https://platform.openai.com/docs/api-reference/embeddings."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, peek
from .openai_chat import ChatChunks


class Embeddings:
    """Maps embedding calls; the vectors themselves are never looked at beyond their length."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return RequestFacts(self._provider, str(payload.get("model") or ""), is_embedding=True)

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        data = peek(payload, "data")
        vector = peek(data[0], "embedding") if data else None
        sent = count(peek(payload, "usage", "prompt_tokens"))
        return ResponseFacts(
            model=peek(payload, "model") or None,
            usage=None if sent is None else Usage(input=sent),
            dimensions=_dimensions(vector),
        )

    def accumulator(self) -> ChatChunks:
        """Embeddings are never streamed; nothing will be gathered."""
        return ChatChunks()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = payload.get("input")
        return given if isinstance(given, str) else "\n".join(item for item in given if isinstance(item, str))


def _dimensions(vector: Any) -> int | None:
    """Return a vector's length; raw, it comes as four bytes a number in base64."""
    if isinstance(vector, str):
        return (len(vector.rstrip("=")) * 3 // 4) // 4
    return len(vector) if isinstance(vector, list) else None
