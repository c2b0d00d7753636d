"""A parameter for the model's own words: a tool often sees nothing else of what the user wants."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from ...exceptions import ConfigurationError

RATIONALE: Final = "rationale"
_WORDS: Final = "Why you call this tool now: what the user asked for and what you want to find out or do."


class Described:
    """Tells Pydantic, of which frameworks make a tool's schema, what a parameter is for."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Return the parameter's schema with its description."""
        return {**handler(core_schema), "description": self.words}


def words_of(rationale: bool | str) -> str | None:
    """Return what a model is told of the parameter, or ``None`` where it is not wanted.

    Raises:
        ConfigurationError: It is neither a bool nor words.
    """
    if isinstance(rationale, str) and rationale.strip():
        return rationale
    if not isinstance(rationale, bool):
        raise ConfigurationError(
            f"rationale= is {rationale!r}; give True, or the words that tell the model what to write."
        )
    return _WORDS if rationale else None


def offer(decorated: Any, function: Callable[..., Any], words: str) -> None:
    """Add the parameter to what a function is seen to take; it may be left out.

    It says so in both places that are looked at: the signature, and the annotations.
    """
    hint = Annotated[str | None, Described(words)]
    own = inspect.Parameter(RATIONALE, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
    signature = _signature(function)
    rest = [one for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD]
    before = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    decorated.__signature__ = signature.replace(parameters=[*before, own, *rest])
    decorated.__annotations__ = {**_annotations(decorated), RATIONALE: hint}


def said(value: Any) -> str | None:
    """Return a rationale that says something."""
    return value if isinstance(value, str) and value.strip() else None


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature with its types; a signature that is given is not looked into again."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # noqa: BLE001 - a hint may name what only type checkers import
        return inspect.signature(function)


def _annotations(function: Any) -> Mapping[str, Any]:
    annotations: Mapping[str, Any] | None = getattr(function, "__annotations__", None)
    return annotations or {}
