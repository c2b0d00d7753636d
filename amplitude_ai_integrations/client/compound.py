"""Methods that track more than one call says: a run's rest of cost, a whole conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..exceptions import shielded
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, ToolCall, UserMessage
from ..schema.facts import name
from ..schema.text import words_of
from ..schema.values import plain
from .plan import plan_of

# Each role's event, and the keys of a message that are called otherwise there (or nothing).
_ROLES: dict[str, tuple[type[AgentEvent], dict[str, str | None]]] = {
    "user": (UserMessage, {"name": None}),
    "assistant": (AIResponse, {"name": None}),
    "ai": (AIResponse, {"name": None}),
    "tool": (
        ToolCall,
        {"name": "tool_name", "arguments": "input", "content": "output", "tool_call_id": "invocation_id"},
    ),
}
_WHOLE: Final = 100_000_000  # characters: a message is taken as it is, not shortened


class CompoundTracking:
    """What the client, agents and sessions share beyond one method an event."""

    def _record(self, kind: type[Any], given: dict[str, Any], *, is_total: bool = False) -> str:
        raise NotImplementedError

    def track_run_cost(
        self,
        total_cost_usd: float,
        input_tokens: int = 0,
        output_tokens: int = 0,
        model: str = "",
        provider: str = "",
        *,
        latency_ms: float = 0.0,
        content: str = "",
        finish_reason: str = "tool_use",
        **fields: Any,
    ) -> str:
        """Track what a whole run cost, where a framework tells only the total.

        What this process has already tracked of the same session and trace is taken off, and the rest, if
        it is more than a millionth of a dollar, becomes one AI Response. Returns its id, or an empty string.
        """
        given = {
            "total_cost_usd": total_cost_usd,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "model": model or None,
            "provider": provider or None,
            "latency_ms": latency_ms,
            "content": content,
            "finish_reason": finish_reason,
        }
        return self._record(AIResponse, {**given, **fields}, is_total=True)

    def track_conversation(self, messages: Iterable[Mapping[str, Any]], **fields: Any) -> list[str]:
        """Track a conversation that is at hand as messages, in order, and return their ids.

        Each has a ``role`` (``user``, ``assistant`` or ``ai``, ``tool``) and its ``content``, and may carry
        any keyword of its ``track_*`` method (``model``, ``usage``, ``timestamp_ms``). Messages of other
        roles, such as ``system``, are skipped. ``fields`` hold for all that take them.
        """
        ids: list[str] = []
        asked: dict[str, Any] = {}
        with shielded("track_conversation"):
            for message in messages:
                with shielded("track_conversation"):
                    kind, given = _told(message, asked)
                    if kind is not None:
                        ids.append(self._record(kind, {**_taken(kind, fields), **given}))
        return ids


def _taken(kind: type[AgentEvent], fields: dict[str, Any]) -> dict[str, Any]:
    """Return those fields of all messages that an event of this kind takes: a model is the answers' alone."""
    plan = plan_of(kind)
    return {key: value for key, value in fields.items() if plan.takes(key)}


def _told(message: object, asked: dict[str, Any]) -> tuple[type[AgentEvent] | None, dict[str, Any]]:
    """Return the event that a message becomes, if any, and its keywords.

    A tool's result rarely says whose it is; ``asked`` holds the calls of the messages before it, by id.
    """
    said = message if isinstance(message, Mapping) else plain(message, _WHOLE)
    role = name(said.get("role")) if isinstance(said, Mapping) else ""
    if role not in _ROLES:
        return None, {}
    kind, names = _ROLES[role]
    renamed = ((names.get(key, key), value) for key, value in said.items() if key != "role")
    given = {key: value for key, value in renamed if key is not None and value is not None}
    if kind is AIResponse:
        asked.update(_calls(plain(given.get("tool_calls"))))
    elif kind is ToolCall:
        given = {**asked.get(name(given.get("invocation_id", "")), {}), **given}
        if isinstance(given.get("output"), (list, tuple)):
            given["output"] = words_of(given["output"])
    return kind, given


def _calls(calls: Any) -> dict[str, dict[str, Any]]:
    """Return what is known of each call that a message asks for, by the call's id."""
    found = {}
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and call.get("id"):
            found[name(call["id"])] = {"tool_name": function.get("name"), "input": function.get("arguments")}
    return found
