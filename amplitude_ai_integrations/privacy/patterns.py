"""What personal data and secrets look like, in patterns that take linear time.

Each pattern starts only where its first character is not preceded by one of its own kind and is bounded
in length, so that no input makes the engine look at a character more than a bounded number of times.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}"
    r"@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-]|:[\w./~-])"
)
_DIGIT = re.compile(r"\d")
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{6,39}(?:\.\d{1,3}){0,3}(?![\w:])")
_DATA_URL = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,64})?[\w;=.+-]{0,128},[A-Za-z0-9+/=_%-]{32,}")
_SECRETS: Final = (
    re.compile(r"(?<![\w-])(?:sk|pk|rk)-(?:[A-Za-z]{2,12}-){0,3}[A-Za-z0-9_-]{20,200}"),
    re.compile(
        r"(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{30,255}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|xox[abprs]-[\w-]{10,250})"
    ),
)
_BEARER = re.compile(r"(?i)(?<![\w-])(bearer[ \t]{1,4})[A-Za-z0-9._~+/-]{16,4096}={0,2}")
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----[^-]{0,20000}(?:-----END \1-----)?")

_CARD = re.compile(
    r"(?<![\w.+-])[2-6]\d{3}(?:(?:[ -]?\d{4}){2,3}[ -]?\d{1,4}|[ -]?\d{6}[ -]?\d{4,5})(?![\w-]|\.\d)"
)
_SSN = re.compile(r"(?<![\w.+-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-]|\.\d)")
_US_PHONE = re.compile(r"(?<![\w.+-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)")
_FOREIGN_PHONE = re.compile(r"(?<![\w.+-])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?![\w-]|\.\d)")
_VERSION_WORD = re.compile(r"(?i)(?:version|release|section|chapter|build|ver|v|§)[\s:.#]{0,3}\Z")


def is_card(digits: str) -> bool:
    """Tell whether 13 to 19 digits are a card number, by issuer range and checksum (Luhn)."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _card(match: re.Match[str]) -> str:
    return "[credit_card]" if is_card(re.sub(r"\D", "", match[0])) else match[0]


def _ipv4(match: re.Match[str]) -> str:
    if any(int(part) > 255 for part in match[0].split(".")):
        return match[0]
    before = match.string[max(0, match.start() - 12) : match.start()]
    return match[0] if _VERSION_WORD.search(before) else "[ip_address]"


def _ipv6(match: re.Match[str]) -> str:
    groups = [group for group in match[0].split(":") if group]
    # A slice such as 1::2 or a clock time is valid or nearly so; a real address says more.
    if len(groups) < 4 and not any(len(group) >= 3 for group in groups):
        return match[0]
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return match[0]
    return "[ip_address]"


def binary(text: str) -> str:
    """Replace data URLs by what they were, before anything else reads through them."""
    if "data:" not in text:
        return text
    return _DATA_URL.sub(lambda match: f"[{match[1] or 'data'}, {len(match[0])} characters]", text)


def redact(text: str) -> str:
    """Replace secrets, e-mail addresses, card, social security and phone numbers and IP addresses."""
    if "-" in text or "_" in text or "A" in text:
        for pattern in _SECRETS:
            text = pattern.sub("[api_key]", text)
        if "-----BEGIN" in text:
            text = _PRIVATE_KEY.sub("[private_key]", text)
    if "earer" in text or "EARER" in text:
        text = _BEARER.sub(r"\1[token]", text)
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if ":" in text:
        text = _IPV6.sub(_ipv6, text)
    return _digits(text) if _DIGIT.search(text) else text


def _digits(text: str) -> str:
    if "." in text:
        text = _IPV4.sub(_ipv4, text)
    text = _CARD.sub(_card, text)
    text = _SSN.sub("[ssn]", text)
    text = _US_PHONE.sub("[phone]", text)
    return _FOREIGN_PHONE.sub("[phone]", text) if "+" in text else text
