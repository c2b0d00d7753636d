"""What a misbehaving server does when: steps that last a number of requests or of seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as it arrived; ``payload`` is ``None`` where the body was not JSON."""

    path: str
    size: int
    payload: dict[str, Any] | None

    @property
    def events(self) -> list[Event]:
        """The events, of whatever shape the body is."""
        found = self.payload.get("events") if self.payload else None
        return found if isinstance(found, list) else []


@dataclass(frozen=True)
class Reply:
    """What is done with a request: whose events are taken, and what goes back, if anything does."""

    status: int | None = 200  # without one the connection is closed
    body: Any = None  # bytes go out as HTML, all else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: bool = False
    delay: float = 0
    cut: int = 0  # bytes of the response that are not sent before the connection is closed
    resets: bool = False


Answer = Callable[[Request], Reply]


@dataclass(frozen=True)
class Step:
    """One kind of answer, for some requests, for some seconds, or from now on; ``None`` refuses connections."""

    answer: Answer | None
    times: int | None = None
    seconds: float | None = None


class Plan:
    """The steps still to come; the last one stays."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self._begin()

    def _begin(self) -> None:
        self._used = 0
        self._since = time.monotonic()

    def current(self) -> Answer | None:
        """Return what is answered now."""
        while len(self._steps) > 1 and self._is_over(self._steps[0]):
            del self._steps[0]
            self._begin()
        return self._steps[0].answer

    def take(self) -> Answer | None:
        """Return what is answered now, and count the request."""
        answer = self.current()
        self._used += 1
        return answer

    def _is_over(self, step: Step) -> bool:
        if step.times is not None and self._used >= step.times:
            return True
        return step.seconds is not None and time.monotonic() - self._since >= step.seconds
