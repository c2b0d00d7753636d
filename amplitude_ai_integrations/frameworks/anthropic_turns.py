"""The turns of one tool loop: what is sent next, and when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from ..calls.facts import peek
from ..client.failures import ToldFailure
from ..exceptions import ConfigurationError
from ..providers.anthropic_content import text_of
from ..providers.anthropic_messages import usage_of

# The model is not done, and goes on when it gets its own words back:
# https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
_UNFINISHED: Final = ("pause_turn", "compaction")


@dataclass(frozen=True)
class Limits:
    """How far a loop may go; where it ends at one, the last answer still asks for more.

    Raises:
        ConfigurationError: A limit is no number above 0.
    """

    max_iterations: int = 10
    max_seconds: float | None = None
    max_total_tokens: int | None = None

    def __post_init__(self) -> None:
        if type(self.max_iterations) is not int or self.max_iterations < 1:
            raise ConfigurationError(
                f"max_iterations is {self.max_iterations!r}; give a number of calls, 1 or more."
            )
        for name in ("max_seconds", "max_total_tokens"):
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0
            ):
                raise ConfigurationError(f"{name} is {value!r}; give a number above 0, or None.")


class Turns:
    """The messages of one loop as they grow; those that were given are left alone.

    ``history`` takes what is added to them.
    """

    def __init__(
        self, options: dict[str, Any], messages: Iterable[Any], history: list[Any] | None, limits: Limits
    ) -> None:
        self.answer: Any = None
        self.stopped: ToldFailure | None = None  # at a limit
        self.is_over = False
        self._options = options
        self._messages = [*messages]
        self._history = history if history is not None else []
        self._limits = limits
        self._began = monotonic()
        self._calls = 0
        self._tokens = 0

    @property
    def request(self) -> dict[str, Any]:
        """What is sent next."""
        return {**self._options, "messages": [*self._messages]}

    @property
    def question(self) -> str:
        """What was asked last when the loop began."""
        asked = [message for message in self._messages if peek(message, "role") == "user"]
        return text_of(peek(asked[-1], "content")) if asked else ""

    @property
    def words(self) -> str:
        """What the last answer says."""
        return text_of(peek(self.answer, "content"))

    def asked_by(self, answer: Any) -> list[Any]:
        """Take an answer, and return the ``tool_use`` blocks to be carried out before the next call."""
        self.answer = answer
        self._add({"role": "assistant", "content": answer.content})
        self._calls += 1
        usage = usage_of(peek(answer, "usage"))
        self._tokens += (usage.total if usage is not None else None) or 0
        asked = [block for block in answer.content if block.type == "tool_use"]
        if answer.stop_reason not in _UNFINISHED and (answer.stop_reason != "tool_use" or not asked):
            self.is_over = True
            return []
        self.stopped = self._limit()
        self.is_over = self.stopped is not None
        return asked if answer.stop_reason == "tool_use" and not self.is_over else []

    def add_results(self, results: list[dict[str, Any]]) -> None:
        """Give the results of tools back to the model."""
        if results:
            self._add({"role": "user", "content": results})

    def _add(self, message: dict[str, Any]) -> None:
        self._messages.append(message)
        self._history.append(message)

    def _limit(self) -> ToldFailure | None:
        limits = self._limits
        if self._calls >= limits.max_iterations:
            return ToldFailure("MaxIterations", f"stopped after {self._calls} model calls")
        if limits.max_seconds is not None and monotonic() - self._began >= limits.max_seconds:
            return ToldFailure("MaxSeconds", f"stopped after {limits.max_seconds:g} seconds")
        if limits.max_total_tokens is not None and self._tokens >= limits.max_total_tokens:
            return ToldFailure("MaxTotalTokens", f"stopped after {self._tokens} tokens")
        return None
