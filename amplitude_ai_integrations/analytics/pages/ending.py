"""What is said about a session as a whole: how it ended, and what its data lacks."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import SessionDetail, Step
from . import words
from .shapes import leaves
from .text import plain

_QUIET_MS = 60_000


@dataclass(frozen=True, slots=True)
class Closing:
    """The last line of a conversation; what it says of a moment ahead holds until that moment."""

    text: str = ""
    ahead: str = ""
    until_ms: float | None = None


def closing(detail: SessionDetail, now_ms: float) -> Closing:
    """Who ended a conversation, or when it will end by itself."""
    row = detail.row
    if row.state == "live":
        return _waiting(detail, now_ms)
    left = f"User left after turn {row.abandoned_turn}. " if row.abandoned_turn else ""
    last = words.when(row.last_ms, now_ms)
    if detail.closed_by == "explicit":
        return Closing(f"{left}Closed by the app, {last}")
    return Closing(f"{left}Closed after {detail.idle_minutes} min without activity, last event {last}")


def _waiting(detail: SessionDetail, now_ms: float) -> Closing:
    """A session waits from when its last event was received, which may be long after it happened."""
    quiet = now_ms - detail.row.last_ms
    if quiet < _QUIET_MS or detail.idle_minutes < 0:
        return Closing()
    text = f"No event for {words.duration(quiet // _QUIET_MS * _QUIET_MS).split(' ')[0]}"
    due_ms = detail.row.last_ms + detail.idle_minutes * 60_000
    if due_ms <= now_ms:
        return Closing(text)
    due = words.when(due_ms, now_ms)
    return Closing(text, f", closes {due}" if "," in due else f", closes at {due}", due_ms)


def findings(detail: SessionDetail) -> tuple[tuple[str, str], ...]:
    """What is wrong with the data of a session: the fact, then what it means and what to do."""
    found = []
    calls = [step for turn in detail.turns for step in leaves(turn.steps)]
    unpriced = sorted({plain(call.model, 40) for call in calls if call.model and _lacks_price(call)})
    if unpriced or not detail.row.is_price_known:
        models = f"model {', '.join(unpriced[:3])}" if unpriced else "some model calls"
        more = f" and {len(unpriced) - 3} more" if len(unpriced) > 3 else ""
        found.append((f"Price of {models}{more} is unknown.", "Tokens are counted, cost is not."))
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


def _lacks_price(call: Step) -> bool:
    has_tokens = bool(call.input_tokens or call.output_tokens)
    return call.cost_usd is None and has_tokens
