"""The Responses API, which is OpenAI's: https://docs.mistral.ai/api/endpoint/responses."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, known, peek
from . import openai_responses
from .mistral_content import plain


class Responses(openai_responses.Responses):
    """Maps responses."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return super().request(_plain(payload))

    def accumulator(self) -> ResponseFrames:
        """Return a new gatherer of events."""
        return ResponseFrames(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return super().prompt_text(_plain(payload))


class ResponseFrames(openai_responses.ResponseEvents):
    """Gathers a streamed response, whose events come in frames."""

    def add(self, chunk: Any) -> bool:
        """Take a frame, and tell whether it carries a piece of the answer."""
        return super().add(peek(chunk, "data"))


def _plain(payload: Any) -> dict[str, Any]:
    lists = {name: plain(known(payload.get(name), list, tuple, str)) for name in ("input", "tools")}
    return {**payload, **lists}
