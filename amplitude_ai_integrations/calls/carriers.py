"""Keywords that come through where a client takes headers apart and puts them together again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ..exceptions import shielded
from .keywords import HEADER, CallKeywords


def lasting(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``method`` with its own signature, to which the keywords of a call last until it is observed."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        with shielded("keywords"):
            kwargs.update(_lasting(kwargs.get("extra_headers")))
        return method(*args, **kwargs)

    @wraps(method)
    async def call_later(*args: Any, **kwargs: Any) -> Any:
        with shielded("keywords"):
            kwargs.update(_lasting(kwargs.get("extra_headers")))
        return await method(*args, **kwargs)

    return call_later if inspect.iscoroutinefunction(method) else call


def _lasting(headers: Any) -> dict[str, Any]:
    carrier = headers.get(HEADER) if isinstance(headers, Mapping) else None
    if not isinstance(carrier, CallKeywords):
        return {}
    lasts = _Lasting("")
    lasts.values = carrier.values
    return {"extra_headers": {**headers, HEADER: lasts}}


class _Lasting(CallKeywords):
    """A carrier that is itself again after it was encoded and decoded, as headers are."""

    __slots__ = ()

    def encode(self, *_given: Any, **_more: Any) -> bytes:
        """Return bytes that know what they are of."""
        encoded = _Encoded()
        encoded.carrier = self
        return encoded


class _Encoded(bytes):
    carrier: _Lasting

    def decode(self, *_given: Any, **_more: Any) -> str:
        return self.carrier
