"""What a person sees before the first event: three steps, and checks for when nothing arrives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from . import words
from .rows import session_url
from .text import plain

_TOKEN = re.compile(r'"[^"]*"|#.*')


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines to add for one place where agents run."""

    key: str
    name: str
    code: str

    @property
    def html(self) -> Markup:
        """The code with its strings and comments marked."""
        return Markup("\n").join(_coloured(line) for line in self.code.splitlines())


SNIPPETS = (
    Snippet(
        "fastapi",
        "FastAPI, Starlette",
        "# export AMPLITUDE_AI_SERVER_URL=http://{address}\n"
        "from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI\n"
        "from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware\n"
        "\n"
        "ai = AmplitudeAI()\n"
        'app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, agent_id="my-agent")\n'
        "openai = AsyncOpenAI(amplitude=ai)  # in place of openai.AsyncOpenAI()",
    ),
    Snippet(
        "openai",
        "OpenAI client",
        "# export AMPLITUDE_AI_SERVER_URL=http://{address}\n"
        "from amplitude_ai_integrations import AmplitudeAI, OpenAI\n"
        "\n"
        "ai = AmplitudeAI()\n"
        "openai = OpenAI(amplitude=ai)  # in place of openai.OpenAI()\n"
        'with ai.agent("my-agent").session(user_id="user-1"):\n'
        '    question = {"role": "user", "content": "What is the capital of France?"}\n'
        '    openai.chat.completions.create(model="gpt-4o-mini", messages=[question])\n'
        "ai.flush().result(10)  # a script that ends at once has to wait",
    ),
)


def _coloured(line: str) -> Markup:
    coloured, at = Markup(), 0
    for found in _TOKEN.finditer(line):
        element = "em" if found.group().startswith("#") else "samp"
        coloured += escape(line[at : found.start()])
        coloured += Markup(f"<{element}>{{}}</{element}>").format(found.group())  # noqa: S704 - our own names
        at = found.end()
    return coloured + escape(line[at:])


def snippets(address: str) -> tuple[Snippet, ...]:
    """The lines with the address of this collector in them."""
    return tuple(Snippet(s.key, s.name, s.code.replace("{address}", address)) for s in SNIPPETS)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at when nothing arrives, with the answer this collector can give."""

    question: str
    answer: str
    is_fine: bool


def checks(state: Any, now_ms: float) -> tuple[Check, ...]:
    """What the collector has seen so far."""
    traffic = state.traffic
    if not traffic.requests:
        reached = "No. Point the app here: AMPLITUDE_AI_SERVER_URL=http://" + state.address
    else:
        reached = f"Yes, {words.counted(traffic.requests, 'request')}."
    refused = "None."
    if traffic.last_refusal:
        when = words.ago(traffic.last_refusal_at_ms, now_ms)
        refused = f"{plain(str(traffic.last_refusal), 300)} ({when})"
    return (
        Check("Has any request reached the collector?", reached, bool(traffic.requests)),
        Check("Was anything refused?", refused, not traffic.last_refusal),
        Check("Does the key matter?", "No. Any key is accepted here; without one the SDK sends local.", True),
        Check(
            "Is the app still waiting to send?",
            "Events leave in batches within seconds. A script that ends at once must call ai.flush() first.",
            True,
        ),
    )


@dataclass(frozen=True, slots=True)
class Guide:
    """How the wait for the first event stands."""

    address: str
    snippets: tuple[Snippet, ...]
    checks: tuple[Check, ...]
    waited: str
    events: int
    session_url: str | None


def guide(state: Any, now_ms: float) -> Guide:
    """The guide as it looks now."""
    page = state.reader.sessions(limit=1)
    return Guide(
        address=state.address,
        snippets=snippets(state.address),
        checks=checks(state, now_ms),
        waited=words.duration(max(now_ms - state.started_at, 0)),
        events=state.reader.totals().events,
        session_url=session_url(page.rows[0].session_id) if page.rows else None,
    )
