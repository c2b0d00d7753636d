"""What a job can be: each lets an agent speak, or not, without any id."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from amplitude_ai_integrations import AmplitudeAI, current_session
from amplitude_ai_integrations.context import get_active_context

Send = Callable[..., Any]

noted: list[Any] = []  # by jobs, of this process
attempts: Counter[str] = Counter()
together = threading.Barrier(4, timeout=5)


def answer(ai: AmplitudeAI, send: Send, text: str = "hello") -> None:
    """A model's answer to what was asked before."""
    current_session().track_ai_message(f"you said {text}", "gpt-4o-mini", "openai", 5.0)


def speak(ai: AmplitudeAI, send: Send, text: str = "hello") -> None:
    """A whole exchange."""
    ai.track_user_message(content=text)
    answer(ai, send, text)


def speak_together(ai: AmplitudeAI, send: Send, text: str) -> None:
    """An exchange, while three others are held too."""
    ai.track_user_message(content=text)
    together.wait()
    answer(ai, send, text)


def score(ai: AmplitudeAI, send: Send) -> None:
    """An opinion, which takes the trace of the place where it is given."""
    ai.score(name="quality", value=1.0, target_id="m-1")


def fail(ai: AmplitudeAI, send: Send) -> None:
    answer(ai, send)
    raise LookupError("job")


def fail_in_silence(ai: AmplitudeAI, send: Send) -> None:
    raise LookupError("job")


def again(ai: AmplitudeAI, send: Send, key: str) -> None:
    """Fails at the first attempt; a queue tries it a second time."""
    answer(ai, send)
    _fail_once(key)


def own_session(ai: AmplitudeAI, send: Send, session_id: str) -> None:
    with ai.agent("helper").session(session_id):
        speak(ai, send)


def own_session_again(ai: AmplitudeAI, send: Send, key: str) -> None:
    with ai.agent("helper").session(f"own-{key}"):
        answer(ai, send)
        _fail_once(key)


def hand_further(ai: AmplitudeAI, send: Send) -> None:
    answer(ai, send, "one")
    send("answer", "two")


def silence(ai: AmplitudeAI, send: Send) -> None:
    """Nothing is said."""


def look_around(ai: AmplitudeAI, send: Send) -> None:
    noted.append(get_active_context())


def _fail_once(key: str) -> None:
    attempts[key] += 1
    if attempts[key] == 1:
        raise LookupError("job")


JOBS: dict[str, Callable[..., Any]] = {
    job.__name__: job
    for job in (
        *(answer, speak, speak_together, score, fail, fail_in_silence, again),
        *(own_session, own_session_again, hand_further, silence, look_around),
    )
}
TRIED_AGAIN = {"again", "own_session_again"}
