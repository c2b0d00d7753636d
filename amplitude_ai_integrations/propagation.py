"""Session, trace and agent ids in HTTP headers, between services that both run this package."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from .context import get_active_context
from .context.current import merged
from .context.identity import usable_id
from .exceptions import shielded

SESSION = "x-amplitude-session-id"
AGENT = "x-amplitude-agent-id"
PARENT_AGENT = "x-amplitude-parent-agent-id"

_ID = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
# Version ff is forbidden, and version 00 ends after its flags: https://www.w3.org/TR/trace-context/
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_BROWSER_SESSION = re.compile(r"\d{13}")


def inject_context(headers: Any = None, *, include_identity: bool = True) -> MutableMapping[str, str]:
    """Add the current session, trace and agent to outgoing headers, and return them.

    Takes any mapping of headers that can be added to; of others, and of name-value pairs, it makes a
    dictionary. A ``traceparent`` that is there already stays: it belongs to whoever set it. The user's id
    never travels; without ``include_identity``, the session and the agents do not either. Without an
    active session nothing is added.
    """
    can_add = hasattr(headers, "items") and hasattr(headers, "__setitem__")
    result: MutableMapping[str, str] = headers if can_add else {}
    with shielded("inject_context"):
        if not can_add and headers is not None:
            result.update(headers)
        _inject(result, include_identity)
    return result


def _inject(result: MutableMapping[str, str], include_identity: bool) -> None:
    active = get_active_context()
    if active is None:
        return
    active.conversation.identify()
    present = {name.lower() for name in result}
    if "traceparent" not in present:
        digits, is_hashed = trace_hex(active.trace_id)
        result["traceparent"] = f"00-{digits}-{secrets.token_hex(8)}-01"
        if is_hashed and "tracestate" not in present:
            result["tracestate"] = "amplitude=" + quote(active.trace_id, safe="")
    if not include_identity:
        return
    said = active.conversation.agent
    agent = merged(said.given, active.agent.given) if said is not None else active.agent.given
    ids = {
        SESSION: active.session_id,
        AGENT: agent.get("agent_id"),
        PARENT_AGENT: agent.get("parent_agent_id"),
    }
    for name, value in ids.items():
        if value and name not in present and _ID.fullmatch(value):
            result[name] = value


def extract_context(headers: Any) -> dict[str, str]:
    """Return the ids of another service found in headers: those of ``session_id``, ``trace_id``,
    ``agent_id`` and ``parent_agent_id`` that are there and well formed.

    Takes any mapping, or name-value pairs; names may be in any case, names and values text or bytes.
    """
    result: dict[str, str] = {}
    with shielded("extract_context"):
        _extract(lower_headers(headers), result)
    return result


def _extract(found: Mapping[str, str], result: dict[str, str]) -> None:
    trace_id = _trace_id(found)
    if trace_id:
        result["trace_id"] = trace_id
    for key, header in (("session_id", SESSION), ("agent_id", AGENT), ("parent_agent_id", PARENT_AGENT)):
        value = found.get(header, "")
        is_the_browsers = key == "session_id" and browser_session(found)
        if _ID.fullmatch(value) and not is_the_browsers and usable_id(value, key):
            result[key] = value


def browser_session(found: Mapping[str, str]) -> str | None:
    """Return the browser's session from lower-case headers, for the link to its replay.

    ``x-amplitude-session-id`` is the browser's only if it has its shape and no service's headers came
    along: other services send their agent session under the same name.
    """
    own = found.get("x-amp-session-id", "")
    if _BROWSER_SESSION.fullmatch(own):
        return own
    shared = found.get(SESSION, "")
    is_service = "traceparent" in found or AGENT in found
    return shared if _BROWSER_SESSION.fullmatch(shared) and not is_service else None


def browser_device(found: Mapping[str, str]) -> str | None:
    """Return the browser's device from lower-case headers."""
    for name in ("x-amp-device-id", "x-amplitude-device-id"):
        value = found.get(name, "")
        if _ID.fullmatch(value):
            return usable_id(value, name)
    return None


def lower_headers(headers: Any) -> dict[str, str]:
    """Return headers of any common shape as text under lower-case names."""
    pairs: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers or ()
    texts = ((name, value) for name, value in pairs if isinstance(value, (str, bytes)))
    return {_text(name).lower(): _text(value) for name, value in texts}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def trace_hex(trace_id: str) -> tuple[str, bool]:
    """Return a trace's id as W3C and OpenTelemetry write one, and whether it had to be hashed for that."""
    try:
        return uuid.UUID(trace_id).hex, False
    except ValueError:
        return hashlib.sha256(trace_id.encode()).hexdigest()[:32], True


def _trace_id(found: Mapping[str, str]) -> str | None:
    match = _TRACEPARENT.fullmatch(found.get("traceparent", "").strip())
    if match is None or not int(match[2], 16) or not int(match[3], 16):
        return None
    if match[1] == "00" and match[4]:
        return None
    for member in found.get("tracestate", "").split(","):
        name, _, value = member.strip().partition("=")
        original = unquote(value)
        if name == "amplitude" and _ID.fullmatch(original) and trace_hex(original)[0] == match[2]:
            return original
    return str(uuid.UUID(match[2]))
