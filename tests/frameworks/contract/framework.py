"""What one framework's own library is asked to do, which is the same for all of them.

An agent, `concierge`, has three tools: `get_weather` answers, `book_table` fails (and the model is told so),
`ask_researcher` runs another agent, `researcher`, which has no tools. Their model is a fake on 127.0.0.1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import openai

MODEL = "gpt-4o"
WEATHER = "Sunny in Paris."
REFUSAL = "No table is free."
INSTRUCTIONS = "You help people plan."
RESEARCH = "You look things up."
TOOLS = (
    'call:get_weather{"city":"Paris"} call:book_table{"restaurant":"Chez Nous"} '
    'call:ask_researcher{"question":"echo:Museums."} echo:All done.'
)


class Place:
    """Where a run happens: the framework's door, the fake that its models are, and connections to it."""

    def __init__(self, fake: Any, door: Any) -> None:
        self.fake = fake
        self.door = door
        self.http = openai.DefaultAsyncHttpxClient()


class Framework(ABC):
    """One framework.

    `layers` are spans of its own that others do not have, and are left out of graphs; `doors` the qualified
    names of functions of ours that it calls, and that hand their work to a shield. `shows_first_token` is
    false of one whose streams only its vendor's client sees as they come.
    """

    name: str
    layers: frozenset[str] = frozenset()
    doors: frozenset[str] = frozenset()
    has_cache = False
    shows_first_token = True

    @abstractmethod
    def serve(self) -> Any:
        """Start the fake that its models are."""

    @abstractmethod
    def door(self, ai: Any, **options: Any) -> Any:
        """Make what observes it."""

    @abstractmethod
    async def ask(self, place: Place, words: str) -> str:
        """Let the concierge answer, and return its words."""

    @abstractmethod
    async def stream(self, place: Place, words: str) -> str:
        """Let the concierge answer as a stream, read it to its end, and return its words."""

    async def ask_cached(self, place: Place, words: str) -> str:
        """Ask the model alone, through the framework's own cache."""
        raise NotImplementedError

    def close(self, door: Any) -> None:  # noqa: B027 - most hold for what they are given to alone
        """Take the door away again, where it holds for the whole process."""

    def everywhere(self, call: Callable[[], object]) -> None:
        """Call something here, and in each thread of the framework's own that it tells us of things in."""
        call()
