"""``patch()``: every model client of a process observed, without a change where it is made or called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..calls.reporting import Reporting, resolved
from ..client.options import check
from ..client.tracker import CallFields
from ..registry import PROVIDERS
from . import ways
from .expected import compare
from .pairs import pair
from .process import patches

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "patch",
    "patch_anthropic",
    "patch_async_openai",
    "patch_azure_openai",
    "patch_bedrock",
    "patch_gemini",
    "patch_mistral",
    "patch_openai",
    "unpatch",
    "unpatch_anthropic",
    "unpatch_async_openai",
    "unpatch_azure_openai",
    "unpatch_bedrock",
    "unpatch_gemini",
    "unpatch_mistral",
    "unpatch_openai",
]


def patch(
    amplitude: Any = None,
    *,
    debug: bool = False,
    content_mode: str | None = None,
    expected_providers: Iterable[str] | None = None,
    app_key: str | None = None,
    **defaults: Unpack[CallFields],
) -> list[str]:
    """Observe all clients of all providers that are installed, and return which these are.

    It holds for clients that exist as for those to come, whatever name they were imported under. Called
    again it only changes where to report. What cannot be observed is left out, and said once in the log.

    Args:
        amplitude: An ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there is.
        debug: Print one line an event to stderr, as ``AIConfig(debug=True)`` does.
        content_mode: Which words may leave, where that differs from the client's configuration.
        expected_providers: The providers that this program means to use; a difference from those found is
            said in the log, once for each ``app_key``.
        app_key: Names this program in that sentence.
        **defaults: ``user_id=``, ``device_id=``, ``agent_id=``, ``groups=`` and the like, for each call that
            says nothing else and is made outside any session.

    Raises:
        ConfigurationError: ``amplitude`` is no client, or is not given and there is not exactly one; or an
            argument does not exist.
    """
    check(defaults, CallFields, "patch()")
    settings = {**defaults, "content_mode": content_mode, "debug": debug}
    reporting = Reporting(resolved(amplitude, "patch()"), defaults=settings)
    installed = [name for name in ways.WAYS if PROVIDERS[name].is_installed]
    done = [name for name in installed if patches.put_what_can_be(ways.WAYS[name], reporting)]
    if expected_providers is not None:
        compare(expected_providers, done, app_key)
    return done


def unpatch() -> None:
    """Take back all that ``patch()`` and its relatives have done: every attribute is what it was."""
    patches.take_back(way for each in ways.WAYS.values() for way in each)


patch_openai, unpatch_openai = pair(ways.OPENAI)
patch_async_openai, unpatch_async_openai = pair(ways.ASYNC_OPENAI)
patch_azure_openai, unpatch_azure_openai = pair(ways.AZURE_OPENAI)
patch_anthropic, unpatch_anthropic = pair(ways.ANTHROPIC)
patch_gemini, unpatch_gemini = pair(ways.GEMINI)
patch_mistral, unpatch_mistral = pair(ways.MISTRAL)
patch_bedrock, unpatch_bedrock = pair(ways.BEDROCK)
