"""Secrets that are known by what stands before them: `password=`, `"api_key":`, `--token`, `//user:`."""

from __future__ import annotations

import re
from typing import Final

from . import vocabulary
from .keys import PASSWORD, SECRET, told_by
from .spans import Span, matches, places

_KEY_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_BETWEEN: Final = " \t\"'`\\]"  # may stand between a key and its sign
_LONGEST_KEY = 48


def _value(before: str, stops: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern of a quoted value, or of a bare one that also ends at any of ``stops``."""
    return re.compile(
        rf"{before}(?:\\?([\"'`])(?P<quoted>[^\s\"'`\\]{{4,400}})\\?\1"
        rf"|(?P<bare>[^\s\"'`\\<>(){{}}\[\]|{stops}]{{6,400}}))",
        flags,
    )


_AFTER_EQUALS = _value("=[ \t]{0,4}", ",;&")  # in a program, a URL, a connection string
_AFTER_COLON = _value(":[ \t]{0,4}", ",")
_COOKIES = re.compile(
    r"[:=][ \t]{0,4}([\w.-]{1,80}=[^\s;,\"']{1,4096}(?:; ?[\w.-]{1,80}=[^\s;,\"']{0,4096}){0,50})"
)
_OPTION = _value(r"--(?P<key>[A-Za-z][A-Za-z-]{2,30}) ", "")
_SPOKEN = _value(r"assword[\"'`]?[ \t]{1,3}(?:(?:is|was|to):?[ \t]{1,3}|(?=[\"'`]))", ",;", re.IGNORECASE)
_USER = re.compile(r"://[^\s:/@\"'<>]{0,100}:([^\s/@\"'<>]{1,200})@")
_USER_OPTION = re.compile(r"-u [\"']?[\w.@-]{1,64}:([^\s\"']{4,200})")

_REFERENCES: Final = ("$", "<", "&", "{", "[", "%", ".", "http:", "https:")  # to what is somewhere else
_CALLS: Final = ("(", "[", "{")  # after a name that is no value
_ABOUT_PASSWORDS = re.compile(r"(?i)\A\D*pass(?:w(?:or)?d)?\D*\Z")
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_DIGIT_OR_SIGN = re.compile(r"[0-9!@#$%^&*+=?~]")
_DIGIT_AND_LETTER = re.compile(r"(?=[^0-9]*[0-9])[^A-Za-z]*[A-Za-z]")


def assignments(text: str, found: list[Span]) -> None:
    """Find secrets by the key, option or word before them."""
    if "=" in text:
        _assigned(text, "=", _AFTER_EQUALS, found)
    if ":" in text:
        _assigned(text, ":", _AFTER_COLON, found)
    if "--" in text:
        for match in matches(_OPTION, text, "--"):
            _judge(match, told_by(match["key"]), found)
    for needle in ("assword", "ASSWORD"):
        if needle in text:
            for match in matches(_SPOKEN, text, needle):
                _judge(match, PASSWORD, found)
    if "@" in text and "://" in text:
        _after_user(_USER, text, "://", found)
    if "-u " in text:
        _after_user(_USER_OPTION, text, "-u ", found)


def _after_user(pattern: re.Pattern[str], text: str, needle: str, found: list[Span]) -> None:
    found += [
        (*match.span(1), SECRET)
        for match in matches(pattern, text, needle)
        if not match[1].startswith(_REFERENCES)
    ]


def _assigned(text: str, sign: str, value: re.Pattern[str], found: list[Span]) -> None:
    end = 0
    for at in places(text, sign):
        if at < end:  # inside a value that was read already
            continue
        if text[at - 3 : at].lower() not in vocabulary.ENDS_OF_SECRET_KEYS and text[at - 1] not in _BETWEEN:
            continue
        before = text[max(0, at - _LONGEST_KEY) : at].rstrip(_BETWEEN)
        if before[-3:].lower() not in vocabulary.ENDS_OF_SECRET_KEYS:
            continue
        key = before[len(before.rstrip(_KEY_CHARACTERS)) :]
        kind = told_by(key)
        if kind not in {SECRET, PASSWORD}:
            continue
        if cookies := key.lower().endswith("cookie") and _COOKIES.match(text, at):
            found.append((*cookies.span(1), SECRET))
            end = cookies.end()
        elif match := value.match(text, at):
            before_key = text[at - len(key) - 1 : at - len(key)]
            _judge(match, kind, found, is_literal=sign == "=" and (key.isupper() or before_key in {"?", "&"}))


def _judge(match: re.Match[str], kind: str | None, found: list[Span], *, is_literal: bool = False) -> None:
    """Note a value that is a secret, and not a word, a type or a reference to one.

    A literal stands in quotes, or bare where nothing else can stand: in the environment and in a URL.
    """
    quoted, value = match["quoted"], match["quoted"] or match["bare"].rstrip(".?:")
    if (
        value.startswith(_REFERENCES)
        or "***" in value
        or (not quoted and match.string.startswith(_CALLS, match.end()))
    ):
        return
    judge = {PASSWORD: _is_password, SECRET: _is_secret}.get(kind or "")
    if judge and judge(value, is_literal or bool(quoted)):
        start = match.start("quoted" if quoted else "bare")
        found.append((start, start + len(value), SECRET))


def _is_password(value: str, is_literal: bool) -> bool:
    if not is_literal:
        return _DIGIT_OR_SIGN.search(value) is not None
    return value.lower().rstrip("?") not in vocabulary.TYPE_NAMES and not _ABOUT_PASSWORDS.search(value)


def _is_secret(value: str, is_literal: bool) -> bool:
    if len(value) < 8 or not _DIGIT_AND_LETTER.match(value):
        return False
    return is_literal or not _DOTTED_NAME.fullmatch(value)
