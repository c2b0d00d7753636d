"""Numbers of traces and spans that follow from our own ids: a child can name a parent that is told later."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ...propagation import trace_hex

_SPAN: Final = re.compile(r"(?!0{16})[0-9a-f]{16}")


def trace_number(trace_id: str) -> int:
    """Return a trace's number: that of the ``traceparent`` which is sent for it to other services."""
    return int(trace_hex(trace_id)[0], 16) or 1


def span_number(own_id: str, kind: str = "span") -> int:
    """Return a span's number; an id that OpenTelemetry made stays what it is.

    ``kind`` keeps ids apart that a program may choose alike: of messages, of tool calls, of steps.
    """
    if _SPAN.fullmatch(own_id):
        return int(own_id, 16)
    return int.from_bytes(hashlib.sha256(f"{kind}\0{own_id}".encode()).digest()[:8], "big") or 1
