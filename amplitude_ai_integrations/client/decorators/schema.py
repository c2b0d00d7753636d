"""The arguments of a function as a JSON schema, from its type hints."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from .arguments import code_of

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def schema_of(function: Callable[..., Any], receiver: str | None = None) -> dict[str, Any]:
    """Return a JSON schema of the function's parameters, without ``receiver`` and without defaults.

    A parameter without a type, or of one that JSON cannot say, takes anything.
    """
    hints = _hints(function)
    parameters = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.name != receiver and one.kind not in _VARIADIC
    ]
    types = [_known(hints.get(one.name, Any)) for one in parameters]
    schemas, definitions = msgspec.json.schema_components(
        types, schema_hook=_foreign, ref_template="#/$defs/{name}"
    )
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: part for one, part in zip(parameters, schemas, strict=True)},
    }
    required = [one.name for one in parameters if one.default is one.empty]
    if required:
        schema["required"] = required
    if definitions:
        schema["$defs"] = definitions
    return schema


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(code_of(function), include_extras=True)
    except Exception:  # noqa: BLE001 - a hint may name what only type checkers import
        return {}


def _known(hint: Any) -> Any:
    try:
        msgspec.json.schema(hint, schema_hook=_foreign)
    except Exception:  # noqa: BLE001 - whatever cannot be said takes anything
        return Any
    return hint


def _foreign(kind: Any) -> dict[str, Any]:
    """Return the schema of a class msgspec does not know: Pydantic models bring their own."""
    described = getattr(kind, "model_json_schema", None)
    return described() if callable(described) else {}
