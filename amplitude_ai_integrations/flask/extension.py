"""The extension, as Flask's users set extensions up: at once, or app by app from a factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakSet

import flask

from ..client.active import silent_client
from ..client.attach import client_of
from ..client.client import AmplitudeAI
from ..exceptions import ConfigurationError
from ..web.options import Policy, WebOptions
from ..web.settings import NAMES, WebSettings
from .commands import commands
from .door import FlaskMiddleware
from .login import logged_in_user
from .visit import follow

if TYPE_CHECKING:
    from typing_extensions import Unpack

KEY: Final = "amplitude_ai"
PREFIX: Final = "AMPLITUDE_AI_"
_DESTINATIONS: Final = {"API_KEY", "CLIENT"}
_DEFAULTS: Final = {"user_id_resolver": logged_in_user}


class AppState(NamedTuple):
    """What one app has of us, in ``app.extensions["amplitude_ai"]``."""

    client: AmplitudeAI
    policy: Policy


class AmplitudeAIFlask:
    """Lends each request of a Flask app a session, so that the agents inside need no ids.

    ``AmplitudeAIFlask(app)``, or ``init_app(app)`` in a factory. Settings come from ``app.config``, by the
    names of ``AIConfig`` and of the options with the prefix ``AMPLITUDE_AI_``, and ``AMPLITUDE_AI_API_KEY``.
    A resolver gets Flask's request; without one, the user is Flask-Login's. The session spans streamed
    bodies and ends with the request only if its id was made for it.

    Args:
        app: The app; without one, call ``init_app``.
        amplitude_ai: An ``AmplitudeAI``, an ``Amplitude`` client or a mock, instead of one made of the
            settings.
        options: See ``WebOptions``; they win over the app's settings.

    Raises:
        ConfigurationError: A setting or option is wrong, or nothing says where events go.
    """

    def __init__(
        self, app: flask.Flask | None = None, amplitude_ai: Any = None, **options: Unpack[WebOptions]
    ) -> None:
        self._amplitude_ai = amplitude_ai
        self._options = options
        self._apps: WeakSet[flask.Flask] = WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask, amplitude_ai: Any = None, **options: Unpack[WebOptions]) -> None:
        """Set one app up; what is said here wins over what the extension was made with.

        Raises:
            ConfigurationError: See the class; or the app is set up already.
        """
        if KEY in app.extensions:
            raise ConfigurationError(
                f"The app {app.name!r} has an AmplitudeAIFlask already; AmplitudeAIFlask(app) calls "
                "init_app() by itself, so remove the second call."
            )
        given = amplitude_ai if amplitude_ai is not None else self._amplitude_ai
        state = _state(app, given, {**self._options, **options})
        app.wsgi_app = FlaskMiddleware(app.wsgi_app, state.policy)  # type: ignore[method-assign]
        follow(app)
        app.cli.add_command(commands)
        app.extensions[KEY] = state
        self._apps.add(app)

    @property
    def client(self) -> AmplitudeAI:
        """The ``AmplitudeAI`` of the current app, or of the only one that was set up.

        Raises:
            ConfigurationError: No app is, or there are several and none is current.
        """
        if flask.has_app_context() and KEY in flask.current_app.extensions:
            state: AppState = flask.current_app.extensions[KEY]
            return state.client
        apps = tuple(self._apps)
        if len(apps) == 1:
            state = apps[0].extensions[KEY]
            return state.client
        raise ConfigurationError(
            "No app tells which client is meant: call init_app() first, and ask within app.app_context(), "
            "or take app.extensions['amplitude_ai'].client."
        )


def _state(app: flask.Flask, amplitude_ai: Any, options: dict[str, Any]) -> AppState:
    for name in options:
        if name not in WebOptions.__annotations__ and name.upper() in NAMES:
            raise ConfigurationError(
                f"{name}= is a setting of the app: app.config['{PREFIX}{name.upper()}'], before init_app()."
            )
    settings = _settings(app, amplitude_ai)
    settings.check()
    settings.policy(silent_client(), _DEFAULTS, options)  # refuses before a client is made
    try:
        ai = settings.client()
    except ConfigurationError as error:
        hint = "app.config takes these names too, before init_app(); or pass amplitude_ai=."
        raise ConfigurationError(f"{error} {hint}") from None
    return AppState(ai, settings.policy(ai, _DEFAULTS, options))


def _settings(app: flask.Flask, amplitude_ai: Any) -> WebSettings:
    given = {
        name.removeprefix(PREFIX): value for name, value in app.config.items() if name.startswith(PREFIX)
    }
    if amplitude_ai is None:
        return WebSettings(given, PREFIX.__add__, PREFIX.__add__)
    # A destination given in code wins, as it does in tests.
    kept = {name: value for name, value in given.items() if name not in _DESTINATIONS}
    own = {**kept, "CLIENT": client_of(amplitude_ai, "amplitude_ai")}
    return WebSettings(
        own, lambda name: "amplitude_ai=" if name == "CLIENT" else PREFIX + name, PREFIX.__add__
    )
