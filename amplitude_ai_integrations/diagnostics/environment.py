"""What the environment says: where events go, whether any do, and what nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, NamedTuple

from ..config import ENVIRONMENT_PREFIX, AIConfig, ContentMode
from ..exceptions import ConfigurationError
from . import variables
from .destination import Destination, of_environment
from .finding import Finding
from .variables import API_KEY, DISABLED, SERVER_URL

TOPIC: Final = "environment"
_KEY: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_OTHERS_KEY: Final = "AMPLITUDE_API_KEY"
_FIRST_STEP: Final = (
    f"export {API_KEY}=<the API key of your Amplitude project>\n"
    f"or, without an account: run `amplitude-ai analytics`, and export {SERVER_URL}=http://127.0.0.1:8320"
)


class Surroundings(NamedTuple):
    """The variables of a process, and what its project says of variables.

    ``files`` are those that ``.env`` files name, with the file of each; ``read_by_code`` are texts of the
    code, among them the names of variables that it reads by itself; ``is_given_in_code`` tells whether the
    code says where events go.
    """

    environment: Mapping[str, str]
    files: Mapping[str, str] = {}
    read_by_code: frozenset[str] = frozenset()
    is_given_in_code: bool = False


def read_environment(around: Surroundings) -> Iterator[Finding]:
    """Find out what the variables say."""
    refused = list(_refused())
    yield from refused
    if not refused:
        config = AIConfig()
        yield from what_is_off(config, around.environment)
        destination = of_environment(config, around.environment.get(API_KEY, ""))
        if destination.is_open:
            yield from _nowhere(around)
        else:
            yield from where_to(destination, API_KEY)
    yield from misspelled(around)


def where_to(destination: Destination, key_name: str) -> Iterator[Finding]:
    """Say where events go, and what is odd about the key."""
    key = destination.api_key
    if destination.is_amplitude and key.strip().strip("'\"") != key:
        words = f"{key_name} has quotes or spaces around the key; Amplitude will refuse it."
        yield Finding(TOPIC, "problem", words, "Take them away.")
    elif destination.is_amplitude and not _KEY.fullmatch(key):
        words = (
            f"{key_name} does not look like a project's API key, which is 32 digits and letters from a to f."
        )
        yield Finding(TOPIC, "warning", words, "Copy it from the settings of your project in Amplitude.")
    else:
        yield Finding(TOPIC, "ok", destination.words)


def what_is_off(config: AIConfig, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say what keeps events from being sent, on purpose or not."""
    if not config.enabled:
        names: tuple[str, ...] = (DISABLED, "ENABLED")
        words = "Tracking is switched off: nothing is recorded."
    elif config.review_mode:
        words, names = "Review mode is on: events stay in memory, none is sent.", ("REVIEW_MODE", "REVIEW")
    elif config.dry_run:
        words, names = "Dry run is on: events are printed, none is sent.", ("DRY_RUN",)
    elif config.session_sample_rate == 0:
        words, names = "The sample rate is 0: no session is kept.", ("SESSION_SAMPLE_RATE",)
    else:
        return
    whole = [name if name == DISABLED else ENVIRONMENT_PREFIX + name for name in names]
    named = [name for name in whole if environment.get(name)]
    fix = f"unset {' '.join(named)}" if named else "take it out of your settings."
    yield Finding(TOPIC, "warning", words, f"If that is not meant: {fix}")


def misspelled(around: Surroundings) -> Iterator[Finding]:
    """Say which variables look like ours and are read by nobody."""
    named = {**{name: around.files[name] for name in around.files}, **dict.fromkeys(around.environment, "")}
    for name, meant in variables.misspelled(named).items():
        if name in around.read_by_code:
            continue
        if meant is None:
            yield Finding(TOPIC, "hint", f"{name} is no setting; nothing here reads it.", place=named[name])
        else:
            yield Finding(TOPIC, "warning", f"{name} is no setting.", f"Did you mean {meant}?", named[name])


def _nowhere(around: Surroundings) -> Iterator[Finding]:
    in_file = around.files.get(API_KEY) or around.files.get(SERVER_URL)
    if around.is_given_in_code:
        yield Finding(TOPIC, "ok", f"{API_KEY} is not set; your code says where events go.")
    elif in_file:
        words = f"{API_KEY} is not set here, but {in_file} names it."
        yield Finding(
            TOPIC, "hint", words, "See that your application loads it before it makes AmplitudeAI()."
        )
    elif around.environment.get(_OTHERS_KEY):
        words = f"{API_KEY} is not set; {_OTHERS_KEY} is, which AmplitudeAI() does not read."
        yield Finding(TOPIC, "problem", words, f'export {API_KEY}="${_OTHERS_KEY}"')
    else:
        yield Finding(TOPIC, "problem", f"Neither {API_KEY} nor {SERVER_URL} is set.", _FIRST_STEP)


def _refused() -> Iterator[Finding]:
    """Say, variable by variable, what ``AIConfig`` refuses."""
    for name in _NEUTRAL:
        variable = ENVIRONMENT_PREFIX + name.upper()
        try:
            AIConfig(**{**_NEUTRAL, name: _FACTORIES[name]()})
        except ConfigurationError as error:
            words = str(error)
            yield Finding(
                TOPIC, "problem", words if words.startswith("AMPLITUDE_") else f"{variable}: {words}"
            )


_FACTORIES: Final = {
    item.name: item.default_factory for item in fields(AIConfig) if item.default_factory is not MISSING
}
_OF_TYPE: Final[dict[str, Any]] = {"ContentMode": ContentMode.FULL, "bool": False, "float": 1.0, "str": "US"}
# Explicit values for all that could come from the environment, so that one variable can be tried at a time.
_NEUTRAL: Final = {
    item.name: _OF_TYPE.get(str(item.type)) for item in fields(AIConfig) if item.name in _FACTORIES
}
