"""The facts of a session, its agent, its user and what privacy did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import SessionDetail
from . import words
from .inspector import Fact
from .json_view import parsed
from .margins import is_complaint, score_in_words, standing
from .shapes import leaves
from .text import plain


def agent_ms(detail: SessionDetail) -> float | None:
    """How long the agent worked: the sum of the replies that were measured."""
    replies = [turn.reply_ms for turn in detail.turns if turn.reply_ms is not None]
    return sum(replies) if replies else None


def session_facts(detail: SessionDetail) -> Iterator[Fact]:
    """When the session was and how it stands."""
    row = detail.row
    yield Fact("Session ID", row.session_id, is_code=True)
    yield Fact("State", _state(detail))
    yield Fact("First event", words.date_time(row.first_ms))
    yield Fact("Last event", words.date_time(row.last_ms))
    wall, busy = row.last_ms - row.first_ms, agent_ms(detail)
    yield Fact("Wall time", words.duration(wall))
    if busy is not None:
        share = f", {words.percent(round(100 * busy / wall), 100)} of wall time" if wall > busy else ""
        yield Fact("Agent time", words.duration(busy) + share)
    if detail.env:
        yield Fact("Environment", detail.env)
    runtime = [
        part for part in (detail.runtime, f"SDK {detail.sdk_version}" if detail.sdk_version else None) if part
    ]
    if runtime:
        yield Fact("Runtime", ", ".join(runtime))
    if detail.replay_id:
        yield Fact("Replay", detail.replay_id, is_code=True)


def _state(detail: SessionDetail) -> str:
    if detail.row.state == "live":
        return "Live"
    return (
        "Closed by the app"
        if detail.closed_by == "explicit"
        else f"Closed, idle timeout {detail.idle_minutes} min"
    )


def agent_facts(detail: SessionDetail) -> Iterator[Fact]:
    """Who answered, and with what."""
    yield Fact("Agent", detail.row.agent or "not given")
    if detail.agent_version:
        yield Fact("Version", detail.agent_version)
    if detail.agent_description:
        yield Fact("Description", detail.agent_description)
    if len(detail.agents) > 1:
        yield Fact("Agents", ", ".join(detail.agents))
    if detail.context:
        yield Fact("Context", _context(detail.context))
    prompts = [
        step.system_prompt for turn in detail.turns for step in leaves(turn.steps) if step.system_prompt
    ]
    if prompts:
        yield Fact("System prompt", words.counted(len(prompts[-1]), "character"))
    if detail.tool_definitions_count is not None:
        tools = f", set {detail.tool_definitions_hash[:6]}" if detail.tool_definitions_hash else ""
        yield Fact("Tools offered", f"{detail.tool_definitions_count}{tools}")


def _context(text: str) -> str:
    value: Any = parsed(text)
    if not isinstance(value, dict):
        return plain(text, 300)
    return plain(", ".join(f"{key}: {item}" for key, item in value.items()), 300)


def user_facts(detail: SessionDetail) -> Iterator[Fact]:
    """Whose session it was, and what they thought of it."""
    row = detail.row
    yield Fact("User ID", row.user_id or "not given")
    if detail.customer_org_id:
        yield Fact("Organisation", detail.customer_org_id)
    if row.device_id:
        yield Fact("Device", row.device_id, is_code=True)
    if detail.locale:
        yield Fact("Locale", detail.locale)
    yield from _feedback(detail)


def _feedback(detail: SessionDetail) -> Iterator[Fact]:
    for turn in detail.turns:
        given = list(turn.user.scores) if turn.user else []
        given += [score for step in leaves(turn.steps) for score in step.scores]
        for score in standing(given):
            tone = "danger" if is_complaint(score) else ""
            yield Fact(
                "Feedback",
                f"{score_in_words(score)}, turn {turn.number}",
                tone=tone,
                url=f"?tab=thread#turn-{turn.number}",
            )
    for score in standing(detail.scores):
        tone = "danger" if is_complaint(score) else ""
        yield Fact("Feedback", score_in_words(score), tone=tone)


def privacy_facts(detail: SessionDetail) -> Iterator[Fact]:
    """What left the process, and what was taken out before."""
    yield Fact("Content mode", (detail.row.content_mode or "not given").replace("_", " "))
    found = [
        words.counted(count, name.strip("[]").replace("_", " ").lower())
        for name, count in detail.redactions.items()
    ]
    yield Fact("Redacted", ", ".join(found) or "nothing found")
