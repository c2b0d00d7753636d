"""Whose event it is: ids as they were given, and a device where nobody gave one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache

from ..exceptions import logger
from ..schema.values import clean, plain, to_json

# https://amplitude.com/docs/data/user-properties-and-events: ids that are refused as placeholders.
_REFUSED = frozenset(
    {
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "",
        "00000000-0000-0000-0000-000000000000",
        "{}",
        "lmy47d",
        "0",
        "-1",
    }
)
_NAMESPACE = uuid.UUID("6f1c3b52-8a1e-4c55-9c39-2f0f5f3a7d10")
_LONGEST = 512
_process_device = str(uuid.uuid4())
_MOST_SEEN = 4_096
_seen: set[str] = set()  # ids that were found usable: the same few come with every event


def usable_id(value: object, what: str) -> str | None:
    """Return an id as text, or ``None`` for one that Amplitude refuses, with one warning each."""
    if value is None:
        return None
    if type(value) is str and value in _seen:
        return value
    text = value if type(value) is str else _text(value)
    text = clean(text).strip()[:_LONGEST]
    if text.lower() in _REFUSED:
        if text:
            _warn(what, text)
        return None
    if len(_seen) >= _MOST_SEEN:
        _seen.clear()
    _seen.add(text)
    return text


def _text(value: object) -> str:
    # One id must not become another's: bytes of the same length would look alike as JSON.
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else to_json(value)


def device_for(session_id: str | None) -> str:
    """Return the device of an event without user and device: its session's, or this process's."""
    return str(uuid.uuid5(_NAMESPACE, session_id)) if session_id else _process_device


def replay_id(device_id: str | None, browser_session_id: str | None) -> str | None:
    """Return the id that links to the browser's Session Replay, where both halves are known."""
    return f"{device_id}/{browser_session_id}" if device_id and browser_session_id else None


def groups_of(value: object) -> dict[str, str | list[str]] | None:
    """Return groups in the only shape Amplitude takes: a name and one text, or several."""
    groups = plain(value) if isinstance(value, Mapping) else None
    if not isinstance(groups, dict):
        return None
    return {name: _group(inner) for name, inner in groups.items()} or None


def _group(value: object) -> str | list[str]:
    if type(value) is str:
        return value
    return [to_json(item) for item in value] if isinstance(value, list) else to_json(value)


@cache
def _warn(what: str, text: str) -> None:
    logger.warning("%s %r is a placeholder that Amplitude refuses; the event goes without it.", what, text)
