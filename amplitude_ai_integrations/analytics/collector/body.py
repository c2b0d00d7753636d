"""Reads a request's body within its limit, packed or not."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

from starlette.requests import Request

from .answers import INVALID_JSON, MISSING_BODY, TOO_LARGE, RefusalError

# A refusal that arrives before the client has sent everything breaks its connection instead.
_MOST_DRAINED = 64 * 1024 * 1024
_GZIP = zlib.MAX_WBITS | 16


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body unpacked; ``limit`` holds for the packed and the unpacked bytes."""
    unpack = _unpacker(request)
    body = bytearray()
    drained = 0
    async for chunk in request.stream():
        if len(body) > limit:
            drained += len(chunk)
            if drained > _MOST_DRAINED:
                break
            continue
        body += unpack(chunk, limit + 1 - len(body))
    if len(body) > limit:
        raise RefusalError(413, TOO_LARGE)
    return bytes(body)


def read_json(body: bytes) -> Any:
    """Parse strictly: NaN and Infinity are not JSON, nor is a number that no float can hold."""
    if not body.strip():
        raise RefusalError(400, MISSING_BODY)
    try:
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise RefusalError(400, INVALID_JSON) from None


def _unpacker(request: Request) -> Any:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return lambda chunk, _room: chunk
    if encoding not in ("gzip", "x-gzip"):
        raise RefusalError(400, INVALID_JSON)
    return _Gunzip()


class _Gunzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    def __call__(self, chunk: bytes, room: int) -> bytes:
        try:
            return self._stream.decompress(chunk, room)
        except zlib.error:
            raise RefusalError(400, INVALID_JSON) from None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
