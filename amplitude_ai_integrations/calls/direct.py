"""Calls of which somebody else tells the facts: a framework that made them itself."""

from __future__ import annotations

from .facts import RequestFacts, ResponseFacts
from .pieces import Pieces


class Direct:
    """An adapter whose payloads are facts already; ``words`` are all that is sent, to estimate its tokens."""

    def __init__(self, words: str = "") -> None:
        self._words = words

    def request(self, payload: RequestFacts) -> RequestFacts:
        """Return it."""
        return payload

    def response(self, payload: ResponseFacts) -> ResponseFacts:
        """Return it."""
        return payload

    def accumulator(self) -> DirectPieces:
        """Return what takes the pieces of a streamed answer, and at last the whole."""
        return DirectPieces()

    def prompt_text(self, _payload: RequestFacts) -> str:
        """Return all words that are sent."""
        return self._words


class DirectPieces:
    """Gathers an answer that comes as texts; facts that come stand for all of it."""

    def __init__(self) -> None:
        self._text = Pieces()
        self._whole: ResponseFacts | None = None

    def add(self, chunk: str | ResponseFacts) -> bool:
        """Take a piece, and tell whether it has words."""
        if isinstance(chunk, ResponseFacts):
            self._whole = chunk
            return False
        self._text.add(chunk)
        return bool(chunk)

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        return self._whole if self._whole is not None else ResponseFacts(text=self._text.text())
