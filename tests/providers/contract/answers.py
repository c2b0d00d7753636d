"""The whole AI Responses that calls leave behind, as a provider's description says."""

from __future__ import annotations

import json

from ..expected import Event, answer, with_changes
from .provider import NOTHING, Api, Ask, Ran, Tool

HALF = "One two "
TOLD_TOOL = {
    "tool_definitions": json.dumps([Tool().function], separators=(",", ":")),
    "tool_definitions_count": 1,
    "tool_definitions_hash": "5fa08285b9425786",
}
IMAGE = "aGVsbG8="
TOLD_IMAGE = {
    "attachments": '[{"type":"image","mime_type":"image/png","size_bytes":5}]',
    "has_attachments": True,
    "attachment_count": 1,
    "attachment_types": ["image"],
    "total_attachment_size_bytes": 5,
}


def whole(api: Api, **changes: object) -> Event:
    """Return the AI Response to a whole answer."""
    return with_changes(answer(), {**api.says, **changes})


def missing(error: BaseException | None = None, **changes: object) -> Event:
    """Return the AI Response to a whole answer that did not come."""
    gone = {**NOTHING, "llm_message": None, "finish_reason": None}
    return {**gone, **failed(error), **changes}


def read(api: Api, ask: Ask, text: str, written: str | None = None, **changes: object) -> Event:
    """Return the AI Response to a stream that was read to its end.

    `written` is all that the model wrote, where that is more than the text.
    """
    return _streamed(api, text, {**api.read(ask, written or text), **changes})


def left(api: Api, ask: Ask, text: str | None, **changes: object) -> Event:
    """Return the AI Response to a stream that ended otherwise after this text; `None` if none of it was read."""
    if text is not None:
        return _streamed(api, text, {**api.left(ask, text), **changes})
    return _streamed(api, text, {**api.unread, "ttfb_ms": None, **changes})


def _streamed(api: Api, text: str | None, changes: Event) -> Event:
    came = {"is_streaming": True, "ttfb_ms": "<ms>", "llm_message": {"text": text} if text else None}
    return with_changes(answer(), {**api.says, **came, **changes})


def failed(error: BaseException | None) -> Event:
    """Return what an AI Response says of an error that the vendor's client raised."""
    if error is None:
        return {}
    told = {"error_type": type(error).__name__, "error_message": str(error)}
    return {"is_error": True, "error_source": "provider", **told}


def calls(ran: Ran) -> list[Event]:
    """Return the tool calls of an answer that asks for this one."""
    return [
        {"type": "function", "id": ran.call_id, "function": {"name": ran.name, "arguments": ran.arguments}}
    ]


def asking(api: Api) -> Event:
    """Return what an answer that asks for the tool, and says nothing else, differs in."""
    told = {"llm_message": None, "tool_calls": json.dumps(calls(api.ran), separators=(",", ":"))}
    return {**TOLD_TOOL, **told, **api.asks}
