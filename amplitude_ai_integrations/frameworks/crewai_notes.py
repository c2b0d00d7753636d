"""What is remembered of a part of a run of CrewAI's, for the parts inside it."""

from __future__ import annotations

import json
from typing import Any, Final

from ..runs.run import Run

# How the messages begin that CrewAI adds by itself, as if somebody said them.
_OWN_MESSAGES: Final = (
    "Analyze the tool result. If requirements are met",
    "Sorry, I didn't use the right format.",
    "Analyze the following conversation and create a structured summary",
    "Now it's time you MUST give your absolute best final answer.",
)


class Notes:
    """Lies with a crew, a task, an agent or a flow while it is under way.

    ``words`` are what it was asked, and ``framed`` the same as CrewAI passes it on to a model.
    """

    __slots__ = ("asked", "began_with", "framed", "is_asked", "is_users", "raised", "task", "words")

    def __init__(self, words: str = "", framed: str = "") -> None:
        self.words = words
        self.framed = framed.strip()
        self.began_with = ""  # the type of CrewAI's event
        self.asked: list[dict[str, Any]] = []  # the tools that its model asked for last
        self.raised: BaseException | None = None  # by a part of it
        self.task: object = None  # of asyncio's, that it was begun in
        self.is_asked = False  # a model was asked something
        self.is_users = True  # nobody delegated it

    def words_of(self, text: str) -> str:
        """Return what a model is asked, as somebody wrote it: without what CrewAI adds to it."""
        if self.framed and self.framed in text:
            return self.words
        return "" if text.strip().startswith(_OWN_MESSAGES) else text

    def take(self, name: object, arguments: Any) -> str | None:
        """Return under which id a tool that begins was asked for, each once."""
        named = [call for call in self.asked if call["function"].get("name") == name]
        same = [call for call in named if read_json(call["function"].get("arguments")) == arguments]
        for call in (*same, *named)[:1]:
            self.asked.remove(call)
            return call.get("id")
        return None

    def failure(self, words: object) -> BaseException | None:
        """Return the exception of a part's that these are the words of."""
        return self.raised if self.raised is not None and str(self.raised) == str(words) else None


def notes_of(run: Run | None) -> Notes | None:
    """Return what is noted of a run, if anything is."""
    notes = run.kept if run is not None else None
    return notes if isinstance(notes, Notes) else None


def read_json(arguments: Any) -> Any:
    """Return the arguments of a tool as values, where they are written as JSON."""
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments
