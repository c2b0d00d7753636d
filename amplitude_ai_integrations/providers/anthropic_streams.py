"""Older versions tell a stream by its exact class, and an observed one is of a class that looks the same."""

from __future__ import annotations

from typing import Any, Final

from ..calls.replacing import replace

_MARK: Final = "knows_observed_streams"


def let_observed_streams_count(*kinds: Any) -> None:
    """Let ``isinstance`` go on saying of an observed stream what it says of a bare one."""
    for kind in kinds:
        owner = type(kind)
        check = None if owner is type else vars(owner).get("__instancecheck__")
        if check is not None and not hasattr(check, _MARK):
            replace(owner, "__instancecheck__", _knowing_observed(check))


def _knowing_observed(check: Any) -> Any:
    def is_instance(kind: Any, instance: Any) -> bool:
        given: Any = type(instance)
        looks_the_same = given.__bases__ == (kind,) and given.__qualname__ == kind.__qualname__
        return bool(looks_the_same or check(kind, instance))

    setattr(is_instance, _MARK, True)
    return is_instance
