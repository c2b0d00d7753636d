"""What an application decides about its requests: the options all web doors share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from ..client.agent import BoundAgent
from ..client.client import AmplitudeAI
from ..client.serverless import is_serverless
from ..context.current import AgentFacts
from ..exceptions import ConfigurationError

Resolver = Callable[[Any], Any]


class WebOptions(TypedDict, total=False):
    """The options of a web door.

    Resolvers take the request and return an id or ``None``, at once or to be awaited; one that fails is
    logged once and changes no response. ``context`` and ``groups`` may be functions of the request too.
    ``end_session`` decides whether the end of a request ends its session: by default only where the id
    was made for this request. ``flush_on_response``: whether a request waits, five seconds at most, until
    its events are delivered; by default only on serverless platforms, which freeze the process between
    requests. ``include`` and ``exclude`` are patterns of paths (``re.search``).
    """

    user_id_resolver: Resolver | None
    device_id_resolver: Resolver | None
    session_id_resolver: Resolver | None
    browser_session_id_resolver: Resolver | None
    agent: BoundAgent | None
    agent_id: str | None
    agent_version: str | None
    env: str | None
    customer_org_id: str | None
    context: Mapping[str, Any] | Resolver | None
    groups: Mapping[str, Any] | Resolver | None
    track_session_events: bool
    end_session: bool | None
    flush_on_response: bool | None
    include: Sequence[str]
    exclude: Sequence[str]


_RESOLVERS = ("user_id_resolver", "device_id_resolver", "session_id_resolver", "browser_session_id_resolver")
_FLAGS = ("track_session_events", "end_session", "flush_on_response")
_FACTS = ("agent_id", "agent_version", "env", "customer_org_id")


@dataclass
class Policy:
    """The options of one door, checked once."""

    ai: AmplitudeAI
    agent: AgentFacts = field(default_factory=AgentFacts)
    resolvers: dict[str, Resolver] = field(default_factory=dict)
    tracks_end: bool = True
    end_session: bool | None = None
    flushes: bool = False
    include: re.Pattern[str] | None = None
    exclude: re.Pattern[str] | None = None

    @classmethod
    def of(cls, ai: AmplitudeAI, options: Mapping[str, Any]) -> Policy:
        """Check the options and bring them into shape.

        Raises:
            ConfigurationError: An option does not exist, or is of the wrong kind.
        """
        for name in options:
            if name not in WebOptions.__annotations__:
                known = sorted(WebOptions.__annotations__)
                near = difflib.get_close_matches(name, known, 1)
                meant = f"did you mean {near[0]!r}? T" if near else "t"
                words = f"{name!r} is no option of the middleware; {meant}here are: {', '.join(known)}."
                raise ConfigurationError(words)
        _check_flags(options)
        dynamic = {name: options[name] for name in ("context", "groups") if callable(options.get(name))}
        flushes = options.get("flush_on_response")
        return cls(
            ai=ai,
            agent=_agent(options, dynamic),
            resolvers={**_resolvers(options), **dynamic},
            tracks_end=options.get("track_session_events") is not False,
            end_session=options.get("end_session"),
            flushes=is_serverless() if flushes is None else flushes,
            include=_paths("include", options.get("include")),
            exclude=_paths("exclude", options.get("exclude")),
        )

    def __post_init__(self) -> None:
        self.propagates = self.ai.config.propagate_context

    def watches(self, path: str) -> bool:
        """Tell whether requests of this path are watched now."""
        return self.ai.config.enabled and self.covers(path)

    def covers(self, path: str) -> bool:
        """Tell whether requests of this path are meant to be watched."""
        if self.exclude is not None and self.exclude.search(path):
            return False
        return self.include is None or bool(self.include.search(path))


def _check_flags(options: Mapping[str, Any]) -> None:
    for name in _FLAGS:
        flag = options.get(name)
        if flag is not None and not isinstance(flag, bool):
            raise ConfigurationError(f"{name} is {flag!r}; it must be True or False.")


def _resolvers(options: Mapping[str, Any]) -> dict[str, Resolver]:
    given = {name: options[name] for name in _RESOLVERS if options.get(name) is not None}
    for name, resolver in given.items():
        if not callable(resolver):
            raise ConfigurationError(f"{name} must be callable, not {type(resolver).__name__}.")
    return {name.removesuffix("_resolver"): resolver for name, resolver in given.items()}


def _agent(options: Mapping[str, Any], dynamic: Mapping[str, Resolver]) -> AgentFacts:
    bound = options.get("agent")
    if bound is not None and not isinstance(bound, BoundAgent):
        raise ConfigurationError(f"agent must be what ai.agent() returns, not {type(bound).__name__}.")
    given = {name: options[name] for name in _FACTS if options.get(name) is not None}
    for name in ("context", "groups"):
        value = options.get(name)
        if value is None or name in dynamic:
            continue
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"{name} must be a mapping or a function, not {type(value).__name__}.")
        given[name] = value
    facts = AgentFacts.of(**given)
    return facts.over(bound.scope.agent) if bound is not None else facts


def _paths(name: str, patterns: Sequence[str] | None) -> re.Pattern[str] | None:
    if patterns is None:
        return None
    if isinstance(patterns, str):
        raise ConfigurationError(f"{name} must be a list of patterns, not one string.")
    if not isinstance(patterns, (list, tuple, set, frozenset)) or not all(
        isinstance(pattern, str) for pattern in patterns
    ):
        raise ConfigurationError(f"{name} must be a list of patterns as texts, such as ['^/health'].")
    if not patterns:
        return None
    try:
        return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    except re.error as error:
        raise ConfigurationError(f"{name} has a pattern that does not compile: {error}.") from None
