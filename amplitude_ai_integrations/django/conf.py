"""The one setting, ``AMPLITUDE_AI``, and what is made of it: a client and a policy, at the first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed

from ..client.active import silent_client
from ..client.client import AmplitudeAI
from ..context.forks import Guarded, in_each_child
from ..exceptions import ConfigurationError, logger, shielded
from ..web.options import Policy
from ..web.settings import WebSettings
from .resolving import on_any_server
from .users import signed_in

NAME: Final = "AMPLITUDE_AI"
MIDDLEWARE: Final = "amplitude_ai_integrations.django.AmplitudeAIMiddleware"


class Door(NamedTuple):
    """What the settings come to; without a policy nothing is watched, for nothing says where events go."""

    ai: AmplitudeAI
    policy: Policy | None


class _Doors(Guarded):
    """The door of the settings as they are, and those that ``override_settings`` covers meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.open: Door | None = None
        self._covered: list[Door | None] = []

    def door(self) -> Door:
        with self._lock:
            if self.open is None:
                self.open = _made()
            return self.open

    def change(self, *, is_covered: bool) -> None:
        with self._lock:
            if is_covered:
                self._covered.append(self.open)
                self.open = None
            else:
                self.open = self._covered.pop() if self._covered else None

    def begin_anew(self) -> None:
        """Make a client of its own in a forked child: the threads of the parent's are not here."""
        if self.open is not None and written().get("CLIENT") is None:
            self.open = None


_doors: Final = _Doors()


def door() -> Door:
    """Return the client and the policy of the settings.

    Raises:
        ConfigurationError: The settings are wrong.
    """
    return _doors.open or _doors.door()


def written() -> Mapping[str, Any]:
    """Return the setting as it is written.

    Raises:
        ConfigurationError: It is no dictionary.
    """
    given = getattr(settings, NAME, None)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"{NAME} is a {type(given).__name__}; give a dictionary, such as {{'ENV': 'staging'}}."
        )
    return given


def own_settings() -> WebSettings:
    """Return the setting, to be read.

    Raises:
        ConfigurationError: It is no dictionary.
    """
    return WebSettings(written(), lambda name: f"{NAME}[{name!r}]")


def get_client() -> AmplitudeAI:
    """Return the client that the settings name or describe, for code of your own.

    It looks the settings up each time it is used, so that it may be kept in a module from the start: it
    follows ``override_settings`` and is right in every process.
    """
    return _SETTINGS_CLIENT


class _SettingsClient(AmplitudeAI):
    """Whichever client the settings say now."""

    def __init__(self) -> None:
        pass  # what the base class keeps is that client's

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        ai = silent_client()
        with shielded("settings"):
            ai = door().ai
        return getattr(ai, name)


_SETTINGS_CLIENT: Final = _SettingsClient()


def _made() -> Door:
    own = own_settings()
    own.check()
    try:
        ai = own.client()
    except ConfigurationError as error:
        _say_once(str(error))
        return Door(silent_client(), None)
    policy = own.policy(ai, {"user_id_resolver": signed_in})
    return Door(ai, on_any_server(policy))


@cache
def _say_once(words: str) -> None:
    logger.warning("%s In Django: %s = {'API_KEY': ...}. Until then agents are not recorded.", words, NAME)


def _changed(*, setting: str, enter: bool = True, **_: Any) -> None:
    if setting == NAME:
        _doors.change(is_covered=enter)


setting_changed.connect(_changed, dispatch_uid=__name__)
in_each_child(_doors.begin_anew)
