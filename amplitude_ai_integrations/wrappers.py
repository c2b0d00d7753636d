"""``wrap()``: a model client you already have, observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .exceptions import AmplitudeAIWrapError

Client = TypeVar("Client")


def wrap(client: Client, amplitude: Any, user_id: str | None = None, **defaults: Any) -> Client:
    """Make ``client`` report its calls to ``amplitude``, and return the same object.

    It stays what it was, for ``is`` and ``isinstance``, with its connections and settings. ``user_id``
    and further keywords (``device_id=``, ``session_id=``, ``groups=``...) hold for each call that says
    nothing else and is made outside any session.

    Raises:
        AmplitudeAIWrapError: ``client`` is not a model client we know.
        ConfigurationError: ``amplitude`` is neither an ``AmplitudeAI`` nor an ``Amplitude``.
    """
    provider = type(client).__module__.partition(".")[0]
    adopt = _ADOPTERS.get(provider) or _ADOPTERS.get(_vendor_of(client))
    if adopt is None or not adopt(client, amplitude, {"user_id": user_id, **defaults}):
        known = ", ".join(sorted(_ADOPTERS))
        name = f"{type(client).__module__}.{type(client).__qualname__}"
        raise AmplitudeAIWrapError(f"wrap() knows no {name}; it knows the clients of: {known}.")
    return client


def _vendor_of(client: object) -> str:
    modules = (base.__module__.partition(".")[0] for base in type(client).__mro__)
    return next((module for module in modules if module in _ADOPTERS), "")


def _openai(client: Any, amplitude: Any, defaults: dict[str, Any]) -> bool:
    from .providers.openai import OBSERVED, adopt

    given = {name: value for name, value in defaults.items() if value is not None}
    if not isinstance(client, tuple(OBSERVED.values())):
        observed = OBSERVED.get(type(client))
        if observed is None:
            return False
        client.__class__ = observed
    adopt(client, amplitude, defaults=given)
    return True


_ADOPTERS: dict[str, Callable[[Any, Any, dict[str, Any]], bool]] = {"openai": _openai}
