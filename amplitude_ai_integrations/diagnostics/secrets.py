"""What must not be shown: keys, and passwords in addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_KEY: Final = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{28}([0-9a-fA-F]{4})(?![0-9a-fA-F])")
_LOGIN: Final = re.compile(r"(?<=://)[^/\s'\"]+@")
_NAMES: Final = ("AMPLITUDE_AI_API_KEY", "AMPLITUDE_API_KEY")
_SHORTEST: Final = 8  # characters; of a shorter secret even the end says too much
_WHOLE: Final = 16


def masked(secret: str) -> str:
    """Return the last four characters of a secret, as far as that does not give it away."""
    return f"...{secret[-4:]}" if len(secret) >= _WHOLE else "..."


def without_keys(text: str, environment: Mapping[str, str]) -> str:
    """Return a text without a key of the environment, anything that looks like one, or an address's login."""
    for name in _NAMES:
        secret = environment.get(name, "").strip()
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, masked(secret))
    return _LOGIN.sub("...@", _KEY.sub(r"...\1", text))


def without_password(url: str) -> str:
    """Return an address without the name and password, and without the query, that it may hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "..."
    login = "...@" if "@" in parts.netloc else ""
    query = "..." if parts.query else ""
    return urlunsplit((parts.scheme, login + parts.netloc.rpartition("@")[2], parts.path, query, ""))
