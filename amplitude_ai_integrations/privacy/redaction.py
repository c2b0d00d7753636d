"""Redaction of values of any shape: strings, keys and numbers at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..config import AIConfig
from ..exceptions import shielded
from .patterns import binary, is_card, redact

_PERSONAL_KEY = re.compile(r"(?i)phone|mobile|card|ssn|social.?security")


class Redactor:
    """Everything a configuration replaces in a text, as one function over plain JSON values."""

    def __init__(self, config: AIConfig) -> None:
        self._steps: list[Callable[[str], str]] = [binary]
        if config.redact_pii:
            self._steps.append(redact)
        for item in config.custom_redaction_patterns:
            pattern, replacement = (item, "[REDACTED]") if isinstance(item, str) else item
            self._steps.append(_substitution(pattern, replacement))
        if config.custom_redaction_fn is not None:
            self._steps.append(_safely(config.custom_redaction_fn))
        self._redacts_numbers = config.redact_pii

    def text(self, text: str) -> str:
        """Return ``text`` with everything replaced that must not leave."""
        for step in self._steps:
            text = step(text)
        return text

    def value(self, value: Any, key: str = "") -> Any:
        """Return a plain JSON value with its strings, keys and numbers redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._mapping(value)
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        if self._redacts_numbers and type(value) in (int, float):
            return self._number(value, key)
        return value

    def _mapping(self, value: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, inner in value.items():
            safe = self.text(name)
            if safe in result:  # two keys that differed only in what was replaced
                safe = f"{safe} {len(result)}"
            result[safe] = self.value(inner, name)
        return result

    def _number(self, value: float, key: str) -> Any:
        digits = str(value)
        if _PERSONAL_KEY.search(key) and len(digits) >= 7:
            return "[REDACTED]"
        return "[credit_card]" if len(digits) >= 13 and digits.isdigit() and is_card(digits) else value


def _substitution(pattern: str, replacement: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(replacement, text)


def _safely(function: Callable[[str], str]) -> Callable[[str], str]:
    def step(text: str) -> str:
        with shielded("custom_redaction_fn"):
            result = function(text)
            if isinstance(result, str):
                return result
            raise TypeError(f"custom_redaction_fn returned {type(result).__name__}, not str")
        return text

    return step
