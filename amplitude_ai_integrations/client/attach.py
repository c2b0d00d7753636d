"""From whatever a door is given as ``amplitude=`` to the client that records."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    from .client import AmplitudeAI

_of_raw: weakref.WeakKeyDictionary[Any, AmplitudeAI] = weakref.WeakKeyDictionary()


class _NoClient:
    """Stands in for the client where nothing is to be sent, so that a program that shares it goes on."""

    def flush(self) -> list[Any]:
        """Nothing is pending."""
        return []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_args, **_kwargs: None


class TrackedClient:
    """An ``Amplitude`` client that remembers the ``AmplitudeAI`` it came from."""

    def __init__(self, client: Any, ai: AmplitudeAI) -> None:
        self.tracked_client = client if client is not None else _NoClient()
        self.ai = ai

    def __getattr__(self, name: str) -> Any:
        if name in ("tracked_client", "ai"):  # not set yet, while this is being copied
            raise AttributeError(name)
        return getattr(self.tracked_client, name)


def client_of(amplitude: Any, argument: str = "amplitude") -> AmplitudeAI:
    """Return the ``AmplitudeAI`` behind an ``amplitude=`` argument: itself, its ``.amplitude``, or an
    ``Amplitude`` client, which gets the default configuration.

    Raises:
        ConfigurationError: It is none of these.
    """
    from .client import AmplitudeAI

    if isinstance(amplitude, AmplitudeAI):
        return amplitude
    if isinstance(amplitude, TrackedClient):
        return amplitude.ai
    if not callable(getattr(amplitude, "track", None)):
        raise ConfigurationError(
            f"{argument}= is {type(amplitude).__name__}; pass an AmplitudeAI or an Amplitude client."
        )
    ai = _of_raw.get(amplitude)
    if ai is None:
        ai = _of_raw[amplitude] = AmplitudeAI(amplitude=amplitude)
    return ai


def track_conversation(amplitude: Any, *, messages: Iterable[Mapping[str, Any]], **fields: Any) -> list[str]:
    """Track a conversation through an ``AmplitudeAI`` or an ``Amplitude`` client; see the method of the same
    name.

    Raises:
        ConfigurationError: ``amplitude`` is neither.
    """
    return client_of(amplitude).track_conversation(messages, **fields)
