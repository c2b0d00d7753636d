"""The door of Django: ``"amplitude_ai_integrations.django"`` in ``INSTALLED_APPS``, and its middleware.

Names are imported when they are first used: Django imports this package before its settings are complete.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channels import AmplitudeAIChannelsMiddleware
    from .conf import get_client
    from .middleware import AmplitudeAIMiddleware

__all__ = ["AmplitudeAIChannelsMiddleware", "AmplitudeAIMiddleware", "get_client"]

_HOMES = {
    "AmplitudeAIChannelsMiddleware": "channels",
    "AmplitudeAIMiddleware": "middleware",
    "get_client": "conf",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
