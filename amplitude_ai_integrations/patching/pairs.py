"""``patch_openai()`` and its like: one vendor's clients observed, and left alone again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..calls.reporting import Reporting, resolved
from ..client.options import check
from ..client.tracker import FurtherFields
from .process import patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from .ways import Way


class MoreFields(FurtherFields, total=False):
    """What holds for each call that says nothing else and is made outside any session."""

    session_id: str | None
    trace_id: str | None


class PatchOne(Protocol):
    """What ``patch_openai()`` and its like take; see ``patch()``."""

    def __call__(
        self,
        amplitude: Any = None,
        user_id: str | None = None,
        device_id: str | None = None,
        *,
        debug: bool = False,
        content_mode: str | None = None,
        **defaults: Unpack[MoreFields],
    ) -> None: ...


def pair(way: Way) -> tuple[PatchOne, Callable[[], None]]:
    """Return the two functions of a way."""
    name = f"patch_{way.name}"

    def put(
        amplitude: Any = None,
        user_id: str | None = None,
        device_id: str | None = None,
        *,
        debug: bool = False,
        content_mode: str | None = None,
        **defaults: Unpack[MoreFields],
    ) -> None:
        check(defaults, MoreFields, f"{name}()")
        settings = {**defaults, "user_id": user_id, "device_id": device_id, "content_mode": content_mode}
        reporting = Reporting(resolved(amplitude, f"{name}()"), defaults={**settings, "debug": debug})
        patches.put(way, reporting)

    def take_back() -> None:
        patches.take_back((way,))

    classes = " and ".join(way.classes) or "bedrock-runtime"
    put.__doc__ = f"""Observe all clients of {way.package}: {classes}.

    Takes what ``patch()`` does.

    Raises:
        ConfigurationError: As ``patch()``.
        ProviderError: The package is not installed, or cannot be observed.
    """
    take_back.__doc__ = f"""Take back what ``{name}()``, or ``patch()`` for its clients, has done."""
    for function, own in ((put, name), (take_back, f"un{name}")):
        function.__name__ = function.__qualname__ = own
        function.__module__ = __package__ or __name__
    return put, take_back
