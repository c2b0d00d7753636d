"""What is installed and configured, and where events would go."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..config import AIConfig
from ..exceptions import ConfigurationError
from ..registry import DISTRIBUTION
from ..version import __version__
from . import destination, variables
from .secrets import masked, without_keys, without_password
from .text import printable
from .versions import installed_integrations

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI


def status_of(ai: AmplitudeAI | None = None) -> dict[str, Any]:
    """Return the state of this installation as data: of a client, or as the environment configures one."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "installed": installed_integrations(),
        "environment": {name: _shown(name, value) for name, value in variables.ours(os.environ).items()},
        "events": without_keys(_where(ai), os.environ),
        **({"client": ai.status()} if ai is not None else {}),
    }


def status_text(ai: AmplitudeAI | None = None) -> str:
    """Return the same as text."""
    status = status_of(ai)
    lines = [f"{DISTRIBUTION} {status['version']}, Python {status['python']}", status["events"]]
    lines += _table("installed", status["installed"])
    lines += _table("environment", status["environment"])
    if ai is not None:
        lines += _table("client", status["client"])
    return "\n".join(map(printable, lines))


def refusal() -> str | None:
    """Return why the settings of the environment are refused, or ``None`` where they are not."""
    try:
        AIConfig()
    except ConfigurationError as error:
        return str(error)
    return None


def _where(ai: AmplitudeAI | None) -> str:
    if ai is not None:
        return destination.of_client(ai).words
    try:
        return destination.of_environment(AIConfig(), os.environ.get(variables.API_KEY, "")).words
    except ConfigurationError as error:
        return f"The settings are refused: {error}"


def _shown(name: str, value: str) -> str:
    if name == variables.API_KEY:
        return masked(value)
    shown = without_password(value) if name == variables.SERVER_URL else value
    return without_keys(shown, os.environ)


def _table(title: str, rows: Mapping[str, Any]) -> list[str]:
    if not rows:
        return ["", f"{title}: nothing"]
    width = max(map(len, rows))
    return ["", title, *(f"  {name:<{width}}  {_value(value)}" for name, value in rows.items())]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
