"""``wrap()``: a model client you already have, observed."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, TypeVar

from .calls.reporting import SETTINGS
from .client.options import check
from .client.tracker import CallFields
from .exceptions import AmplitudeAIWrapError

Client = TypeVar("Client")

# By the package that a client's class, or one it is made of, comes from.
_PROVIDERS: Final = {
    "anthropic": ".providers.anthropic",
    "botocore": ".providers.bedrock",
    "google": ".providers.gemini",
    "mistralai": ".providers.mistral",
    "openai": ".providers.openai",
}


def wrap(client: Client, amplitude: Any, user_id: str | None = None, **defaults: Any) -> Client:
    """Make ``client`` report its calls to ``amplitude``, and return the same object.

    It stays what it was, for ``is`` and ``isinstance``, with its connections and settings. ``user_id``
    and further keywords (``device_id=``, ``session_id=``, ``groups=``...) hold for each call that says
    nothing else and is made outside any session. So do privacy settings (``content_mode=``...), everywhere.

    Raises:
        AmplitudeAIWrapError: ``client`` is not a model client we know.
        ConfigurationError: ``amplitude`` is neither an ``AmplitudeAI`` nor an ``Amplitude``, or a keyword
            does not exist.
    """
    check({name: value for name, value in defaults.items() if name not in SETTINGS}, CallFields, "wrap()")
    packages = dict.fromkeys(base.__module__.partition(".")[0] for base in type(client).__mro__)
    for package in packages:
        if package in _PROVIDERS and _is_of_the_vendor(client, package):
            provider = import_module(_PROVIDERS[package], __package__)
            if provider.wrap_client(client, amplitude, {"user_id": user_id, **defaults}):
                return client
    known = ", ".join(sorted(_PROVIDERS))
    name = f"{type(client).__module__}.{type(client).__qualname__}"
    raise AmplitudeAIWrapError(f"wrap() knows no {name}; it knows the clients of: {known}.")


def _is_of_the_vendor(client: object, package: str) -> bool:
    """Tell whether a package is not just a roof over many, as ``google`` is."""
    modules = (base.__module__ for base in type(client).__mro__)
    return package != "google" or any(module.startswith("google.genai") for module in modules)
