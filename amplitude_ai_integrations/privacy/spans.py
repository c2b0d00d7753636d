"""Where something was found in a text, and the text with all of it replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter

Span = tuple[int, int, str]  # from, to, what stands there instead


def is_word(character: str) -> bool:
    """Tell whether a character, if there is one, is an ASCII letter or digit: part of a longer word."""
    return character.isascii() and character.isalnum()


def places(text: str, needle: str) -> Iterator[int]:
    """Yield where ``needle`` stands, from left to right."""
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + len(needle))


def matches(pattern: re.Pattern[str], text: str, needle: str) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern that begin with ``needle``: finding that first is much faster."""
    at = text.find(needle)
    while at >= 0:
        match = pattern.match(text, at)
        if match:
            yield match
        at = text.find(needle, match.end() if match else at + len(needle))


def replaced(text: str, spans: list[Span]) -> str:
    """Return ``text`` with its spans replaced; where two overlap, the one that begins or was found first."""
    if not spans:
        return text
    spans.sort(key=itemgetter(0))
    parts: list[str] = []
    done = 0
    for start, end, label in spans:
        if start >= done:
            parts += text[done:start], label
            done = end
    parts.append(text[done:])
    return "".join(parts)
