"""Where a decorated call reports to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ...context.current import SessionContext
from ...exceptions import logger
from ..default import default_client
from ..recording import Recorder
from ..tracker import ToolCallTracker

if TYPE_CHECKING:
    from ..client import AmplitudeAI

_NO_FIELDS: dict[str, Any] = {}


class Target(NamedTuple):
    """A recorder, the client to open sessions with where none is active, and fields from further out."""

    recorder: Recorder
    ai: AmplitudeAI | None
    fields: dict[str, Any]


def target_of(ai: AmplitudeAI | None, active: SessionContext | None) -> Target | None:
    """Return where to report to: the active session's client, the one given, the process's, the only one."""
    if active is not None and active.conversation.pipeline is not None:
        pipeline = active.conversation.pipeline
        return Target(Recorder(pipeline.config, pipeline), None, _NO_FIELDS)
    if ai is not None:
        return Target(ai.recorder, ai, _NO_FIELDS)
    fallback = ToolCallTracker.fallback()
    if fallback is not None:
        fields = fallback.fields if active is None else _NO_FIELDS
        return Target(fallback.ai.recorder, fallback.ai, fields)
    only = default_client()
    if only is not None:
        return Target(only.recorder, only, _NO_FIELDS)
    _warn_nowhere()
    return None


@cache
def _warn_nowhere() -> None:
    logger.warning(
        "A function under @tool or @observe was called outside any session, and it is not clear which client "
        "should record it; nothing is recorded. Call it inside `with agent.session():`, pass amplitude= to "
        "the decorator, or call ToolCallTracker.set_amplitude() once."
    )
