"""What an exception tells of a failure, in the terms of an event."""

from __future__ import annotations

import traceback
from typing import Any, NamedTuple

from ..config import AIConfig

_MOST_FRAMES = 50


class ToldFailure(NamedTuple):
    """A failure that somebody speaks of, where there is no exception to look at."""

    error_type: str
    message: str = ""


def is_failure(error: BaseException | ToldFailure) -> bool:
    """Tell whether something failed, or was only told to stop: a cancellation is nobody's failure."""
    if isinstance(error, ToldFailure):
        return True
    return isinstance(error, Exception) and type(error).__name__ != "CancelledError"


def failure_of(
    error: BaseException | ToldFailure, config: AIConfig, source: str | None = None
) -> dict[str, Any]:
    """Return the keywords of a ``track_*`` method that describe ``error``.

    ``source`` says who failed. The stack is told only where the configuration asks for it.
    """
    if isinstance(error, ToldFailure):
        told = {"error_type": error.error_type, "error_message": error.message or None}
        return {"is_error": True, **told, "error_source": source}
    return {
        "is_error": True,
        "error_type": type(error).__name__,
        "error_message": _words(error),
        "error_source": source,
        "stack_trace": _stack(error) if config.capture_stack_trace else None,
    }


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as unreadable:  # noqa: BLE001 - the exception's own code failed: say so in its place
        return f"[unreadable {type(error).__name__}: {type(unreadable).__name__}]"


def _stack(error: BaseException) -> str:
    inside = error.__traceback__
    frames = traceback.extract_tb(inside, limit=-_MOST_FRAMES)
    # A traceback begins where the error is caught, which is in our code: the caller's is above it.
    caller = inside.tb_frame.f_back if inside is not None else None
    if caller is not None:
        frames[:0] = traceback.extract_stack(caller, limit=_MOST_FRAMES)
    return "".join(traceback.format_list(frames[-_MOST_FRAMES:])) + f"{type(error).__name__}: {_words(error)}"
