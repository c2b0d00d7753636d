"""What an outbox tells of itself, for people to read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .outbox import Outbox


def report(outbox: Outbox, server: str, trouble: str) -> dict[str, Any]:
    """Return the counters, where events wait, and why the last request failed, if it did."""
    counters, why = outbox.counters, outbox.why_memory
    place = str(outbox.spool.folder) if outbox.spool is not None and not why else "memory"
    return {
        "server": _without_login(server),
        "spool": f"{place} ({why})" if why else place,
        "appended": counters.appended,
        "sent": counters.sent,
        "retried": counters.retried,
        "dead": dict(counters.dead),
        "dropped": dict(counters.dropped),
        "adopted": counters.adopted,
        "adopted_sent": counters.adopted_sent,
        "adopted_dead": dict(counters.adopted_dead),
        "adopted_dropped": dict(counters.adopted_dropped),
        "unreadable": counters.bad,
        "oldest_seconds": round(outbox.oldest, 1),
        "failing": trouble,
    }


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
