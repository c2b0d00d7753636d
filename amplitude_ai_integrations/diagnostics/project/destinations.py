"""Whether a project's code says by itself where its events go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from .module import Module
from .sources import PACKAGE, Sources

_OF_CLIENT: Final = {"amplitude", "api_key", "sink"}
_OF_CONFIG: Final = {"server_url", "dry_run", "enabled", "review_mode"}
_OF_SETTINGS: Final = {"API_KEY", "CLIENT", "SERVER_URL", "DRY_RUN", "ENABLED", "REVIEW_MODE"}
_SETTINGS: Final = "AMPLITUDE_AI"


def says_where_events_go(sources: Sources) -> bool:
    """Tell whether a client is made, or settings are written, with a key, a client or a server.

    Code that takes the key from the variable that ``AmplitudeAI()`` reads anyway says nothing new.
    """
    if f"{_SETTINGS}_API_KEY" in sources.strings:
        return False
    return any(_clients(sources)) or any(_settings(module) for module in sources.modules)


def _clients(sources: Sources) -> Iterator[bool]:
    for use in sources.calls_of(PACKAGE, ("AmplitudeAI", "AIConfig", "MockAmplitudeAI")):
        call = use.call
        if call is None:
            continue
        given = {word.arg for word in call.keywords}
        if use.name == "AmplitudeAI":
            yield bool(call.args or given & _OF_CLIENT)
        else:
            yield use.name == "MockAmplitudeAI" or bool(given & _OF_CONFIG)


def _settings(module: Module) -> bool:
    """Tell whether a module writes ``AMPLITUDE_AI = {"API_KEY": ...}`` or ``AMPLITUDE_AI_API_KEY = ...``."""
    long = {f"{_SETTINGS}_{name}" for name in _OF_SETTINGS}
    for node in module.nodes:
        if isinstance(node, ast.Assign):
            names = {name for target in node.targets for name in _names(target)}
            if names & long or (_SETTINGS in names and _keys(node.value) & _OF_SETTINGS):
                return True
        elif isinstance(node, ast.keyword) and node.arg in long:
            return True
    return False


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute):
        yield target.attr
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        yield str(target.slice.value)


def _keys(value: ast.expr) -> set[str]:
    """Return the names that a dictionary is written with, as a literal or as ``dict(...)``."""
    if isinstance(value, ast.Dict):
        return {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
    return {word.arg or "" for word in value.keywords} if isinstance(value, ast.Call) else set()
