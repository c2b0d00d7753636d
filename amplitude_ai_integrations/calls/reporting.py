"""To whom the calls of a client are reported, and what holds for those that say nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..client.attach import client_of
from ..client.default import default_client, is_anyone_tracking
from ..context import get_active_context
from ..exceptions import ConfigurationError
from ..registry import note_observed
from .facts import Adapter
from .observation import Observation

_OWN: Final = "_amplitude_reporting"


class Reporting:
    """Where one client, or all clients of a patched class, report to."""

    def __init__(
        self, amplitude: Any, provider: str | None = None, defaults: Mapping[str, Any] | None = None
    ) -> None:
        self.amplitude = amplitude
        self.provider = provider  # who answers, if that was said
        self.defaults = {name: value for name, value in (defaults or {}).items() if value is not None}

    def observe(
        self, adapter: Adapter, payload: Any, keywords: Mapping[str, Any], *, is_streaming: bool
    ) -> Observation | None:
        """Begin to watch a call; ``None`` where tracking is switched off.

        The defaults hold outside any session only: inside one, its user is known better.
        """
        ai = client_of(self.amplitude)
        if not ai.config.enabled:
            return None
        given = keywords if get_active_context() else {**self.defaults, **keywords}
        return Observation(ai, adapter, payload, given, is_streaming=is_streaming)


def report(
    client: Any,
    vendor: str,
    amplitude: Any,
    provider: str | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Note in a client where its calls are reported to.

    Raises:
        ConfigurationError: ``amplitude`` is neither an ``AmplitudeAI`` nor an ``Amplitude``; or it is not
            given, and there is no client in the process or more than one.
    """
    vars(client)[_OWN] = Reporting(resolved(amplitude, f"{type(client).__name__}()"), provider, defaults)
    note_observed(vendor)


def reporting_of(client: Any) -> Reporting | None:
    """Return where a client itself was told to report to; patched classes are not asked."""
    own: Reporting | None = vars(client).get(_OWN)
    return own


def resolved(amplitude: Any, asked_by: str) -> Any:
    """Return ``amplitude``, or the only client of this process where nothing was given.

    Raises:
        ConfigurationError: As ``report``.
    """
    if amplitude is None:
        amplitude = default_client()
    if amplitude is None:
        raise ConfigurationError(
            f"{asked_by} cannot tell where to report, since this process has "
            f"{'several AmplitudeAI' if is_anyone_tracking() else 'no AmplitudeAI yet'}: pass amplitude=."
        )
    client_of(amplitude)
    return amplitude
