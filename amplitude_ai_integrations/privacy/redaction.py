"""Redaction of values of any shape: strings, keys and numbers at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..config import AIConfig
from ..exceptions import shielded
from .binary import binary
from .json_text import free_name, personal_number, personal_text

_SHORT_NAME = 64  # characters of a key that is worth remembering
_MOST_NAMES = 1_024


class Redactor:
    """Everything a configuration replaces in a text, as one function over plain JSON values."""

    def __init__(self, config: AIConfig) -> None:
        self._redacts_pii = config.redact_pii
        self._names: dict[str, str] = {}
        self._own_steps: list[tuple[str, Callable[[str], str]]] = []
        for item in config.custom_redaction_patterns:
            pattern, replacement = (item, "[REDACTED]") if isinstance(item, str) else item
            self._own_steps.append(("custom_redaction_patterns", _substitution(pattern, replacement)))
        if config.custom_redaction_fn is not None:
            self._own_steps.append(("custom_redaction_fn", config.custom_redaction_fn))

    def text(self, text: str, key: str = "") -> str:
        """Return ``text``, the value of ``key``, with everything replaced that must not leave.

        A text that is JSON is redacted inside and stays JSON.
        """
        text = binary(text)
        if self._redacts_pii:
            text = personal_text(text, key)
        for where, step in self._own_steps:
            text = _own(where, step, text)
        return text

    def value(self, value: Any, key: str = "") -> Any:
        """Return a plain JSON value, that of ``key``, with its strings, keys and numbers redacted."""
        if isinstance(value, str):
            return self.text(value, key)
        if isinstance(value, dict):
            return self._mapping(value)
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        if self._redacts_pii and type(value) in {int, float}:
            digits = str(int(value)) if value == value // 1 else ""
            return personal_number(digits, key) or value
        return value

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, inner in value.items():
            safe = self._name(name)
            if safe in result:
                safe = free_name(safe, result)
            result[safe] = self.text(inner, name) if type(inner) is str else self.value(inner, name)
        return result

    def _name(self, name: str) -> str:
        """Return a key without what must not leave; the same few come with every event."""
        safe = self._names.get(name)
        if safe is None:
            safe = self.text(name)
            if len(name) <= _SHORT_NAME and not self._own_steps:
                if len(self._names) >= _MOST_NAMES:
                    self._names.clear()
                self._names[name] = safe
        return safe


def _substitution(pattern: str, replacement: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(replacement, text)


def _own(where: str, step: Callable[[str], str], text: str) -> str:
    """Return what a step of the customer's makes of a text, or the text where it fails."""
    with shielded(where):
        result = step(text)
        if isinstance(result, str):
            return result
        raise TypeError(f"{where} returned {type(result).__name__}, not str")
    return text
