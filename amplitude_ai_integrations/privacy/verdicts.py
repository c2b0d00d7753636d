"""Whether digits of a familiar shape are what they look like, by themselves and the words before them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from . import vocabulary
from .checks import is_card, longest_phone
from .keys import CARD, PHONE, SSN

Verdict = tuple[str, int] | None  # what stands there instead, and where it ends

_BEFORE = 48  # characters in which words are looked for
_WORD_BACKWARDS = re.compile(r"[\W\d_]*([^\W\d_]+)")
_COMPARISONS: Final = frozenset({"==", ">=", "<=", "~=", "!="})
_REQUIREMENT = re.compile(r"(?<![\w.])(?!\w*(?:ip|addr|host|src|dst))[\w.\]-]{1,30} ?..\s?\Z")
_DATE = re.compile(r"\d{4}[.-]\d\d[.-]\d\d|\d\d[.-]\d\d[.-]\d{4}")
_NO_DIGIT = re.compile(r"\D")
_GAP = re.compile(r"[ .-]+")


def _digits(text: str) -> str:
    return _NO_DIGIT.sub("", text)


def _last_word(text: str, at: int, fillers: frozenset[str]) -> str:
    """Return the last word before ``at`` on its line that is not a filler, in lower case."""
    backwards = text[max(0, at - _BEFORE) : at][::-1]
    done = 0
    while match := _WORD_BACKWARDS.match(backwards, done):
        word = match[1][::-1].lower()
        if word not in fillers:
            return "" if "\n" in backwards[: match.end()] else word
        done = match.end()
    return ""


def _ipv4(match: re.Match[str]) -> Verdict:
    text, start, end = match.string, *match.span()
    before = text[max(0, start - _BEFORE) : start]
    is_something_else = (
        any(int(part) > 255 for part in match["ipv4"].split("."))
        or _last_word(text, start, vocabulary.BETWEEN_VERSIONS) in vocabulary.VERSION_WORDS
        or (before.rstrip()[-2:] in _COMPARISONS and _REQUIREMENT.search(before))
        # A product and its version; a host's name and its address are followed by the port.
        or (before[-1:] == "/" and before[-2:-1].isalpha() and not text.startswith(":", end))
    )
    return None if is_something_else else ("[ip_address]", end)


def _card(match: re.Match[str]) -> Verdict:
    number, gap = match["card"], match["gap"]
    # A fifth group may be the end of a long number, or another number.
    numbers = [number, number.rpartition(gap)[0]] if gap and number.count(gap) == 4 else [number]
    for candidate in numbers:
        if is_card(_digits(candidate)):
            return CARD, match.start() + len(candidate)
    return _by_words(match)


def _ssn(match: re.Match[str]) -> Verdict:
    return SSN, match.end()


def _abroad(match: re.Match[str]) -> Verdict:
    number = match["abroad"]
    digits = _digits(number.replace("%2B", "").replace("(0)", "")).lstrip("0")
    signs = set(number) - set("0123456789%B+(")
    if len(digits) < (8 if signs else 9):
        return None
    if "." in signs and ("-" in signs or number.count(".") == 1):  # a coordinate or another decimal
        return None
    surplus = len(digits) - longest_phone(digits)
    if surplus > 0:
        for gap in reversed([*_GAP.finditer(number)]):  # behind which another number begins
            if len(_digits(number[gap.start() :])) >= surplus:
                return PHONE, match.start() + gap.start()
    return PHONE, match.end()


def _american(match: re.Match[str]) -> Verdict:
    number = match["american"]
    digits = _digits(number)[-10:]
    if "(" not in number and "-" not in number and (digits[0] in "01" or digits[3] in "01"):
        return None  # no area or exchange begins so
    return PHONE, match.end()


def _national(match: re.Match[str]) -> Verdict:
    return (PHONE, match.end()) if 10 <= len(_digits(match["national"])) <= 11 else _by_words(match)


def _by_words(match: re.Match[str]) -> Verdict:
    digits = len(_digits(match[0]))
    if not 7 <= digits <= 15 or _DATE.match(match[0]):
        return None
    word = _last_word(match.string, match.start(), vocabulary.BEFORE_PHONES)
    if digits == 9 and word in vocabulary.SSN_WORDS:
        return SSN, match.end()
    is_written_as_phone = digits >= 10 or not match[0].isdigit()
    if (
        word in vocabulary.PHONE_WORDS
        or word.endswith(vocabulary.PHONE_ENDINGS)
        or (word in vocabulary.CALLING_WORDS and is_written_as_phone)
    ):
        return PHONE, match.end()
    return None


VERDICTS: Final[dict[str, Callable[[re.Match[str]], Verdict]]] = {
    "ipv4": _ipv4,
    "card": _card,
    "ssn": _ssn,
    "abroad": _abroad,
    "american": _american,
    "national": _national,
    "told": _by_words,
}
