"""The providers that a program says it uses, held against those that were patched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..exceptions import logger, shielded

_OTHER_NAMES: Final = {
    "async_openai": "openai",
    "aws": "bedrock",
    "azure": "openai",
    "azure_openai": "openai",
    "google": "gemini",
    "mistralai": "mistral",
}
_said: set[str | None] = set()


def compare(declared: Iterable[str], patched: Iterable[str], app_key: str | None) -> None:
    """Say in the log, once for each ``app_key``, how the two differ."""
    with shielded("expected_providers"):
        names = [declared] if isinstance(declared, str) else list(declared)
        declared = {_OTHER_NAMES.get(name, name) for name in map(_lowered, names)}
        patched = set(patched)
        if declared == patched or app_key in _said:
            return
        _said.add(app_key)
        logger.warning(
            "patch(): %s declares the providers %s, and %s were patched (unexpected: %s; missing: %s). "
            "The calls of all that were patched become events.",
            f"the application {app_key!r}" if app_key is not None else "this application",
            *map(_listed, (declared, patched, patched - declared, declared - patched)),
        )


def _lowered(name: object) -> str:
    return str(name).lower()


def _listed(names: set[str]) -> str:
    return str(sorted(names))
