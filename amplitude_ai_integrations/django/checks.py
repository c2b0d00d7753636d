"""System checks: what is wrong with the settings, and what would go unseen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from ..config import ENVIRONMENT_PREFIX, AIConfig
from ..exceptions import ConfigurationError
from ..web.settings import NAMES
from . import conf
from .middleware import AmplitudeAIMiddleware

TAG: Final = "amplitude_ai"
_SIGNING_IN: Final = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
_SAY_WHERE: Final = ("DRY_RUN", "ENABLED", "REVIEW_MODE", "SERVER_URL")


def check_settings(**_: Any) -> list[Any]:
    """Check ``AMPLITUDE_AI``, and that something says where events go."""
    try:
        problems = conf.own_settings().problems()
        found = [
            checks.Error(problem.words, hint=problem.fix or None, id=_id(problem.name))
            for problem in problems
        ]
        return found or [*_nowhere(), *_mute()]
    except ConfigurationError as error:
        return [checks.Error(str(error), id=f"{TAG}.E001")]


def check_middleware(**_: Any) -> list[Any]:
    """Check that the middleware is there, once, and at a place from which it sees the agents."""
    layers = [_imported(path) for path in settings.MIDDLEWARE]
    places = [place for place, layer in enumerate(layers) if _is(layer, AmplitudeAIMiddleware)]
    if not places:
        words = "The application is installed without its middleware: agents in requests have no session."
        hint = f"Put {conf.MIDDLEWARE!r} first in MIDDLEWARE."
        return [checks.Warning(words, hint=hint, id=f"{TAG}.W001")]
    return [*_twice(places), *_unseen(layers[: places[0]]), *_nobody(layers)]


def _id(name: str) -> str:
    return f"{TAG}.E003" if name in NAMES else f"{TAG}.E002"


def _nowhere() -> Iterator[Any]:
    """While one develops, only the log says so."""
    given = conf.written()
    key = given.get("API_KEY") or os.environ.get(f"{ENVIRONMENT_PREFIX}API_KEY")
    config = AIConfig(**{name.lower(): given[name] for name in _SAY_WHERE if name in given})
    is_meant = config.dry_run or config.review_mode or not config.enabled
    if settings.DEBUG or key or config.server_url or is_meant or given.get("CLIENT") is not None:
        return
    words = "Nothing says where events go, so that no agent is recorded."
    hint = (
        f"Give {conf.NAME} an 'API_KEY', or set {ENVIRONMENT_PREFIX}API_KEY; where nothing is to be "
        "recorded, say 'ENABLED': False."
    )
    yield checks.Warning(words, hint=hint, id=f"{TAG}.W005")


def _mute() -> Iterator[Any]:
    for problem in conf.own_settings().mute():
        yield checks.Warning(problem.words, hint=problem.fix, id=f"{TAG}.W006")


def _twice(places: list[int]) -> Iterator[Any]:
    if len(places) > 1:
        words = f"{conf.MIDDLEWARE} is {len(places)} times in MIDDLEWARE."
        yield checks.Warning(words, hint="Keep the first one.", id=f"{TAG}.W002")


def _unseen(above: list[Any]) -> Iterator[Any]:
    for layer in above:
        if _is_of_the_project(layer):
            name = f"{layer.__module__}.{layer.__qualname__}"
            words = f"{name} is above {conf.MIDDLEWARE}: an agent that speaks in it has no session."
            yield checks.Warning(words, hint=f"Put {conf.MIDDLEWARE!r} first.", id=f"{TAG}.W003")


def _nobody(layers: list[Any]) -> Iterator[Any]:
    try:
        given = conf.written()
    except ConfigurationError:
        return  # which the other check says
    if "USER_ID_RESOLVER" in given:
        return
    for path in _SIGNING_IN:
        if not any(_is(layer, import_string(path)) for layer in layers):
            words = f"Events have no user, since {path} is not in MIDDLEWARE."
            hint = (
                f"Add it, or give {conf.NAME} a 'USER_ID_RESOLVER', a function of the request; None where "
                "there are no users."
            )
            yield checks.Warning(words, hint=hint, id=f"{TAG}.W004")
            return


def _imported(path: str) -> Any:
    try:
        return import_string(path)
    except ImportError:
        return None  # Django says so itself, and better


def _is(layer: Any, kind: type) -> bool:
    return isinstance(layer, type) and issubclass(layer, kind)


def _is_of_the_project(layer: Any) -> bool:
    """Tell whether it is the project's own code: not Django's, and not installed beside it."""
    module = sys.modules.get(getattr(layer, "__module__", ""))
    file = getattr(module, "__file__", None)
    return file is not None and not {"site-packages", "dist-packages"} & {*Path(file).parts}


checks.register(check_settings, TAG)
checks.register(check_middleware, TAG)
