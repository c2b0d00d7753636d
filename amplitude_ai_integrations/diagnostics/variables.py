"""Environment variables of ours: which there are, and which somebody meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Final

from ..config import ENVIRONMENT_PREFIX, AIConfig

API_KEY: Final = ENVIRONMENT_PREFIX + "API_KEY"
SERVER_URL: Final = ENVIRONMENT_PREFIX + "SERVER_URL"
AUTO_PATCH: Final = ENVIRONMENT_PREFIX + "AUTO_PATCH"
DISABLED: Final = "AMPLITUDE_TRACKING_DISABLED"

_GIT: Final = {"git_sha", "git_ref", "git_repo"}
_SETTINGS: Final = {item.name for item in fields(AIConfig) if item.default_factory is not MISSING} - _GIT
KNOWN: Final = frozenset(
    {ENVIRONMENT_PREFIX + name.upper() for name in _SETTINGS}
    | {"AMPLITUDE_" + name.upper() for name in _GIT}
    | {API_KEY, AUTO_PATCH, ENVIRONMENT_PREFIX + "REVIEW", DISABLED}
)
_ON: Final = ("1", "on", "true", "yes")
_FOREIGN: Final = {"AMPLITUDE_API_KEY"}  # Amplitude's own tools read it
_FILES: Final = (".env", ".env.local", ".env.development")
_MOST: Final = 100_000  # characters of such a file


def ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are ours and say something."""
    return {name: environment[name] for name in sorted(KNOWN & environment.keys()) if environment[name]}


def is_on(environment: Mapping[str, str], name: str) -> bool:
    """Tell whether a variable says yes."""
    return environment.get(name, "").strip().lower() in _ON


def misspelled(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that nothing reads, and the name that was meant, where one is near.

    Those without our prefix count only where one is near.
    """
    found: dict[str, str | None] = {}
    for name in sorted(environment.keys() - KNOWN - _FOREIGN):
        upper = name.upper()
        if not upper.startswith("AMPL"):
            continue
        near = meant(upper)
        if near is not None or upper.startswith(ENVIRONMENT_PREFIX):
            found[name] = near
    return found


def meant(name: str) -> str | None:
    """Return the variable of ours that a name is nearest to, if it is near."""
    if name in KNOWN:  # in small letters
        return name
    if name.startswith(ENVIRONMENT_PREFIX):
        names = [known.removeprefix(ENVIRONMENT_PREFIX) for known in sorted(KNOWN)]
        near = difflib.get_close_matches(name.removeprefix(ENVIRONMENT_PREFIX), names, 1)
        return next(
            (known for known in KNOWN if near and known in (near[0], ENVIRONMENT_PREFIX + near[0])), None
        )
    near = difflib.get_close_matches(name, sorted(KNOWN), 1, cutoff=0.9)
    return near[0] if near else None


def from_files(project: Path) -> dict[str, str]:
    """Return, for each variable that the project's ``.env`` files name, the file that names it."""
    found: dict[str, str] = {}
    for name in _FILES:
        try:
            path = project / name
            if not path.is_file():
                continue
            with path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(_MOST)
        except OSError:
            continue
        for line in text.splitlines():
            variable, is_set, value = line.strip().removeprefix("export ").partition("=")
            if is_set and value.strip().strip("'\""):
                found.setdefault(variable.strip(), name)
    return found
