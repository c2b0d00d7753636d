"""How many tokens a text has, where its provider did not say."""

from __future__ import annotations

from functools import cache
from typing import Any

_LETTERS_PER_TOKEN = 4  # what English text averages under today's vocabularies
_EXACT_UP_TO = 200_000  # characters; counting more takes longer than knowing is worth


def estimate_tokens(text: str, model: str = "") -> int:
    """Return about how many tokens ``text`` has: counted where ``tiktoken`` is installed, else by length."""
    if not text:
        return 0
    encoding = _encoding(model) if len(text) <= _EXACT_UP_TO else None
    if encoding is not None:
        return len(encoding.encode(text, disallowed_special=()))
    return max(1, round(len(text) / _LETTERS_PER_TOKEN))


@cache
def _encoding(model: str) -> Any:
    try:
        import tiktoken

        return tiktoken.encoding_for_model(model)
    except (ImportError, KeyError, OSError):  # OSError: the vocabulary is downloaded at first use
        return None
