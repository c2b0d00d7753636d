"""Numbers in a text that point to a person: IPv4, bank accounts, cards, social security and telephones."""

from __future__ import annotations

import re
from typing import Final

from .checks import iban_length, is_iban
from .spans import Span, is_word
from .verdicts import VERDICTS

# Only in seven or more digits and separators in a row can anything below begin, or shortly before it.
_DIGITS: Final = bytes(
    ord("0" if i in b"0123456789" else " " if i in b" ()+-./" else "x") for i in range(256)
)
_RUN = re.compile(rb"0[0 ]{5,}0")
_AFTER_RUN = 40  # characters in which an extension or the rest of an IBAN may follow
_DULL = re.compile(r"(?:19|20)\d\d([-/.])[01]\d\1[0-3]\d(?: \d\d)?|\d+\.\d+")  # dates and decimals
_GROUP = re.compile(r"[0-9]+")

_EXTENSION = r"(?:[ ,]{0,2}(?:[xX]|[eE]xt\.?|extension)[ .]?\d{1,6})?"
_CARD = r"""\d{13,19}
    | (?<![ \n][0-9A-F]{4}[ ])\d{4}(?P<gap>[ .-])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?:(?P=gap)\d{1,3})?
    | \d{4}(?P<other_gap>[ .-])\d{6}(?P=other_gap)\d{4,5}"""
_SSN = r"(?!000|666|9)\d{3}(?P<dash>[ -])(?!00)\d\d(?P=dash)(?!0000)\d{4}"
_ABROAD = r"(?:\((?=\+\d{1,3}\)))?(?:\+|%2B|00(?=[1-9]\d{0,2}[ (-]{1,2}[1-9]))[1-9](?:[ ().-]{0,2}\d){6,17}"
_AMERICAN = r"""(?:1[ .-]?)?
    (?: \(\d{3}\)[ .-]?\d{3}[ .-]? | \d{3}(?:[.]\d{3}[.]|[ /-]\d{3}[ -]) )\d{4}"""
_NATIONAL = r"""(?<!\d[ ])0[1-9](?:[ .-]\d\d){4}(?![ ]\d\d)
    | (?<!/)\(?0[1-9]\d{0,3}\)?[ /-]\d{3,8}(?:[ -]\d{2,4})?
    | \(\d\d\)[ ]\d{4,5}-\d{4}"""
_TOLD = r"(?<![\d)][ ().-])\(?\d[\d ().-]{5,18}\d"  # by the words before it
_NUMBER = re.compile(
    rf"""(?<![\w+$])(?:
      (?<![.])(?<![A-Za-z]-)(?P<ipv4>\d{{1,3}}(?:\.\d{{1,3}}){{3}})(?!\w|\.\d|-[A-Za-z])
    | (?<!\d[.-])(?:
        (?P<card>{_CARD})
      | (?<![A-Za-z]-)(?:
          (?P<ssn>{_SSN})
        | (?P<abroad>{_ABROAD}){_EXTENSION}
        | (?P<american>{_AMERICAN}){_EXTENSION}
        | (?P<national>{_NATIONAL})
        | (?P<told>{_TOLD}){_EXTENSION}
      ))(?!\w|[.-]\d))""",
    re.ASCII | re.VERBOSE,
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,34}", re.ASCII)
_BEFORE_RUN = 12  # characters of an IBAN that may stand before: country, checksum, bank


def numbers(text: str, raw: bytes, found: list[Span]) -> None:
    """Find personal numbers; ``raw`` is the text, one byte for each character."""
    done = 0
    for run in _RUN.finditer(raw.translate(_DIGITS)):
        start, end = run.span()
        before = text[max(done, start - _BEFORE_RUN) : start]
        if before.rstrip(" -")[-1:].isupper() and (
            iban := _iban(text, start - len(before), end + _AFTER_RUN)
        ):
            found.append(iban)
            done = iban[1]
        if _DULL.fullmatch(text, start, end):
            continue
        for group in _GROUP.finditer(text, max(done, start), end):
            for at in _starts(text, group.start()):
                if at >= done and (span := _number(text, at, end + _AFTER_RUN)):
                    found.append(span)
                    done = span[1]


def _number(text: str, at: int, end: int) -> Span | None:
    match = _NUMBER.match(text, at, end)
    verdict = VERDICTS[match.lastgroup](match) if match and match.lastgroup else None
    return (at, verdict[1], verdict[0]) if verdict else None


def _starts(text: str, at: int) -> list[int]:
    """Return where a number may begin whose first digit is at ``at``: there, or before its signs."""
    starts = [at]
    for sign in ("(", "+", "%2B", "("):
        if text.endswith(sign, 0, starts[0]):
            starts.insert(0, starts[0] - len(sign))
    return starts


def _iban(text: str, start: int, end: int) -> Span | None:
    match = _IBAN.search(text, start, end)
    length = iban_length(match[0][:2]) if match else 0
    if match is None or not length:
        return None
    characters = ""
    for place, character in enumerate(match[0], match.start() + 1):
        if character.isalnum():
            characters += character
        if len(characters) == length:
            is_over = not is_word(text[place : place + 1])
            return (match.start(), place, "[iban]") if is_over and is_iban(characters) else None
    return None
