"""``@tool``: each call of a function as a tool call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ...exceptions import ConfigurationError
from ..attach import client_of
from ..options import check
from ..tracker import CallFields
from .about import TOOL, About
from .drive import decorate
from .rationale import words_of
from .run import Run

if TYPE_CHECKING:
    from typing_extensions import Unpack

    Function = TypeVar("Function", bound=Callable[..., Any] | classmethod[Any, Any, Any])


class ToolFields(CallFields, total=False):
    """What the event of a tool may be told."""

    tool_type: str | None
    tool_owner: str | None


class ToolOptions(ToolFields, total=False):
    """What ``@tool`` takes."""

    name: str | None
    amplitude: Any
    input_schema: bool | Mapping[str, Any]
    timeout_ms: float | None
    on_error: Callable[[Exception, str], object] | None
    rationale: bool | str


@overload
def tool(func: Function, **options: Unpack[ToolOptions]) -> Function: ...


@overload
def tool(func: None = None, **options: Unpack[ToolOptions]) -> Callable[[Function], Function]: ...


def tool(
    func: Any = None,
    *,
    name: str | None = None,
    amplitude: Any = None,
    input_schema: bool | Mapping[str, Any] = False,
    timeout_ms: float | None = None,
    on_error: Callable[[Exception, str], object] | None = None,
    rationale: bool | str = False,
    **fields: Unpack[ToolFields],
) -> Any:
    """Record each call of a function as a Tool Call: its arguments, result, duration and errors.

    It works on functions, coroutines, generators, methods and objects that can be called, and changes
    nothing about them. Arguments are taken as the function finds them when it begins. A generator's call
    lasts from its first item until it ends, is closed or fails, and its result is the list of its items,
    the first hundred; one that is never read is never recorded. A call that is cancelled, or a generator
    that is closed early, is unsuccessful but no error, and ``error_type`` says why.

    It reports to the active session, else to ``amplitude``, else to what ``ToolCallTracker`` was given,
    else to the only client of the process. A call may say more for itself: ``amplitude_user_id=``,
    ``amplitude_device_id=``, ``amplitude_session_id=``, ``amplitude_trace_id=`` and so on are taken off
    before the function sees them, unless it has a parameter of that name.

    Args:
        func: The function, where the decorator is written without parentheses.
        name: The tool's name, if it is not the function's.
        amplitude: An ``AmplitudeAI`` or an ``Amplitude`` client, for calls outside any session.
        input_schema: ``True`` tells the types of the arguments as a JSON schema; or a schema of your own.
        timeout_ms: Raise ``TimeoutError`` after so many milliseconds, 0 excluded. A coroutine is cancelled;
            a plain function runs in a thread of its own, which cannot be stopped and is left behind.
        on_error: Called with the exception and the tool's name, after the event was recorded; what it
            raises itself goes no further.
        rationale: ``True``, or words that tell the model what to write, offers a parameter ``rationale`` to
            whoever makes the tool's schema of the function's signature, as MCP servers do. What the model
            writes there becomes a User Message of the agent's, before the Tool Call; a function without such
            a parameter is not given it.
        fields: Ids and dimensions of the event, which win over those of the session.

    Raises:
        ConfigurationError: An argument is wrong, at the decoration and never at a call.
    """
    if on_error is not None and (not callable(on_error) or inspect.iscoroutinefunction(on_error)):
        raise ConfigurationError("on_error= must be a plain function: (error, tool name).")
    check(fields, ToolFields, "@tool")
    about = partial(
        About,
        terms=TOOL,
        name=name,
        ai=client_of(amplitude) if amplitude is not None else None,
        fields=fields,
        input_schema=input_schema,
        on_error=on_error,
        rationale=words_of(rationale),
    )
    if func is None:
        return partial(decorate, door="tool", run=Run, about=about, timeout_ms=timeout_ms)
    return decorate(func, "tool", Run, about, timeout_ms)
