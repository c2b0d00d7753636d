"""Embeddings: https://docs.mistral.ai/api/endpoint/embeddings."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, peek
from .mistral_chat import ChatChunks
from .mistral_content import words


class Embeddings:
    """Maps embedding calls; the vectors themselves are never looked at beyond their length."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return RequestFacts(self._provider, words(payload.get("model")) or "", is_embedding=True)

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        data = peek(payload, "data")
        vector = peek(data[0], "embedding") if data else None
        sent = count(peek(payload, "usage", "prompt_tokens"))
        return ResponseFacts(
            model=words(peek(payload, "model")),
            usage=Usage(input=sent) if sent else None,
            dimensions=len(vector) if isinstance(vector, list) else None,
        )

    def accumulator(self) -> ChatChunks:
        """Embeddings are never streamed; nothing will be gathered."""
        return ChatChunks()

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = payload.get("inputs")
        return given if isinstance(given, str) else "\n".join(item for item in given if isinstance(item, str))
