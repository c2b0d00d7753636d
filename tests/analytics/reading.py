"""Events straight into the narrow form, as the store would hand them out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from amplitude_ai_integrations.analytics.events import Event
from amplitude_ai_integrations.analytics.reading import read_event
from amplitude_ai_integrations.analytics.store.arrival import arrive
from amplitude_ai_integrations.analytics.store.files import connect, prepare
from amplitude_ai_integrations.analytics.store.ingest import Changes, ingest

from .samples import NOW


def narrow(sent: Iterable[dict[str, Any]], server_ms: int = NOW) -> list[Event]:
    events = []
    for number, raw in enumerate(sent, 1):
        event = read_event(raw, server_ms)
        event.id, event.properties = number, raw["event_properties"]
        events.append(event)
    return events


def opened(path: Path) -> sqlite3.Connection:
    prepare(path)
    return connect(path)


def stored(connection: sqlite3.Connection, *sent: dict[str, Any], server_ms: int = NOW) -> Changes:
    return ingest(connection, [arrive(raw, server_ms) for raw in sent])
