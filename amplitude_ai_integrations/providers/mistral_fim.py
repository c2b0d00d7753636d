"""Code that is filled in between a prompt and a suffix: https://docs.mistral.ai/api/endpoint/fim."""

from __future__ import annotations

from typing import Any

from ..calls.facts import RequestFacts, count, known
from .mistral_chat import Chat
from .mistral_content import words


class FillInTheMiddle(Chat):
    """Maps fill-in-the-middle completions, which are answered as a chat is."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent: the code before the gap is what was said."""
        return RequestFacts(
            self._provider,
            words(payload.get("model")) or "",
            user_text=words(payload.get("prompt")) or "",
            history=words(payload.get("suffix")),
            temperature=known(payload.get("temperature"), int, float),
            top_p=known(payload.get("top_p"), int, float),
            max_output_tokens=count(payload.get("max_tokens")),
        )

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return "\n".join(text for name in ("prompt", "suffix") if (text := words(payload.get(name))))
