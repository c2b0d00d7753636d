"""What follows from the arguments of an event: totals, cost, tier, counts, hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from ..exceptions import CostCalculationError
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, Embedding, Score, Span, ToolCall, UserMessage
from ..schema.facts import name, number
from ..schema.text import words_of
from ..schema.values import plain, to_json
from .usage import tokens_of

Values = dict[str, Any]

_NO_PARTS: Final = {"name": "", "description": "", "parameters": None}


def derive(kind: type[AgentEvent], values: Values) -> None:
    """Add to ``values`` what can be told from them; what the caller gave stays."""
    rule = _RULES.get(kind)
    if rule is not None:
        rule(values)


def _user_message(values: Values) -> None:
    _messages(values)
    values.setdefault("message_source", "agent" if values.get("parent_agent_id") else "user")


def _ai_response(values: Values) -> None:
    usage, is_priced = values.pop("usage", None), values.pop("auto_calculate_cost", True)
    tier, omits = values.pop("service_tier", None), values.pop("omit_repeated_content", False)
    _messages(values)
    if usage is not None:
        for field, value in tokens_of(usage).items():
            values.setdefault(field, value)
    sent, written = values.get("input_tokens"), values.get("output_tokens")
    if sent is not None or written is not None:
        values.setdefault("total_tokens", _count(sent) + _count(written))
    if is_priced and (sent is not None or written is not None or values.get("was_cached")):
        _price(values, tier)
    if values.get("model_name") and "model_tier" not in values:
        from ..pricing.tier import model_tier

        values["model_tier"] = model_tier(values["model_name"])
    if _is_given(values.get("reasoning_content")) or _count(values.get("reasoning_tokens")):
        values["has_reasoning"] = True
    prompt = values.get("system_prompt")
    if _is_given(prompt):
        values["system_prompt_length"] = len(prompt if isinstance(prompt, str) else to_json(prompt))
    if isinstance(values.get("tool_definitions"), (list, tuple)):
        _tool_definitions(values)
    if omits:
        values.pop("system_prompt", None)
        values.pop("tool_definitions", None)
    values.setdefault("is_error", False)


def _embedding(values: Values) -> None:
    usage, is_priced = values.pop("usage", None), values.pop("auto_calculate_cost", True)
    tier = values.pop("service_tier", None)
    sent = tokens_of(usage).get("input_tokens") if usage is not None else None
    if sent is not None:
        values.setdefault("input_tokens", sent)
    values.setdefault("is_error", False)
    if is_priced and values.get("input_tokens") is not None:
        _price(values, tier)


def _span(values: Values) -> None:
    values.setdefault("is_error", False)


def _tool_call(values: Values) -> None:
    is_failure = values.get("is_error", False) or _is_given(values.get("error_message"))
    values.setdefault("tool_success", not is_failure)
    values.setdefault("is_error", not values["tool_success"])


def _score(values: Values) -> None:
    values.setdefault("target_type", "message")
    values.setdefault("evaluation_source", "user")


def _messages(values: Values) -> None:
    content = values.get("llm_message")
    if content is not None and type(content) is not str:
        values["llm_message"] = words_of(content)
    attachments = values.get("attachments")
    if isinstance(attachments, (list, tuple)) and attachments:
        facts = [fact for item in attachments if isinstance(fact := plain(item), dict)]
        known = [number(fact.get("size_bytes")) for fact in facts]
        sizes = [size for size in known if size is not None and size >= 0]
        values["has_attachments"] = True
        values["attachment_count"] = len(attachments)
        values["attachment_types"] = sorted({name(fact["type"]) for fact in facts if fact.get("type")})
        if sizes:
            values["total_attachment_size_bytes"] = number(sum(sizes))
    labels = values.get("message_labels")
    if isinstance(labels, dict) and isinstance(taken := plain(labels), dict):
        labels = values["message_labels"] = [{"key": key, "value": value} for key, value in taken.items()]
    if isinstance(labels, (list, tuple)):
        values["message_label_map"] = {
            pair["key"]: pair["value"]
            for pair in map(plain, labels)
            if isinstance(pair, dict) and isinstance(pair.get("key"), str) and "value" in pair
        } or None


def _price(values: Values, tier: object) -> None:
    if values.get("cost_usd") is not None or not values.get("model_name"):
        return
    if values.get("was_cached"):
        values["cost_usd"] = 0.0  # the answer came from the caller's own cache
        return
    from ..pricing.cost import Tokens, cost_usd  # a program without models need not load the names of all

    tokens = Tokens(
        _count(values.get("input_tokens")),
        _count(values.get("output_tokens")),
        _count(values.get("cache_read_tokens")),
        _count(values.get("cache_creation_tokens")),
    )
    cost = cost_usd(values["model_name"], values.get("provider"), tokens, tier)
    if cost is not None:
        values["cost_usd"] = cost


def check_price(kind: type[AgentEvent], values: Values) -> None:
    """Raise where tokens were counted and their price is unknown.

    Raises:
        CostCalculationError: The price list has no such model.
    """
    is_counted = any(values.get(name) is not None for name in ("input_tokens", "output_tokens"))
    if kind in (AIResponse, Embedding) and is_counted and values.get("cost_usd") is None:
        raise CostCalculationError(
            f"The price of model {values.get('model_name')!r} of provider {values.get('provider')!r} is "
            "unknown; pass total_cost_usd=, or the model's name as its provider writes it."
        )


def _tool_definitions(values: Values) -> None:
    taken = map(plain, values["tool_definitions"])  # each by itself: no order decides what is cut
    definitions = [_definition(item) for item in taken if isinstance(item, dict)]
    ordered = sorted((to_json(item.get("name")), _canonical(item)) for item in definitions)
    canonical = f"[{','.join(text for _name, text in ordered)}]"
    values["tool_definitions"] = definitions
    values["tool_definitions_count"] = len(definitions)
    values["tool_definitions_hash"] = hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _definition(item: dict[str, Any]) -> dict[str, Any]:
    """Return one tool in a shape all vendors share."""
    function = item.get("function")
    inner = function if isinstance(function, dict) else item
    parts = {
        "name": inner.get("name") or inner.get("type"),
        "description": inner.get("description"),
        "parameters": inner.get("parameters") or inner.get("input_schema"),
    }
    return {part: value for part, value in parts.items() if value is not None}


def _canonical(item: dict[str, Any]) -> str:
    # Missing parts count too, so that a hash goes on meaning what it meant in events of `amplitude-ai`.
    whole = {**_NO_PARTS, **item}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _is_given(value: object) -> bool:
    return bool(value) if isinstance(value, str) else value is not None


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and value > 0 else 0


_RULES: dict[type[AgentEvent], Callable[[Values], None]] = {
    UserMessage: _user_message,
    AIResponse: _ai_response,
    ToolCall: _tool_call,
    Embedding: _embedding,
    Span: _span,
    Score: _score,
}
