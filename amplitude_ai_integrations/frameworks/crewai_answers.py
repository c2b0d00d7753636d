"""CrewAI's streamed answers: texts, thoughts and tool calls, each piece an event of its own."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from ..calls.direct import Direct, DirectPieces
from ..calls.facts import ResponseFacts
from ..calls.pieces import Pieces


class Thought(str):
    """A piece of what a model thinks."""

    __slots__ = ()


ASKS: Final = Thought()  # a piece of a tool call, which the whole answer tells


class Answers(Direct):
    """An adapter whose payloads are facts already."""

    def accumulator(self) -> AnswerPieces:
        """Return what takes the pieces of a streamed answer, and at last the whole."""
        return AnswerPieces()


class AnswerPieces(DirectPieces):
    """Gathers an answer; what a model thinks comes in pieces only."""

    def __init__(self) -> None:
        super().__init__()
        self._thoughts = Pieces()

    def add(self, chunk: str | ResponseFacts) -> bool:
        """Take a piece, and tell whether it says something."""
        if isinstance(chunk, Thought):
            self._thoughts.add(str(chunk))
            return chunk is ASKS or bool(chunk)
        return super().add(chunk)

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        facts = super().facts()
        return structs.replace(facts, reasoning=facts.reasoning or self._thoughts.text())
