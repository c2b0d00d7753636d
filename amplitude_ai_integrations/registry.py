"""One table of what we integrate with, and what is observed in this process now."""

from __future__ import annotations

import importlib.util
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Final

from .exceptions import ProviderError

DISTRIBUTION: Final = "amplitude-ai-integrations"


@dataclass(frozen=True)
class Integration:
    """One vendor's package: what to import, what to require of it, and how to install it with us."""

    name: str
    module: str
    requirement: str
    extra: str

    @property
    def is_installed(self) -> bool:
        """Whether the package can be imported; it is not imported to find out."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except (ImportError, ValueError):
            return False

    def missing(self) -> ProviderError:
        """Return the error that says how to install it."""
        return ProviderError(
            f"{self.name} needs the package {self.requirement}: pip install '{DISTRIBUTION}[{self.extra}]'"
        )


PROVIDERS: Final[dict[str, Integration]] = {
    "openai": Integration("OpenAI", "openai", "openai>=1.68", "openai"),
}

_lock = threading.RLock()
_observed: Counter[str] = Counter()


def note_observed(name: str) -> None:
    """Record that a client of this provider is observed in this process."""
    with _lock:
        _observed[name] += 1


def observed() -> list[str]:
    """Return the providers of which a client is observed, by name."""
    return sorted(_observed)


def installed() -> list[str]:
    """Return the providers whose packages are installed, by name."""
    return sorted(name for name, integration in PROVIDERS.items() if integration.is_installed)
