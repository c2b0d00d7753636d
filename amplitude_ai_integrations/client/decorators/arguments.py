"""What a function takes, and what it was given: names and values, without the object it belongs to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_RECEIVERS = ("self", "cls")
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Arguments:
    """The parameters of one function.

    ``has_receiver`` says whether the first is the object or class a method belongs to; without it, its
    name tells, or that it is of the class the function was defined in.
    """

    def __init__(self, function: Callable[..., Any], has_receiver: bool | None = None) -> None:
        parameters = _parameters(function)
        by_position = [one.name for one in parameters if one.kind in _BY_POSITION]
        first = by_position[0] if by_position else None
        self.names = frozenset(one.name for one in parameters)
        self._by_position = by_position
        self._rest = next((one.name for one in parameters if one.kind is one.VAR_POSITIONAL), "args")
        is_receiver = has_receiver or (has_receiver is None and first in _RECEIVERS)
        self.receiver = first if is_receiver else None
        self._owner: tuple[str, str] | None = None
        if has_receiver is None and not is_receiver and inspect.isfunction(function):
            self._owner = _defined_in(function)

    def given(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name; defaults that were left alone are not among them."""
        given = dict(zip(self._by_position, args, strict=False))
        if len(args) > len(self._by_position):
            given[self._rest] = args[len(self._by_position) :]
        if self.receiver is not None:
            given.pop(self.receiver, None)
        elif args and self._owner is not None and self._by_position and self._is_owned(args[0]):
            del given[self._by_position[0]]
        for name, value in kwargs.items():
            if name != self.receiver:
                given.setdefault(name, value)
        return {name: value for name, value in given.items() if not _is_handed_in(value)}

    def _is_owned(self, value: object) -> bool:
        kind = type(value)
        classes = value.__mro__ if issubclass(kind, type) else kind.__mro__  # type: ignore[attr-defined]
        return any((one.__module__, one.__qualname__) == self._owner for one in classes)


def _is_handed_in(value: object) -> bool:
    """Tell whether an argument is none of the caller's: MCP's SDK adds its own, the context of a request."""
    module = type(value).__module__
    return type(module) is str and module.startswith("mcp.server.")


def code_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what runs when ``function`` is called: behind a partial, or an object that can be called."""
    while isinstance(function, partial):
        function = function.func
    is_function = inspect.isroutine(function) or hasattr(function, "__wrapped__")
    return function if is_function else type(function).__call__


def name_of(function: Callable[..., Any]) -> str:
    """Return what a function is called; an object that can be called goes by its class."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # some functions written in C have no signature
        return []


def _defined_in(function: Callable[..., Any]) -> tuple[str, str] | None:
    """Return the class a function was written in, as its module and its name."""
    around = function.__qualname__.rpartition(".")[0]
    return None if not around or around.endswith("<locals>") else (function.__module__, around)
