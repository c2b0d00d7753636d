"""A span as we tell of it, before it is one of OpenTelemetry's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

SCOPE: Final = "amplitude_ai_integrations"  # the instrumentation scope of our spans


@dataclass
class Told:
    """One span: where it stands, when it was, and what it says. Times are in ns since the epoch."""

    name: str
    trace: int
    span: int
    parent: int | None
    started: int
    ended: int
    attributes: dict[str, Any]
    is_client: bool = False  # it called another service
    error: str | None = None  # in words, empty where there are none; ``None`` for what did not fail
    link: int | None = None  # the span of the same trace that it follows from
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
