"""Methods that track more than one call says: a run's rest of cost, a whole conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..schema.base import AgentEvent
from ..schema.events import AIResponse, ToolCall, UserMessage

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
            "model": model,
            "provider": provider,
            "latency_ms": latency_ms,
            "content": content,
            "finish_reason": finish_reason,
        }
        return self._record(AIResponse, {**given, **fields}, is_total=True)

    def track_conversation(self, messages: Iterable[Mapping[str, Any]], **fields: Any) -> list[str]:
        """Track a conversation that is at hand as messages, in order, and return their ids.

        Each has a ``role`` (``user``, ``assistant`` or ``ai``, ``tool``) and its ``content``, and may carry
        any keyword of its ``track_*`` method (``model``, ``usage``, ``timestamp_ms``). Messages of other
        roles, such as ``system``, are skipped. ``fields`` hold for all of them.
        """
        ids = []
        for message in messages:
            role = str(message.get("role"))
            if role in _ROLES:
                kind, names = _ROLES[role]
                renamed = ((names.get(key, key), value) for key, value in message.items() if key != "role")
                own = {name: value for name, value in renamed if name is not None}
                ids.append(self._record(kind, {**fields, **own}))
        return ids
