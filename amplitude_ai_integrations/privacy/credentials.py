"""Secrets that are known by their own shape: API keys, JSON web tokens, private keys, bearer tokens."""

from __future__ import annotations

import base64
import re
from typing import Final

from .spans import Span, matches

# Whatever has one of these shapes holds so many letters, digits, dashes and underscores in a row.
_RUN: Final = b"w" * 20
_WORDS: Final = bytes(ord("w" if bytes([i]).isalnum() or i in b"_-" else " ") for i in range(256))
_API_KEY = re.compile(
    r"[-_]{0,4}("
    r"(?:[spr]k_(?:live|test)|whsec|gh[pousr]|github_pat|npm|hf|gsk|shp(?:at|ca|pa|ss)|dop_v1|glsa|sbp|figd"
    r"|lin_api|ntn|rubygems|dckr_pat|lsv2_[ps]t|phx|r8)_(?=[A-Za-z0-9]{16})[\w-]+"
    r"|(?:gl(?:pat|rt|cbt|dt|ptt|ft|soat)|xox[abeoprs]|xapp|pypi|GOCSPX)-(?=[\w-]{0,60}?\d)[\w-]{14,}"
    r"|(?:sk|nvapi|tvly|pplx|xai|PMAK|NRAK)-(?=[\w-]{0,40}?[A-Za-z0-9]{16})[\w-]{20,}|sk-lf-[\w-]{30,}"
    r"|(?:A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}|(?:SK|AC|dapi|key-)[0-9a-f]{32}|AIza[\w-]{35})(?![\w-])"
    r"|(?<=SG\.)[\w-]{20,100}\.[\w-]{20,}|(?<=ya29\.)[\w-]{20,}|(?<=hvs\.)[\w-]{20,}|(?<=\d:)AA[\w-]{33})",
    re.ASCII,
)
_BEFORE_THE_RUN: Final = ("SG.", "ya29.", "hvs.")  # belongs to the key, too

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,50}-----")
_PRIVATE_KEY_CUT_OFF = re.compile(r"(?:(?:\s|\\[nr]){1,4}[A-Za-z0-9+/=]{30,100})*")
_LONGEST_PRIVATE_KEY = 20_000

_WEB_TOKEN = re.compile(r"(?<![\w-])(eyJ[\w-]{10,}(?:\.[\w-]{4,}){1,4})", re.ASCII)
_BEARER = re.compile(
    r"earer[ \t]{1,4}((?=\S{0,60}?(?:[\d_]|\.\w))[\w.~+/-]{13,8000}[\w~+/-]={0,2})", re.ASCII | re.IGNORECASE
)
_BASIC = re.compile(r"asic ([A-Za-z0-9+/]{8,400}={0,2})(?![\w=])", re.ASCII)
_SLACK = re.compile(r"hooks\.slack\.com/services/([\w/]{20,120})", re.ASCII)


def credentials(text: str, raw: bytes, found: list[Span]) -> None:
    """Find secrets by their shape; ``raw`` is the text, one byte for each character."""
    if "-----BEGIN" in text:
        _private_keys(text, found)
    words = raw.translate(_WORDS)
    at = words.find(_RUN)
    if at >= 0:
        _api_keys(text, words, at, found)
        _after("eyJ", _WEB_TOKEN, "[token]", text, found)
        _after("hooks.slack.com/", _SLACK, "[api_key]", text, found)
    if "earer" in text:
        _after("earer", _BEARER, "[token]", text, found)
    if "EARER" in text:
        _after("EARER", _BEARER, "[token]", text, found)
    if "asic " in text:
        found += [
            (*match.span(1), "[token]")
            for match in matches(_BASIC, text, "asic ")
            if _is_user_and_password(match[1])
        ]


def _after(needle: str, pattern: re.Pattern[str], label: str, text: str, found: list[Span]) -> None:
    found += [(*match.span(1), label) for match in matches(pattern, text, needle)]


def _api_keys(text: str, words: bytes, at: int, found: list[Span]) -> None:
    while at >= 0:
        if match := _API_KEY.match(text, at):
            start, end = match.span(1)
            start -= next((len(head) for head in _BEFORE_THE_RUN if text.endswith(head, 0, start)), 0)
            found.append((start, end, "[api_key]"))
        end_of_run = words.find(b" ", at)
        at = words.find(_RUN, end_of_run) if end_of_run >= 0 else -1


def _private_keys(text: str, found: list[Span]) -> None:
    closing = -1
    for match in matches(_PRIVATE_KEY, text, "-----BEGIN"):
        start, end = match.span()
        if closing < end:
            closing = text.find("-----END", end)
            closing = len(text) if closing < 0 else closing
        last = _PRIVATE_KEY_END.match(text, closing) if closing - end <= _LONGEST_PRIVATE_KEY else None
        last = last or _PRIVATE_KEY_CUT_OFF.match(text, end)
        found.append((start, last.end() if last else end, "[private_key]"))


def _is_user_and_password(credentials: str) -> bool:
    try:
        plain = base64.b64decode(credentials, validate=True)
    except ValueError:
        return False
    return b":" in plain and plain.isascii() and plain.decode().isprintable()
