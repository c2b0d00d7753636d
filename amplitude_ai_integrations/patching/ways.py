"""The ways into each vendor's package, and whether one can be gone."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

from ..calls.replacing import Undo
from ..calls.reporting import Reporting
from ..exceptions import ProviderError
from ..registry import PROVIDERS

Put = Callable[[Reporting], list[Undo]]


class Way(NamedTuple):
    """One function of a provider's module, and the vendor's classes whose clients it observes."""

    name: str
    provider: str
    classes: tuple[str, ...]

    @property
    def package(self) -> str:
        """The vendor's module that has these classes."""
        return PROVIDERS[self.provider].module


OPENAI: Final = Way("openai", "openai", ("OpenAI",))
ASYNC_OPENAI: Final = Way("async_openai", "openai", ("AsyncOpenAI",))
AZURE_OPENAI: Final = Way("azure_openai", "openai", ("AzureOpenAI", "AsyncAzureOpenAI"))
ANTHROPIC: Final = Way("anthropic", "anthropic", PROVIDERS["anthropic"].clients)
GEMINI: Final = Way("gemini", "gemini", PROVIDERS["gemini"].clients)
MISTRAL: Final = Way("mistral", "mistral", PROVIDERS["mistral"].clients)
BEDROCK: Final = Way("bedrock", "bedrock", ())
WAYS: Final[dict[str, tuple[Way, ...]]] = {
    "openai": (OPENAI, ASYNC_OPENAI, AZURE_OPENAI),
    "anthropic": (ANTHROPIC,),
    "gemini": (GEMINI,),
    "mistral": (MISTRAL,),
    "bedrock": (BEDROCK,),
}
_COMMERCIAL: Final = "amplitude_ai"


def find(way: Way) -> Put:
    """Return the function that goes a way; the vendor's package is imported for it.

    Raises:
        ProviderError: The package is not installed, cannot be imported or is none that we can observe, or
            another tool for the same events has put its own classes there.
    """
    known = PROVIDERS[way.provider]
    if not known.is_installed:
        raise known.missing()
    try:
        vendor = import_module(way.package)
        _refuse_what_is_held(way, vendor)
        put: Put = getattr(import_module(f"..providers.{way.provider}", __package__), f"patch_{way.name}")
    except ProviderError as error:
        raise _unobserved(way, error.__cause__) if error.__cause__ is not None else error from error
    except Exception as error:
        raise _unobserved(way, error) from error
    return put


def go(way: Way, put: Put, reporting: Reporting) -> list[Undo]:
    """Observe all clients of a way's classes, and return the way back.

    Raises:
        ProviderError: The vendor's package is none that we can observe.
    """
    try:
        return put(reporting)
    except Exception as error:
        raise _unobserved(way, error) from error


def _unobserved(way: Way, error: BaseException) -> ProviderError:
    name = PROVIDERS[way.provider].name
    return ProviderError(f"{name} cannot be observed here ({type(error).__name__}: {error}).")


def _refuse_what_is_held(way: Way, vendor: Any) -> None:
    for name in way.classes:
        if _is_held(getattr(vendor, name, None)):
            held = f"{way.package}.{name}"
            raise ProviderError(
                f"The package amplitude-ai has patched {held} already; its calls are left to it."
            )


def _is_held(given: Any) -> bool:
    """Tell whether a class, or a method of it, is the commercial package's."""
    for kind in getattr(given, "__mro__", ()):
        parts = [getattr(part, "__globals__", {}).get("__name__") for part in vars(kind).values()]
        if any(str(name).partition(".")[0] == _COMMERCIAL for name in (kind.__module__, *parts)):
            return True
    return False
