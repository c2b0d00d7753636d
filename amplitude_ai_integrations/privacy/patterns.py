"""Personal data and secrets in a text, and what stands in their place."""

from __future__ import annotations

import re
from typing import Final

from .addresses import emails, ipv6_addresses
from .assignments import assignments
from .credentials import credentials
from .numbers import numbers
from .spans import Span, replaced

_HINT = re.compile(r"[0-9@:=_%-]")  # nothing is personal or secret without one of these
# Characters that stand for a space or a dash inside a number; each remains one character.
_LOOK_ALIKES: Final = (("\u00a0", " "), ("\u202f", " "), ("\u2010", "-"), ("\u2011", "-"))


def redact(text: str) -> str:
    """Replace secrets, e-mail and IP addresses, and card, account, social security and telephone numbers.

    Takes time in proportion to the text's length, whatever it holds. Where a kind of thing can stand is found
    with plain searches first, and the patterns that decide look only there.
    """
    if not _HINT.search(text):
        return text
    scanned = text if text.isascii() else _with_plain_spaces(text)
    raw = scanned.encode("ascii", "replace")
    found: list[Span] = []
    credentials(scanned, raw, found)
    assignments(scanned, found)
    if "@" in scanned:
        emails(scanned, "@", found)
    if "%40" in scanned:
        emails(scanned, "%40", found)
    if ":" in scanned:
        ipv6_addresses(scanned, found)
    numbers(scanned, raw, found)
    return replaced(text, found)


def _with_plain_spaces(text: str) -> str:
    for character, plain in _LOOK_ALIKES:
        text = text.replace(character, plain)
    return text
