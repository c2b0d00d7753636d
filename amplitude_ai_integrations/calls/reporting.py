"""To whom the calls of a client are reported, how much of them, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import NoneType
from typing import Any, Final

from ..client.attach import client_of
from ..client.client import AmplitudeAI
from ..client.default import default_client, is_anyone_tracking
from ..client.variant import variant_of
from ..config import PrivacyConfig
from ..context import get_active_context
from ..exceptions import ConfigurationError
from ..registry import note_observed
from .beneath import Beneath
from .covering import observation_known, observations_above
from .direct import Direct
from .facts import Adapter
from .observation import Observation
from .surroundings import begun

_OWN: Final = "_amplitude_reporting"
# What a door may say of itself, among the defaults of its calls.
SETTINGS: Final = ("content_mode", "privacy_mode", "privacy_config", "debug", "propagate_context")


class Reporting:
    """Where one client, or all clients of a patched class, report to.

    ``defaults`` hold for calls outside any session. What they say of privacy (``content_mode``,
    ``privacy_mode``, ``privacy_config``, ``debug``: see ``PrivacyConfig``) and of ``propagate_context`` holds
    everywhere; inside a session, only for keeping back more than it does.

    Raises:
        ConfigurationError: A setting has none of the values allowed.
    """

    def __init__(
        self, amplitude: Any, provider: str | None = None, defaults: Mapping[str, Any] | None = None
    ) -> None:
        self.amplitude = amplitude
        self.provider = provider  # who answers, if that was said
        self.defaults = {name: value for name, value in (defaults or {}).items() if value is not None}
        self._privacy = _privacy(self.defaults)
        self._propagates: bool | None = self.defaults.get("propagate_context")
        if not isinstance(self._propagates, (bool, NoneType)):
            raise ConfigurationError(f"propagate_context is {self._propagates!r}; it must be True or False.")
        self._of_calls = {name: value for name, value in self.defaults.items() if name not in SETTINGS}
        self._variant: tuple[AmplitudeAI, AmplitudeAI] | None = None

    def observe(
        self, adapter: Adapter, payload: Any, keywords: Mapping[str, Any], *, is_streaming: bool
    ) -> Observation | None:
        """Begin to watch a call; ``None`` where tracking is switched off.

        The defaults hold outside any session only: inside one, its user is known better. A call that others
        watch from above is told there.
        """
        if not self.client.config.enabled:
            return None
        return begun(
            lambda: self._begun(adapter, payload, keywords, is_streaming=is_streaming),
            is_placed=isinstance(adapter, Direct),
        )

    def _begun(
        self, adapter: Adapter, payload: Any, keywords: Mapping[str, Any], *, is_streaming: bool
    ) -> Observation:
        ai = self.client
        given = keywords if get_active_context() else {**self._of_calls, **keywords}
        above = [other for other in observations_above() if other.told_by is not self]
        known = observation_known()
        if above or known is not None:
            beneath = Beneath(
                ai, adapter, payload, {}, is_streaming=is_streaming, propagates=self._propagates
            )
            if beneath.finds(above, known):
                return beneath
        observation = Observation(
            ai, adapter, payload, given, is_streaming=is_streaming, propagates=self._propagates
        )
        observation.told_by = self
        return observation

    @property
    def client(self) -> AmplitudeAI:
        """The client that records, with what this door says of privacy."""
        ai = client_of(self.amplitude)
        if self._privacy is None:
            return ai
        if self._variant is None or self._variant[0] is not ai:
            self._variant = (ai, variant_of(ai, self._privacy))
        return self._variant[1]


def _privacy(settings: Mapping[str, Any]) -> PrivacyConfig | None:
    """Return what a door's settings say of privacy; its keywords go before its ``privacy_config``."""
    config = settings.get("privacy_config")
    if config is not None and not isinstance(config, PrivacyConfig):
        raise ConfigurationError(f"privacy_config= is {type(config).__name__}; pass a PrivacyConfig.")
    own = {name: settings[name] for name in ("content_mode", "privacy_mode", "debug") if name in settings}
    for name in ("privacy_mode", "debug"):
        if own.get(name) is False:
            del own[name]  # as doors have it by default: nothing was said
    if not own:
        return config
    return replace(config or PrivacyConfig(), **own)


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
