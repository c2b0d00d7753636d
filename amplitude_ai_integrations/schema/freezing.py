"""Values as they are now, for events that have to wait."""

from __future__ import annotations

from typing import Any

from .enrichments import Enrichment
from .values import plain


def frozen(value: Any) -> Any:
    """Return a value that the caller cannot change any more."""
    return value if isinstance(value, (str, int, float, Enrichment)) else plain(value)
