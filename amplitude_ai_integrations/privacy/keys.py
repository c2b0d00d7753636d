"""What a key says about its value: that it is a telephone, card or social security number, or a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from . import vocabulary

PHONE, CARD, SSN = "[phone]", "[credit_card]", "[ssn]"
SECRET = "[REDACTED]"  # noqa: S105 - what stands in its place
PASSWORD, VERSION = "password", "version"

_KEYS: Final = {
    PHONE: vocabulary.PHONE_KEYS,
    CARD: vocabulary.CARD_KEYS,
    SSN: vocabulary.SSN_KEYS,
    SECRET: vocabulary.SECRET_KEYS,
    PASSWORD: vocabulary.PASSWORD_KEYS,
    VERSION: vocabulary.VERSION_KEYS,
}
_KIND_OF_WORD: Final = {word: kind for kind, words in _KEYS.items() for word in words}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST = 64  # characters of a key that says something
_DIGITS: Final = {PHONE: (7, 15), CARD: (12, 19), SSN: (7, 9)}  # fewest and most; leading zeros get lost
_NUMBER = re.compile(r"\+?[\d ().-]+")


def told_by(key: str) -> str | None:
    """Return the kind of value that a key in any spelling announces, or ``None``."""
    return _told_by(key) if 0 < len(key) <= _LONGEST else None


@lru_cache(4096)
def _told_by(key: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(key)]
    if len(words) > 1 and words[-1] in vocabulary.NUMBER_WORDS:
        words.pop()
    before, last = ["", "", *words][-2:]
    if (before, last) == ("social", "security"):
        return SSN
    if last == "key" and before in vocabulary.KINDS_OF_SECRET_KEYS:
        return SECRET
    if last == "pass" and before in vocabulary.OWNERS_OF_PASSES:
        return PASSWORD
    if last == "token" and before in vocabulary.KINDS_OF_PLAIN_TOKENS:
        return None
    return _KIND_OF_WORD.get(last)


def instead_of_text(key: str, text: str) -> str | None:
    """Return what stands instead of a text whose key decides about it: itself where it is a version."""
    kind = told_by(key)
    if kind is None or not text:
        return None
    if kind in {SECRET, PASSWORD}:
        return SECRET
    if not _NUMBER.fullmatch(text):
        return None
    return text if kind == VERSION else _personal_number(kind, text)


def instead_of_number(key: str, digits: str) -> str | None:
    """Return what stands instead of a number whose key decides about it; of a token, a number is a count."""
    kind = told_by(key)
    if kind == PASSWORD:
        return SECRET
    return _personal_number(kind, digits) if kind in _DIGITS else None


def _personal_number(kind: str, text: str) -> str | None:
    fewest, most = _DIGITS[kind]
    return kind if fewest <= sum(map(str.isdigit, text)) <= most else None
