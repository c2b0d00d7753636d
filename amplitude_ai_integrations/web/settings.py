"""A framework's settings: the names of ``AIConfig`` and of the web options, in capitals, and nothing else."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from ..client.active import silent_client
from ..client.attach import client_of
from ..client.client import AmplitudeAI
from ..config import AIConfig
from ..exceptions import ConfigurationError, logger
from .options import Policy, WebOptions

_CONFIG: Final = {field.name.upper() for field in fields(AIConfig)}
_OPTIONS: Final = {name.upper() for name in WebOptions.__annotations__}
_OBJECTS: Final = {
    *(name for name in _OPTIONS if name.endswith("_RESOLVER")),
    *("AGENT", "BEFORE_SEND", "CLIENT", "CONTEXT", "CUSTOM_REDACTION_FN", "GROUPS", "ON_EVENT_CALLBACK"),
    "TURN_COUNTER",
}
NAMES: Final = frozenset(_CONFIG | _OPTIONS | {"API_KEY", "CLIENT"})


class Problem(NamedTuple):
    """What is wrong with one setting, and what to do about it."""

    name: str
    words: str
    fix: str


class WebSettings:
    """Settings as a framework keeps them, under the names of ``NAMES``; functions also as dotted paths.

    ``written`` says how the framework's users write a name, for the sentences about it, and ``meant`` how
    they would write it instead of a wrong one.
    """

    def __init__(
        self, given: Mapping[str, Any], written: Callable[[str], str], meant: Callable[[str], str] = repr
    ) -> None:
        self._given = given
        self._written = written
        self._meant = meant

    def problems(self) -> list[Problem]:
        """Return what is wrong, without making a client or importing more than the named functions."""
        found = [*self._unknown(), *self._unresolved()]
        return found or [*self._refused()]

    def check(self) -> None:
        """Refuse settings with which nothing would work as it says.

        Raises:
            ConfigurationError: A name does not exist, a path leads nowhere, or a value is of the wrong kind.
        """
        for problem in self.problems():
            raise ConfigurationError(f"{problem.words} {problem.fix}".rstrip())

    def mute(self) -> list[Problem]:
        """Return what has no effect, since a client is named that was made elsewhere."""
        if self._given.get("CLIENT") is None:
            return []
        return [
            Problem(
                name,
                f"{self._written(name)} has no effect beside {self._written('CLIENT')}.",
                "Say it where that client is made.",
            )
            for name in sorted(self._given)
            if name in {*_CONFIG, "API_KEY"}
        ]

    def client(self) -> AmplitudeAI:
        """Return the client that is named, or one made of the settings.

        Raises:
            ConfigurationError: The settings are wrong, or nothing says where events go.
        """
        given = self._given.get("CLIENT")
        if given is not None:
            for problem in self.mute():
                logger.warning("%s %s", problem.words, problem.fix)
            return client_of(self._object("CLIENT"), self._written("CLIENT"))
        return AmplitudeAI(api_key=self._given.get("API_KEY"), config=self._config())

    def policy(
        self, ai: AmplitudeAI, defaults: Mapping[str, Any], overrides: Mapping[str, Any] | None = None
    ) -> Policy:
        """Return what the settings decide about requests; ``overrides`` were given in code.

        Raises:
            ConfigurationError: An option does not exist or is of the wrong kind.
        """
        own = {name.lower(): self._object(name) for name in self._given if name in _OPTIONS}
        return Policy.of(ai, {**defaults, **own, **(overrides or {})})

    def _config(self) -> AIConfig:
        return AIConfig(**{name.lower(): self._object(name) for name in self._given if name in _CONFIG})

    def _object(self, name: str) -> Any:
        value = self._given[name]
        return pkgutil.resolve_name(value) if name in _OBJECTS and isinstance(value, str) else value

    def _unknown(self) -> Iterator[Problem]:
        for name in self._given:
            if name not in NAMES:
                near = difflib.get_close_matches(str(name).upper(), sorted(NAMES), 1)
                fix = (
                    f"Did you mean {self._meant(near[0])}?"
                    if near
                    else f"There are {', '.join(sorted(NAMES))}."
                )
                yield Problem(name, f"{self._written(name)} is no setting.", fix)

    def _unresolved(self) -> Iterator[Problem]:
        for name in sorted(_OBJECTS & self._given.keys()):
            why = self._why_unresolved(name)
            if why is not None:
                words = f"{self._written(name)} is {self._given[name]!r}, which cannot be imported ({why})."
                fix = "Give a function, or the dotted path to one, such as 'app.users.current'."
                yield Problem(name, words, fix)

    def _why_unresolved(self, name: str) -> str | None:
        try:
            self._object(name)
        except Exception as error:  # noqa: BLE001 - importing the application's module may raise anything
            return f"{type(error).__name__}: {error}"
        return None

    def _refused(self) -> Iterator[Problem]:
        for name in self._given:
            why = self._why_refused(name)
            if why is not None:
                yield Problem(name, f"{self._written(name)}: {why}", "")

    def _why_refused(self, name: str) -> str | None:
        try:
            self._try(name)
        except ConfigurationError as error:
            return str(error)
        return None

    def _try(self, name: str) -> None:
        value = self._object(name)
        if name in _CONFIG:
            AIConfig(**{name.lower(): value})
        elif name in _OPTIONS:
            Policy.of(silent_client(), {name.lower(): value})
        elif name == "CLIENT" and value is not None:
            client_of(value, name)
        elif name == "API_KEY" and not isinstance(value, (str, type(None))):
            raise ConfigurationError(f"{type(value).__name__} is no key; give a text.")
