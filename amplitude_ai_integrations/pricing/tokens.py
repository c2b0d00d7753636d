"""How many tokens a text has, where its provider did not say."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from .names import strip_provider_prefix

_READ_WHOLE: Final = 32_000  # characters; of longer texts we read samples, as all of it would take too long
_SAMPLES: Final = 40
_LONGEST_RUN: Final = 1_000  # characters; a tokenizer may take quadratic time on a single word
_RUN: Final = re.compile(r"\w+|\W+")
_VOCABULARIES: Final = "https://openaipublic.blob.core.windows.net/encodings/"

# What makes about one token in the vocabularies of today, o200k_base and its like.
_TOKEN: Final = re.compile(
    r"""
      _?(?:[A-Z]?[a-z]{1,10}|[A-Z]{1,4})(?:'(?:s|t|m|d|re|ve|ll)\b)?(?![\u00c0-\u024f\u1e00-\u1eff])
    | [A-Za-z\u00c0-\u024f\u1e00-\u1eff]{1,4}  # words with accents are cut smaller
    | [ ](?=\d) | \d{1,3}
    | [\u4e00-\u9fff]{1,2} | [\u3040-\u30ff\uac00-\ud7a3]{1,2}  # Chinese; kana and Hangul
    | [\u3000-\u303f\uff00-\uffef]  # their signs
    | [\u0370-\u04ff]{1,5}  # Greek and Cyrillic
    | [\U0001f000-\U0001faff] | [^\x00-\x7f\s]{1,3}  # pictures; all other scripts
    | [!-/:-@\[-`{-~]{1,3}  # ASCII signs
    | \s*\n\s* | \s{2,}  # a single space belongs to the word after it
    """,
    re.VERBOSE,
)


def estimate_tokens(text: str, model: str = "") -> int:
    """Return about how many tokens ``text`` has.

    Exact for OpenAI's models where ``tiktoken`` is installed and has its vocabulary on disk, which is never
    downloaded for this; else by the kind of characters, within a quarter for most languages and for code.
    """
    if not text:
        return 0
    if len(text) > _READ_WHOLE:
        step, length = len(text) // _SAMPLES, _READ_WHOLE // _SAMPLES
        sample = "".join(text[at : at + length] for at in range(0, step * _SAMPLES, step))
        return round(len(_TOKEN.findall(sample)) * len(text) / len(sample))
    encoding = _encoding(model)
    if encoding is not None and max(map(len, _RUN.findall(text))) <= _LONGEST_RUN:
        return len(encoding.encode_ordinary(text))
    return max(1, len(_TOKEN.findall(text)))


@lru_cache(maxsize=64)
def _encoding(model: str) -> Any:
    try:
        import tiktoken
        from tiktoken.registry import ENCODINGS

        name = tiktoken.encoding_name_for_model(strip_provider_prefix(model))
        return tiktoken.get_encoding(name) if name in ENCODINGS or _is_on_disk(name) else None
    except (ImportError, KeyError, OSError):  # KeyError: no model of OpenAI's
        return None


def _is_on_disk(vocabulary: str) -> bool:
    """Tell whether ``tiktoken`` has downloaded a vocabulary; its file is named after the address."""
    default = str(Path(tempfile.gettempdir(), "data-gym-cache"))
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))
    address = f"{_VOCABULARIES}{vocabulary.replace('harmony', 'base')}.tiktoken"
    name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    return Path(folder, name).is_file()
