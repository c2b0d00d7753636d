"""What holds for the whole process where nothing nearer says whose call it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypedDict

from .attach import client_of
from .options import check

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import AmplitudeAI


class FurtherFields(TypedDict, total=False):
    """What an event may be told of its place, beside whose it is."""

    turn_id: int | None
    env: str | None
    agent_id: str | None
    parent_agent_id: str | None
    customer_org_id: str | None
    agent_version: str | None
    context: Mapping[str, Any] | None
    event_properties: Mapping[str, Any] | None
    groups: Mapping[str, Any] | None


class CallFields(FurtherFields, total=False):
    """What the event of a call may be told of whose it is and of its place."""

    user_id: str | None
    device_id: str | None
    session_id: str | None
    trace_id: str | None
    user_properties: Mapping[str, Any] | None


class Fallback(NamedTuple):
    """A client and the fields of its events."""

    ai: AmplitudeAI
    fields: dict[str, Any]


class ToolCallTracker:
    """Where decorated functions report to outside any session, when they were given no ``amplitude=``.

    It holds for the whole process. That suits scripts and notebooks with one user; a server opens a
    session for each request instead.
    """

    _fallback: ClassVar[Fallback | None] = None

    @classmethod
    def set_amplitude(
        cls,
        amplitude: Any,
        user_id: str | None = None,
        device_id: str | None = None,
        session_id: str | None = None,
        trace_id: str | None = None,
        **fields: Unpack[FurtherFields],
    ) -> None:
        """Take ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude`` client) and these fields from now on.

        Raises:
            ConfigurationError: ``amplitude`` is no client, or there is no such field.
        """
        check(fields, FurtherFields, "ToolCallTracker.set_amplitude()")
        ids = {"user_id": user_id, "device_id": device_id, "session_id": session_id, "trace_id": trace_id}
        ToolCallTracker._fallback = Fallback(client_of(amplitude), {**ids, **fields})

    @classmethod
    def clear(cls) -> None:
        """Forget what was set."""
        ToolCallTracker._fallback = None

    @classmethod
    def is_configured(cls) -> bool:
        """Whether there is a client to report to."""
        return ToolCallTracker._fallback is not None

    @classmethod
    def fallback(cls) -> Fallback | None:
        """Return what was set."""
        return ToolCallTracker._fallback
