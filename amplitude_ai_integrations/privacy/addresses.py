"""E-mail addresses and IPv6 addresses in a text."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from . import vocabulary
from .spans import Span, is_word, places

# Latin, Greek and Cyrillic: scripts that put a space between a word and an address. In all others an address
# is taken to end where these do, if that makes one.
_LETTER = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u0370-\u04ff\u1e00-\u1eff"
_LONGEST_LOCAL_PART = 64
_LOCAL_PART = re.compile(rf"[{_LETTER}0-9._%+'-]{{0,63}}[{_LETTER}0-9_]")  # read backwards from the sign
_ANY_LOCAL_PART = re.compile(r"[\w.%+'-]{0,63}\w")
_DOMAIN = re.compile(
    rf"(?:[{_LETTER}0-9][{_LETTER}0-9-]{{0,62}}\.){{1,8}}(?:[{_LETTER}]{{2,24}}|xn--[a-z0-9-]{{2,20}})"
    r"(?!-?[A-Za-z0-9])"
)
_ANY_DOMAIN = re.compile(r"(?:\w[\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?!-?[A-Za-z0-9])")
_REMOTE_PATH = re.compile(r":(?:[~/]|[\w.-]{1,100}/)")

_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_HEX: Final = "0123456789ABCDEFabcdef:"
_IPV6 = re.compile(r"[0-9A-Fa-f:]+(?:(?:\.[0-9]{1,3}){3})?")
_SLICED = re.compile(r"[\w)\]]\[\Z")


def emails(text: str, sign: str, found: list[Span]) -> None:
    """Find e-mail addresses with ``sign`` in the middle: ``@``, or ``%40`` in a URL."""
    for at in places(text, sign):
        domain = _DOMAIN.match(text, at + len(sign)) or _ANY_DOMAIN.match(text, at + len(sign))
        if domain is None:
            continue
        backwards = text[max(0, at - _LONGEST_LOCAL_PART) : at][::-1]
        local = _LOCAL_PART.match(backwards) or _ANY_LOCAL_PART.match(backwards)
        if local is None:
            continue
        start, end = at - local.end(), domain.end()
        if text[start - 1 : start] == "\\" and text[start] in "nrt":  # a line end, escaped
            start += 1
        if start < at and not _is_something_else(text, start, at, end):
            found.append((start, end, "[email]"))


def _is_something_else(text: str, start: int, at: int, end: int) -> bool:
    """Tell a user in a URL, `git@host:path` and the file `icon@2x.png` from an address."""
    if (
        text.endswith("//", 0, start)
        or text[end - 8 : end].rpartition(".")[2].lower() in vocabulary.FILE_ENDINGS
    ):
        return True
    return text.startswith(":", end) and (
        text[start:at] in vocabulary.REPOSITORY_USERS or _REMOTE_PATH.match(text, end) is not None
    )


def ipv6_addresses(text: str, found: list[Span]) -> None:
    """Find IPv6 addresses, and leave slices, times, scopes and hardware addresses alone."""
    done = 0
    while colons := _COLONS.search(text, done):
        at = colons.start()
        before = text[max(done, at - 4) : at]
        start = at - len(before) + len(before.rstrip(_HEX))
        end = done = _IPV6.match(text, start).end()  # type: ignore[union-attr]  # at least the colons
        # One colon before or behind belongs to the sentence; a letter makes it a part of a longer name.
        if text[start] == ":" and text[start + 1] != ":":
            start += 1
        elif start and (is_word(text[start - 1]) or text[start - 1] in "_."):
            continue
        if text[end - 1] == ":" and text[end - 2] != ":":
            end -= 1
        if not is_word(text[end : end + 1]) and _is_ipv6(text, start, end):
            found.append((start, end, "[ip_address]"))


def _is_ipv6(text: str, start: int, end: int) -> bool:
    if not 3 <= end - start <= 45 or _SLICED.search(text[max(0, start - 2) : start]):
        return False
    address = text[start:end]
    if "::" not in address and address.count(":") != 7:
        return False
    groups = [group for group in address.split(":") if group]
    # 1::2 may be a slice and dead::beef a name: a real address says more, except for the loopback.
    if address != "::1" and (
        not any(map(str.isdigit, address)) or (len(groups) < 3 and max(map(len, groups)) < 3)
    ):
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True
