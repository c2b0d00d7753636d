"""What the doors of all frameworks take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from ..calls.reporting import SETTINGS
from ..client.options import check
from ..context.current import AgentFacts
from ..runs.place import Defaults

_IDENTITY: Final = ("user_id", "device_id", "browser_session_id", "session_id", "trace_id")
_FIELDS: Final = ("event_properties", "user_properties")


class FrameworkOptions(TypedDict, total=False):
    """What a framework's door may be told when it is made.

    Whose runs they are (the ids, and ``user_id`` beside them) holds outside any session: inside
    ``with agent.session():`` that session is theirs. ``session_id`` is the conversation they belong to;
    without one, a run gets the id that the framework has for its conversation, or a session of its own, which
    ends with it. What is said of the agent holds everywhere. ``content_mode``, ``privacy_mode`` and
    ``privacy_config`` can only keep back more than the session does.
    """

    device_id: str | None
    browser_session_id: str | int | None
    session_id: str | None
    trace_id: str | None
    agent_id: str | None
    agent_name: str | None
    parent_agent_id: str | None
    customer_org_id: str | None
    agent_version: str | None
    description: str | None
    context: Mapping[str, Any] | None
    env: str | None
    groups: Mapping[str, Any] | None
    event_properties: Mapping[str, Any] | None
    user_properties: Mapping[str, Any] | None
    content_mode: Any
    privacy_mode: bool
    privacy_config: Any
    debug: bool


class _AllOptions(FrameworkOptions, total=False):
    user_id: str | None


def defaults_of(options: Mapping[str, Any], door: str) -> tuple[Defaults, dict[str, Any]]:
    """Return what options say of runs, and what they say of privacy.

    Raises:
        ConfigurationError: An option does not exist.
    """
    check(options, _AllOptions, door)
    given = {name: value for name, value in options.items() if value is not None}
    facts = {name: given[name] for name in AgentFacts.__dataclass_fields__ if name in given}
    if "description" in given:
        facts["agent_description"] = given["description"]
    return (
        Defaults(
            identity={name: given[name] for name in _IDENTITY if name in given},
            agent=AgentFacts.of(**facts),
            fields={name: given[name] for name in _FIELDS if name in given},
        ),
        {name: given[name] for name in SETTINGS if name in given},
    )
