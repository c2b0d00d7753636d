"""What is personal in a text; one that is JSON is redacted value by value and otherwise left as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from .binary import binary
from .checks import is_card
from .keys import CARD, instead_of_number, instead_of_text
from .patterns import redact

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?[0-9][0-9.eE+-]*|[{}]')
_SHORT = 64  # characters of a name that is worth remembering
_syntax = msgspec.json.Decoder(msgspec.Raw)
_strings = msgspec.json.Decoder(str)


def personal_text(text: str, key: str = "") -> str:
    """Return a text without what is personal in it, as its key, its JSON or its words tell."""
    decided = instead_of_text(key, text)
    if decided is not None:
        return decided
    if text.lstrip()[:1] in {"{", "["} and _is_json(text):
        return _TOKEN.sub(_Rewriting(key), text)
    return redact(text)


def personal_number(digits: str, key: str) -> str | None:
    """Return what stands instead of a number, ``None`` where it may stay."""
    return instead_of_number(key, digits) or (CARD if is_card(digits) else None)


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """Return a name, numbered where another became the same, so that both keep their value."""
    free, number = name, len(taken) + 1
    while free in taken:
        free = f"{name} {number}"
        number *= 2  # and not the next: whoever chooses the names must not make this long
    return free


def _is_json(text: str) -> bool:
    try:
        _syntax.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


class _Rewriting:
    """Replaces token after token of one JSON text, knowing each value's key."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._names: dict[str, str] = {}  # of the innermost open object: as they are, by what they became
        self._around: list[tuple[str, dict[str, str]]] = []

    def __call__(self, match: re.Match[str]) -> str:
        token: str = match[0]
        kind = token[0]
        if kind == '"':
            return self._name(token, match[1]) if match[1] else self._string(token)
        if kind == "{":
            self._around.append((self._key, self._names))
            self._names = {}
        elif kind == "}":
            self._key, self._names = self._around.pop()
        else:
            safe = personal_number(token, self._key)
            return token if safe is None else json.dumps(safe)
        return token

    def _string(self, token: str) -> str:
        text = _content(token)
        shown = binary(text) if "\\/" in token else text  # escaped, its beginning did not look like base64
        safe = personal_text(shown, self._key)
        return token if safe == text else json.dumps(safe, ensure_ascii=token.isascii())

    def _name(self, token: str, colon: str) -> str:
        token = token[: -len(colon)]
        self._key = name = _content(token)
        safe = _short_name(name) if len(name) <= _SHORT else redact(name)
        if self._names.get(safe, name) != name:
            safe = free_name(safe, self._names)
        self._names[safe] = name
        return (token if safe == name else json.dumps(safe, ensure_ascii=token.isascii())) + colon


@lru_cache(1024)
def _short_name(name: str) -> str:
    return redact(name)


def _content(token: str) -> str:
    return _strings.decode(token) if "\\" in token else token[1:-1]
