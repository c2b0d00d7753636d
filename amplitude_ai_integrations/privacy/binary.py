"""Images, documents and other binary data inside a text: told by type and size, never sent."""

from __future__ import annotations

import base64
import re
from typing import Final

from .spans import Span, is_word, places, replaced

_SHORTEST = 32  # characters of base64 with a known header, or of a data URL that is not base64
_UNBROKEN = 1_000  # characters of base64 that are data without any header
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_HEADERS: Final = {
    "iVBORw0KG": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "JVBERi": "application/pdf",
    "UklGR": "",  # RIFF: its ninth to twelfth byte tell what it is
}
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_DATA_URL = re.compile(r"data:([\w.+-]{1,64}\\?/[\w.+-]{1,64})?(?:;[^;,\s\"']{1,128}){0,6},")
_RUN = re.compile(r"[A-Za-z0-9+/=_%-]*")
# Base64 goes on after a slash escaped as in JSON, and on the next line where that is nothing but base64.
_LETTER = r"(?:[A-Za-z0-9+/]|\\/)"
_BREAK = re.compile(
    r"\\/|(?:\r?\n|(?:\\r)?\\n)"
    rf"(?={_LETTER}{{40}}|(?=[A-Za-z+/]{{0,38}}\d|[^=]{{2,39}}=){_LETTER}{{2,39}}={{0,2}}(?:[\r\n\"'\\<]|\Z))"
)
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[^0-9]*[0-9]")


def binary(text: str) -> str:
    """Replace data URLs and base64 by their type and their length in characters."""
    spans: list[Span] = []
    if "data:" in text:
        _data_urls(text, spans)
    if len(text) >= _SHORTEST:
        _headed(text, spans)
    if len(text) >= _UNBROKEN:
        _unheaded(text, spans)
    return replaced(text, spans)


def _told(kind: str, start: int, end: int) -> Span:
    return start, end, f"[{kind}, {end - start} characters]"


def _data_urls(text: str, spans: list[Span]) -> None:
    for at in places(text, "data:"):
        head = _DATA_URL.match(text, at)
        if head is None:
            continue
        end = _end_of_run(text, head.end())
        if end - head.end() >= (1 if head[0].endswith(";base64,") else _SHORTEST):
            spans.append(_told((head[1] or "data").replace("\\", ""), at, end))


def _headed(text: str, spans: list[Span]) -> None:
    for header, kind in _HEADERS.items():
        if header not in text:
            continue
        end = 0
        for at in places(text, header):
            if at < end or (at and is_word(text[at - 1])):
                continue
            end = _end_of_run(text, at)
            if end - at >= _SHORTEST:
                spans.append(_told(kind or _riff(text[at : at + 16]), at, end))


def _unheaded(text: str, spans: list[Span]) -> None:
    """Find long runs by looking at the end of every thousand characters, where prose has a space."""
    at = 0
    while at + _UNBROKEN <= len(text):
        before_run = len(text[at : at + _UNBROKEN].rstrip(_ALPHABET))
        if before_run:
            at += before_run
            continue
        end = _end_of_run(text, at)
        if _MIXED.match(text, at, at + _UNBROKEN):
            spans.append(_told("base64", at, end))
        at = end


def _end_of_run(text: str, at: int) -> int:
    """Return where base64 ends that begins at ``at``."""
    end = at
    while run := _RUN.match(text, end):
        end = run.end()
        onward = _BREAK.match(text, end)
        if onward is None:
            break
        end = onward.end()
    return end


def _riff(head: str) -> str:
    try:
        return _RIFF.get(base64.b64decode(head)[8:12], "data")
    except ValueError:
        return "data"
