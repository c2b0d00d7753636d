"""What the resolvers of one request answer: at once, later, or never."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .options import Resolver
from .resolving import Late, logged_once

_DEADLINE = 5.0  # seconds for which the end of a request may wait for one that hangs


class Answers:
    """The answers of one request's resolvers, by the names of what they are asked for."""

    def __init__(self, resolvers: Mapping[str, Resolver]) -> None:
        self._resolvers = resolvers
        self._answers: dict[str, Any] = {}
        self._is_asked = False

    def ask(self, request: Callable[[], Any]) -> None:
        """Ask them all."""
        try:
            given = request() if self._resolvers else None
            for name, resolver in self._resolvers.items():
                with logged_once(name, resolver):
                    self._answers[name] = resolver(given)
        finally:  # also if one of them ends more than itself: events do not wait for it
            self._is_asked = True

    @property
    def is_complete(self) -> bool:
        """Whether there is none to be waited for."""
        return self._is_asked and not any(map(inspect.isawaitable, self._answers.values()))

    @property
    def given(self) -> Mapping[str, Any]:
        """Those that are there."""
        return {name: answer for name, answer in self._answers.items() if not inspect.isawaitable(answer)}

    def is_there(self, name: str) -> bool:
        """Tell whether an answer need not be waited for."""
        return self._is_asked and not inspect.isawaitable(self._answers.get(name))

    async def hear(self) -> None:
        """Await those that are still to come, five seconds each at most."""
        for name, answer in self._answers.items():
            if inspect.isawaitable(answer):
                self._answers[name] = None
                with logged_once(name, self._resolvers[name]):
                    self._answers[name] = await _in_time(answer)

    def find_late(self) -> None:
        """Find those that only waited for the handler to be done."""
        for name, answer in self._answers.items():
            if isinstance(answer, Late):
                self._answers[name] = None
                with logged_once(name, self._resolvers[name]):
                    self._answers[name] = answer.find()

    def give_up(self) -> None:
        """Count those that are still to come as failed, where nobody can await them."""
        for name, answer in self._answers.items():
            if inspect.isawaitable(answer):
                self._answers[name] = None
                if inspect.iscoroutine(answer):
                    answer.close()
                with logged_once(name, self._resolvers[name]):
                    raise RuntimeError("there is no event loop to await it on")


async def _in_time(answer: Awaitable[Any]) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # a loop of another kind, such as trio's
        return await answer
    return await asyncio.wait_for(answer, _DEADLINE)
