"""What the agents of every door say, and where it goes: one line of JSON an event, in a file of the test's."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from typing import Any

from amplitude_ai_integrations import AmplitudeAI, current_session
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult

from .servers import EVENTS


class FileSink:
    """Appends whole lines, so that the workers of one server share a file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def send(self, event: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(event).encode() + b"\n")

    def flush(self) -> FlushResult:
        return FlushResult([], self.counts)

    def close(self) -> None:
        os.close(self._file)

    def counts(self) -> Counts:
        return Counts(0, 0, 0)


ai = AmplitudeAI(sink=FileSink(os.environ[EVENTS]))


def ask(text: str = "hello") -> None:
    """A user's message, through the client itself."""
    ai.track_user_message(content=text)


def answer(text: str = "hello") -> None:
    """A model's answer, through the session that a handler asks for."""
    current_session().track_ai_message(f"you said {text}", "gpt-4o-mini", "openai", 5.0)


def speak(text: str = "hello") -> None:
    """A whole exchange."""
    ask(text)
    answer(text)


def speak_slowly() -> None:
    """An exchange during which other requests get their turn."""
    ask()
    time.sleep(random.random() / 200)
    answer()


async def speak_suspended() -> None:
    """The same on an event loop."""
    ask()
    await asyncio.sleep(random.random() / 200)
    answer()


def speak_in_own_session() -> None:
    """An exchange in a session that the handler opens."""
    with ai.agent().session():
        speak()


async def later(value: str | None) -> str | None:
    """What an asynchronous resolver answers."""
    return value


def resolved(headers: Any, user: str | None) -> Any:
    """Return who an inner layer has signed in, at once or to be awaited, as the request wishes."""
    return later(user) if headers.get("x-later") else user
