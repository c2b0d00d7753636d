"""The ``amplitude_*`` keywords of a call: taken off where they are written, used where it is observed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from ..exceptions import shielded

PREFIX: Final = "amplitude_"
HEADER: Final = "x-amplitude-call"
_OTHER_NAMES = {"conversation_id": "session_id"}


class CallKeywords(str):
    """The value of a header that never leaves: it carries a call's keywords to where it is observed.

    A ContextVar would not do: a coroutine or a stream manager that is made here may run elsewhere.
    """

    __slots__ = ("values",)
    values: Mapping[str, Any]

    def encode(self, *_given: Any, **_more: Any) -> bytes:
        """Return bytes that know what they are of: some clients take headers apart and decode them again."""
        encoded = _Encoded()
        encoded.carrier = self
        return encoded


class _Encoded(bytes):
    carrier: CallKeywords

    def decode(self, *_given: Any, **_more: Any) -> str:
        return self.carrier


def taking_keywords(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``method`` with its own signature, which also takes ``amplitude_*`` keywords."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        own = {name: kwargs.pop(name) for name in [*kwargs] if name.startswith(PREFIX)}
        with shielded("keywords"):
            kwargs.update(_carrier(own, kwargs))
        return method(*args, **kwargs)

    @wraps(method)
    async def call_later(*args: Any, **kwargs: Any) -> Any:
        own = {name: kwargs.pop(name) for name in [*kwargs] if name.startswith(PREFIX)}
        with shielded("keywords"):
            kwargs.update(_carrier(own, kwargs))
        return await method(*args, **kwargs)

    return call_later if inspect.iscoroutinefunction(method) else call


def _carrier(own: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers of a call with our keywords in the carrier, if there are any."""
    if not own:
        return {}
    carrier = CallKeywords("")
    carrier.values = arguments_of(own)
    return {"extra_headers": {**(kwargs.get("extra_headers") or {}), HEADER: carrier}}


def taken_from(headers: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return headers without the carrier, and the keywords it carried."""
    if not isinstance(headers, Mapping) or HEADER not in headers:
        return headers, {}
    carrier = headers[HEADER]
    rest = {name: value for name, value in headers.items() if name != HEADER}
    return rest, carrier.values if isinstance(carrier, CallKeywords) else {}


def arguments_of(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``amplitude_*`` keywords under the names that events know them by."""
    bare = {name[len(PREFIX) :]: value for name, value in own.items()}
    return {_OTHER_NAMES.get(name, name): value for name, value in bare.items()}
