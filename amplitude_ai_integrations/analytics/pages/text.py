"""Text that strangers wrote, made safe to look at: nothing in it acts, everything in it shows."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from markupsafe import Markup, escape

# Characters that act without being seen: controls, bidi marks, zero-width and tag characters, surrogates.
_ACTING = (
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufdd0\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e01ef"
)
ACTING = re.compile(f"[{_ACTING}]")
_ACTING_RUN = re.compile(f"[{_ACTING}]+")
_COMBINING = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_DATA_URL = re.compile(
    r"data:([a-z]{1,20}/[a-z0-9.+-]{1,60})?(?:;[a-z0-9=-]{1,40})*,?([A-Za-z0-9+/=_%-]{64,})", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"\[(email|phone|credit_card|ssn|ip_address|api_key|bearer_token|private_key|secret|iban|redacted)\]",
    re.IGNORECASE,
)
NUL_STAND_IN = "\ufdd0"  # Markdown parsers replace NUL; this noncharacter carries it through them
_JOINERS = "\u200c\u200d"
_SHORT_NAMES = {
    "\0": "NUL", NUL_STAND_IN: "NUL", "\a": "BEL", "\b": "BS", "\v": "VT", "\f": "FF", "\r": "CR",
    "\x1b": "ESC", "\x7f": "DEL", "\u00ad": "SHY", "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ",
    "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF",
    "\u202d": "LRO", "\u202e": "RLO", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
    "\ufeff": "BOM", "\u2060": "WJ", "\u2028": "LSEP", "\u2029": "PSEP",
}  # fmt: skip


def _name(char: str) -> str:
    return _SHORT_NAMES.get(char) or f"U+{ord(char):04X}"


def _title(char: str) -> str:
    if char == NUL_STAND_IN:
        char = "\0"
    return f"U+{ord(char):04X} {unicodedata.name(char, 'CONTROL CHARACTER')}"


def _joins(text: str, position: int) -> bool:
    """Whether a joiner stands where emoji and scripts need one: between marks or letters that join."""
    if not 0 < position < len(text) - 1:
        return False
    kinds = {unicodedata.category(text[position - 1]), unicodedata.category(text[position + 1])}
    return kinds <= {"So", "Sk", "Lo", "Mn", "Mc", "Me"}


def _keeps(match: re.Match[str]) -> bool:
    run = match.group()
    return len(run) == 1 and run in _JOINERS and _joins(match.string, match.start())


def _chips(run: str) -> str:
    chips = []
    for char, group in groupby(run):
        count = len(list(group))
        times = f" ×{count:,}" if count > 1 else ""  # noqa: RUF001
        chips.append(f'<span class=chip title="{_title(char)}">{_name(char)}{times}</span>')
        if len(chips) == 40:
            chips.append("…")
            break
    return "".join(chips)


def _measure(match: re.Match[str]) -> str:
    kind, payload = match.group(1) or "text/plain", match.group(2)
    count = len(payload) * 3 // 4
    size = f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{max(count / 1000, 0.1):.1f} kB"
    return f"({kind}, {size}, not shown)"


def tamed(text: str) -> str:
    """Text without what makes a page slow or tall: binary content and towers of combining marks."""
    if "data:" in text or "DATA:" in text:
        text = _DATA_URL.sub(_measure, text)
    return text if text.isascii() else _COMBINING.sub(r"\1", text)


def defused(value: object) -> object:
    """What every template expression passes through: no acting character reaches an attribute either."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _ACTING_RUN.sub(lambda run: run.group() if _keeps(run) else _named(run.group()), value)


def _named(run: str) -> str:
    return "".join(f"[{_name(char)}]" for char in run[:40])


def _mark(match: re.Match[str]) -> str:
    kind = match.group(1)
    words = kind.lower().replace("_", " ")
    return f'<mark title="Redacted: {words}"><i>[</i>{kind.replace("_", "<i class=u>_</i>")}<i>]</i></mark>'


def said(text: str) -> Markup:
    """Text as its author wrote it, with acting characters and redactions as visible marks."""
    safe = str(escape(tamed(text)))
    if "[" in safe:
        safe = _PLACEHOLDER.sub(_mark, safe)
    shown = _ACTING_RUN.sub(lambda run: run.group() if _keeps(run) else _chips(run.group()), safe)
    return Markup(shown)  # noqa: S704 - escaped above, and only marks were added


def one_line(text: str, limit: int = 200) -> Markup:
    """The beginning of a text on one line."""
    return said(_first(text, limit))


def _first(text: str, limit: int) -> str:
    words = " ".join(tamed(text[: limit * 8]).split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def plain(text: str, limit: int = 80) -> str:
    """A text for places without markup: no control characters, one line, not long."""
    return _first(ACTING.sub(" ", text), limit)
