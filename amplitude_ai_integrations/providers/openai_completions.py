"""Completions of a text, the older API: https://platform.openai.com/docs/api-reference/completions."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, ResponseFacts, count, known, peek
from ..calls.pieces import Pieces
from .openai_chat import usage_of


class Completions:
    """Maps completions; what is completed stands where a user's message stands elsewhere."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent; prompts in the form of tokens say nothing."""
        return RequestFacts(
            self._provider,
            str(payload.get("model") or ""),
            user_text=self.prompt_text(payload),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_tokens")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole; of several choices the first counts."""
        choices = peek(payload, "choices")
        choice = choices[0] if choices else None
        return ResponseFacts(
            model=peek(payload, "model") or None,
            text=peek(choice, "text") or "",
            finish_reason=peek(choice, "finish_reason"),
            usage=usage_of(peek(payload, "usage")),
            request_id=peek(payload, "id"),
        )

    def accumulator(self) -> CompletionChunks:
        """Return a new gatherer of chunks."""
        return CompletionChunks(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        given = payload.get("prompt")
        texts = given if isinstance(given, (list, tuple)) else [given]
        return "\n\n".join(text for text in texts if isinstance(text, str))


class CompletionChunks:
    """Gathers a streamed completion, whose chunks look like whole ones."""

    def __init__(self, adapter: Completions) -> None:
        self._adapter = adapter
        self._text = Pieces()
        self._found = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""
        choices = peek(chunk, "choices")
        piece, before = self._adapter.response(chunk), self._found
        self._found = ResponseFacts(
            model=before.model or piece.model,
            request_id=before.request_id or piece.request_id,
            usage=piece.usage or before.usage,
            finish_reason=before.finish_reason,
        )
        if not choices or peek(choices[0], "index"):
            return False
        self._found.finish_reason = piece.finish_reason or before.finish_reason
        self._text.add(piece.text)
        return bool(piece.text)

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = self._text.text()
        return self._found
