"""The tools that a model may ask for: https://ai.google.dev/api/caching#Tool."""

from __future__ import annotations

import inspect
from typing import Any, Final

from ..client.decorators.schema import schema_of
from ..schema.values import plain
from .gemini_content import read

_DECLARED: Final = ("function_declarations", "functionDeclarations")


def tools_of(given: Any) -> list[Any] | None:
    """Return the definitions of tools: declared functions, Python functions, and the vendor's own tools."""
    if not isinstance(given, (list, tuple)):
        return None
    return [definition for tool in given for definition in _definitions(tool)] or None


def _definitions(tool: Any) -> list[dict[str, Any]]:
    if inspect.isroutine(tool):
        return [_function(tool)]
    if not isinstance(tool, dict) and not hasattr(tool, "model_dump"):
        return [{"name": type(tool).__name__}]  # a session of MCP's
    declared = read(tool, "function_declarations")
    functions = [_declaration(one) for one in declared] if isinstance(declared, (list, tuple)) else []
    others = [
        {"name": name, "parameters": value} for name, value in _told(tool).items() if name not in _DECLARED
    ]
    return functions + others


def _function(function: Any) -> dict[str, Any]:
    told = {"name": function.__name__, "description": inspect.getdoc(function)}
    return {**{name: value for name, value in told.items() if value}, "parameters": schema_of(function)}


def _declaration(given: Any) -> dict[str, Any]:
    schemas = (read(given, "parameters"), read(given, "parameters_json_schema"))
    told = {
        "name": read(given, "name"),
        "description": read(given, "description"),
        "parameters": next((_in_small_letters(_told(schema)) for schema in schemas if schema), None),
    }
    return {name: value for name, value in told.items() if value is not None}


def _told(given: Any) -> Any:
    """Return a dictionary, or a model of the vendor's by the names its API has, without what says nothing."""
    dump = getattr(given, "model_dump", None)
    return plain(given if dump is None else dump(exclude_none=True, by_alias=True, warnings=False))


def _in_small_letters(schema: Any) -> Any:
    """Return a schema with its types as JSON Schema has them: ``string`` for the vendor's ``STRING``."""
    if isinstance(schema, list):
        return [_in_small_letters(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    first = {"type": kind.lower()} if isinstance(kind, str) else {}
    return {
        **first,
        **{name: _in_small_letters(value) for name, value in schema.items() if name not in first},
    }
