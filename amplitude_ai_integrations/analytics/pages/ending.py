"""What is said about a session as a whole: how it ended, and what its data lacks."""

from __future__ import annotations

from ..model import SessionDetail
from . import words
from .shapes import leaves
from .text import plain

_QUIET_MS = 60_000


def closing(detail: SessionDetail, now_ms: float) -> str:
    """The last line of a conversation: who ended it, or when it will end by itself."""
    row = detail.row
    due_ms = row.last_ms + detail.idle_minutes * 60_000
    if row.state == "live":
        quiet = now_ms - row.last_ms
        if quiet < _QUIET_MS or detail.idle_minutes < 0:
            return ""
        minutes = words.duration(quiet // _QUIET_MS * _QUIET_MS).split(" ")[0]
        return f"No event for {minutes}, closes at {words.short_clock(due_ms)}"
    left = f"User left after turn {row.abandoned_turn}. " if row.abandoned_turn else ""
    if detail.closed_by == "explicit":
        return f"{left}Closed by the app, {words.short_clock(row.last_ms)}"
    return f"{left}Closed after {detail.idle_minutes} min without activity, {words.short_clock(due_ms)}"


def findings(detail: SessionDetail) -> tuple[tuple[str, str], ...]:
    """What is wrong with the data of a session: the fact, then what it means and what to do."""
    found = []
    calls = [step for turn in detail.turns for step in leaves(turn.steps)]
    unpriced = sorted(
        {plain(c.model, 40) for c in calls if c.model and c.cost_usd is None and c.output_tokens}
    )
    if unpriced:
        found.append(
            (f"Price of model {', '.join(unpriced[:3])} is unknown.", "Tokens are counted, cost is not.")
        )
    tools = [step for step in calls if step.kind == "tool"]
    unmeasured = sum(step.latency_ms is None for step in tools)
    if unmeasured:
        is_one = unmeasured == 1
        verb = "carries" if is_one else "carry"
        fact = f"{unmeasured} of {words.counted(len(tools), 'tool call')} {verb} no latency."
        origin = f"{'It was' if is_one else 'They were'} read from message history, not measured."
        found.append((fact, f"{origin} Wrap the tools with @tool to time them."))
    if detail.row.user_id is None:
        found.append(
            (
                "No user id on this session.",
                "It counts for its device only. Give the session a user id to follow the user.",
            )
        )
    return tuple(found)
