"""How something of Claude's ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..calls.facts import peek
from ..client.failures import ToldFailure, is_failure

INTERRUPTED: Final = "Interrupted"
_INTERRUPTED: Final = ("aborted_streaming", "aborted_tools")


@dataclass(frozen=True)
class Ending:
    """How something ended: well, by an ``error``, or before its time, where a ``reason`` is no failure."""

    error: BaseException | ToldFailure | None = None
    reason: str | None = None
    is_early: bool = False

    @classmethod
    def by(cls, error: BaseException) -> Ending:
        """Return the ending of what an exception ended; a reader who leaves is no reason."""
        if is_failure(error):
            return cls(error=error)
        reason = None if isinstance(error, GeneratorExit) else type(error).__name__
        return cls(reason=reason, is_early=True)

    @property
    def of_parts(self) -> Ending:
        """How that ended which was a part of it and under way: it did not fail itself."""
        error = self.error
        if error is None:
            return self
        kind = error.error_type if isinstance(error, ToldFailure) else type(error).__name__
        return Ending(reason=kind, is_early=True)

    @property
    def stopped(self) -> dict[str, Any]:
        """What an event says of what was stopped."""
        return {} if self.reason is None else {"is_error": False, "error_type": self.reason}


GOES_ON: Final = Ending()
LEFT: Final = Ending(is_early=True)


def ending_of(result: Any) -> Ending:
    """Return how a run ended, as its result says."""
    if peek(result, "terminal_reason") in _INTERRUPTED:
        return Ending(reason=INTERRUPTED, is_early=True)
    if peek(result, "is_error") is not True:
        return GOES_ON
    subtype, errors = peek(result, "subtype"), peek(result, "errors")
    kind = peek(result, "terminal_reason") or "api_error" if subtype == "success" else subtype
    words = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    return Ending(error=ToldFailure(str(kind or "error"), words or str(peek(result, "result") or "")))
