"""Pictures, sound and files inside messages: told by kind and size, never by what is in them."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

_LONGEST: Final = 1_000  # characters of a name or an address
_MIME_TYPE: Final = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}")
_DATA_URL: Final = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[^;,]{1,128}){0,6},")


def attachment(
    kind: str, *, mime_type: Any = None, name: Any = None, data: Any = None, url: Any = None, size: Any = None
) -> dict[str, Any]:
    """Return what an event says of a file that came with a message.

    ``kind`` is ``image``, ``audio``, ``video`` or ``file``. ``data`` is its content, as bytes or in base64,
    which is only measured; it may stand in ``url``, as a data URL. Of an address on the web, what follows
    the path is left out, since that is where signatures are; other addresses do not leave. What is not of
    its kind counts as not given.
    """
    if isinstance(url, str) and url.startswith("data:"):
        data, url = url, None
    head = _DATA_URL.match(data) if isinstance(data, str) and data.startswith("data:") else None
    facts = {
        "type": kind,
        "mime_type": _mime_type(mime_type) or (head[1] if head else None),
        "name": name if isinstance(name, str) and 0 < len(name) <= _LONGEST else None,
        "size_bytes": size if type(size) is int and size >= 0 else _size(data, head),
        "url": _address(url),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _mime_type(value: Any) -> str | None:
    return value if isinstance(value, str) and _MIME_TYPE.fullmatch(value) else None


def _size(data: Any, head: re.Match[str] | None) -> int | None:
    """Return how many bytes data has, without decoding it."""
    if isinstance(data, (bytes, bytearray)):
        return len(data)
    if not isinstance(data, str):
        return None
    if head is None and data.startswith("data:"):
        return None
    if head is not None and not head[0].endswith(";base64,"):
        return None
    written = len(data) - (head.end() if head else 0)
    return max(0, written * 3 // 4 - data.count("=", len(data) - min(written, 2)))


def _address(url: Any) -> str | None:
    """Return an address on the web without a password and without what follows its path."""
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no address
        return None
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return address if host and len(address) <= _LONGEST else None
