"""An accepted event, made ready for the writer outside of its transaction."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from ..events import Event
from ..reading import read_event, session_of

_NAMESPACE = uuid.UUID("6f1f8d0e-50d1-4b61-9a2e-0a7d3c1c8b55")


class Arrival(Struct):
    event: Event
    session_id: str | None
    dedup_hash: int | None
    raw: bytes
    api_key: str | None = None  # of its project; none where it is not sent on


def arrive(raw: Mapping[str, Any], server_ms: int, api_key: str | None = None) -> Arrival:
    """Take an event as the collector accepted it."""
    return Arrival(
        event=read_event(raw, server_ms),
        session_id=session_of(raw),
        dedup_hash=_dedup_hash(raw),
        raw=json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode(),
        api_key=api_key,
    )


def _dedup_hash(raw: Mapping[str, Any]) -> int | None:
    """Eight bytes to know an event by: its insert id on its device; without the former it is always new."""
    insert_id = raw.get("insert_id")
    if not insert_id:
        return None
    device = raw.get("device_id") or uuid.uuid5(_NAMESPACE, str(raw.get("user_id"))).hex
    digest = blake2b(f"{device}\0{insert_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
