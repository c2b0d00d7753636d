"""The keywords of agents and sessions, written once for all doors that take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from ..context.current import AgentFacts
from ..context.identity import usable_id
from ..exceptions import ConfigurationError
from ..schema.values import plain
from .recording import Scope

_IDS: Final = ("session_id", "trace_id", "user_id", "device_id", "browser_session_id")


class AgentOptions(TypedDict, total=False):
    """What an agent's handle fills in on every event.

    ``description`` says in a sentence what the agent is for; ``context`` are your own dimensions to segment
    by. ``user_id`` and ``session_id`` are for a conversation that outlives any block of code.
    """

    user_id: str | None
    parent_agent_id: str | None
    customer_org_id: str | None
    agent_version: str | None
    agent_name: str | None
    description: str | None
    context: Mapping[str, Any] | None
    env: str | None
    locale: str | None
    session_id: str | None
    trace_id: str | None
    groups: Mapping[str, Any] | None
    device_id: str | None
    browser_session_id: str | int | None


class SessionOptions(TypedDict, total=False):
    """What may be said of a session when it is opened.

    ``idle_timeout_minutes``: how long it may be silent before it counts as over (30 where not given; -1 for
    a session that ends only when told). ``track_session_end``: whether leaving the block ends it.
    ``auto_flush``: whether leaving the block delivers its events; by default only on serverless platforms,
    which freeze the process between requests. ``tags``: short words on each of its events.
    """

    user_id: str | None
    device_id: str | None
    browser_session_id: str | int | None
    idle_timeout_minutes: int | None
    track_session_end: bool
    auto_flush: bool | None
    tags: Sequence[str] | None


def scope_of(agent_id: str | None, options: Mapping[str, Any]) -> Scope:
    """Return what an agent's options bind.

    Raises:
        ConfigurationError: An option does not exist.
    """
    check(options, AgentOptions, "agent()")
    get = options.get
    facts = AgentFacts.of(
        agent_id=agent_id,
        agent_name=get("agent_name"),
        parent_agent_id=get("parent_agent_id"),
        customer_org_id=get("customer_org_id"),
        agent_version=get("agent_version"),
        agent_description=get("description"),
        context=_taken(get("context")),
        env=get("env"),
        locale=get("locale"),
        groups=_taken(get("groups")),
    )
    session, trace, user, device, browser = (usable_id(get(name), name) for name in _IDS)
    return Scope(facts, session, trace, user, device, browser)


def _taken(value: object) -> dict[str, Any] | None:
    """Return a mapping as it is now, so that what its owner does to it later changes no event."""
    taken = plain(value) if isinstance(value, Mapping) else None
    return taken if isinstance(taken, dict) else None


def check(options: Mapping[str, Any], known: type, method: str) -> None:
    """Refuse a keyword that ``method`` does not take.

    Raises:
        ConfigurationError: There is one.
    """
    for name in options:
        if name not in known.__annotations__:
            names = ", ".join(sorted(known.__annotations__))
            raise ConfigurationError(f"{method} takes no {name!r}; it takes {names}.")
