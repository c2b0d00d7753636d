"""Embeddings: https://ai.google.dev/api/embeddings."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count
from .gemini_content import PROVIDER, model_of, read, text_of, turns_of
from .gemini_generate import Chunks

_CONTENTS = ("contents", "content", "batch_contents")  # as one of these, by model and server


class EmbedContent:
    """Maps embeddings."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return RequestFacts(PROVIDER, model_of(payload.get("model")), is_embedding=True)

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back."""
        vectors = read(payload, "embeddings") or ()
        values = read(vectors[0], "values") if vectors else None
        sent = _sent(payload, vectors)
        return ResponseFacts(
            usage=None if sent is None else Usage(input=sent),
            dimensions=len(values) if isinstance(values, list) else None,
        )

    def accumulator(self) -> Chunks:
        """Embeddings are never streamed; nothing will be gathered."""
        return Chunks(0)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = [payload[name] for name in _CONTENTS if payload.get(name) is not None]
        return "\n".join(text_of(turn.parts) for contents in given for turn in turns_of(contents))


def _sent(payload: Any, vectors: Any) -> int | None:
    """Return how many tokens were sent: told of all contents together, or of each, as a float."""
    whole = count(read(payload, "usage_metadata", "prompt_token_count"))
    if whole is not None:
        return whole
    each = [read(vector, "statistics", "token_count") for vector in vectors]
    counted = [int(one) for one in each if isinstance(one, (int, float))]
    return sum(counted) if counted else None
