"""The errors we raise, and the shield that keeps all others away from the host program."""

from __future__ import annotations

import logging
from collections import Counter
from types import TracebackType
from typing import Final

DELIVERY: Final = "delivery"
logger: Final = logging.getLogger("amplitude_ai_integrations")


class AmplitudeAIError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigurationError(AmplitudeAIError, ValueError):
    """A setting, argument or command line is wrong; the message says how to mend it."""


class ValidationError(AmplitudeAIError, ValueError):
    """An argument of a ``track_*`` method is wrong, under ``AIConfig(validate=True)`` only."""


class CostCalculationError(AmplitudeAIError):
    """The price of a model is unknown, under ``strict_cost=True`` or ``calculate_cost(strict=True)`` only."""


class ProviderError(AmplitudeAIError, ImportError):
    """A model provider's package is missing or is not one we can observe.

    Also an ``ImportError``, which is what a program that can do without the package is prepared for.
    """


class AmplitudeAIWrapError(AmplitudeAIError):
    """``wrap()`` was given an object that is not a model client we know."""


class Shield:
    """Counts what it swallows, says each kind once, and raises it again under our own tests."""

    def __init__(self) -> None:
        self.reraise = False
        self.swallowed: Counter[str] = Counter()

    def note(self, where: str, error: Exception) -> None:
        """Record an error of ours that the host program must not see."""
        kind = f"{where}: {type(error).__name__}"
        self.swallowed[kind] += 1
        if self.swallowed[kind] == 1:
            level = logging.ERROR if where == DELIVERY else logging.WARNING
            words = "%s; the event may be incomplete or lost, your program is not affected"
            logger.log(level, words, kind, exc_info=error)

    def keep(self, where: str, error: Exception) -> None:
        """Keep an error from the host program, unless it is meant for it; called while it is handled.

        What ``shielded`` does, for the few places each event passes, where a ``with`` would be felt.
        """
        if self.reraise or isinstance(error, AmplitudeAIError):
            raise error
        self.note(where, error)


shield: Final = Shield()


class shielded:  # noqa: N801 - reads as a keyword at the places it guards
    """Guard a place where the host program enters our code: nothing that is raised inside leaves the block.

    Exceptions that are not errors (cancellation, interrupts) and our own deliberate ones pass.
    """

    __slots__ = ("where",)

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception) or isinstance(error, AmplitudeAIError):
            return False
        if shield.reraise:
            return False
        shield.note(self.where, error)
        return True
