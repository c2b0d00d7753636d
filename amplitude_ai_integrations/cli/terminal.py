"""What the place that is printed to can show."""

from __future__ import annotations

import os
import sys


def can_show_more_than_ascii() -> bool:
    """Tell whether signs beyond ASCII arrive as such."""
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig", "cp65001")


def wants_color() -> bool:
    """Tell whether a person reads it who has not asked for no colours: https://no-color.org."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
