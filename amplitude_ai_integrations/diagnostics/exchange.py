"""One exchange of a user and an agent, told to a client that keeps apart from the program's own."""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from ..config import AIConfig
from ..delivery.sinks import Sink
from ..exceptions import shield

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI

_NAME: Final = "amplitude-ai-doctor"
# What would keep the exchange from being sent, or have effects outside of it.
_APART: Final[dict[str, Any]] = {
    "enabled": True,
    "dry_run": False,
    "review_mode": False,
    "debug": False,
    "session_sample_rate": 1.0,
    "follow_threads": False,
    "turn_counter": None,
    "on_event_callback": None,
}


def client_apart(config: AIConfig, sink: Sink | None = None, **changes: Any) -> AmplitudeAI:
    """Return a client with a program's settings, which nothing else in the process will report to."""
    from ..client.client import AmplitudeAI
    from ..client.default import forget_client

    ai = AmplitudeAI(api_key="local", config=dataclasses.replace(config, **_APART, **changes), sink=sink)
    forget_client(ai)
    return ai


def speak(ai: AmplitudeAI) -> Counter[str]:
    """Record a question and an answer in a session, and return the errors that were kept from the program."""
    before = Counter(shield.swallowed)
    Context().run(_speak, ai)
    return Counter(shield.swallowed) - before


def _speak(ai: AmplitudeAI) -> None:
    with ai.agent(_NAME).session(user_id=_NAME, auto_flush=False) as session:
        session.track_user_message("Is everything in order?")
        session.track_ai_message("Yes.", "gpt-4o-mini", "openai", 120.0, input_tokens=9, output_tokens=5)
