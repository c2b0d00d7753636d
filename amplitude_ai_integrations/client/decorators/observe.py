"""``@observe``: each call of a function as a step, in a session of its own where none is active."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, TypeVar, overload

from ...exceptions import ConfigurationError
from ..attach import client_of
from .about import SPAN, TOOL, About
from .drive import decorate
from .observed import ObservedRun

if TYPE_CHECKING:
    from typing_extensions import Unpack

    Function = TypeVar("Function", bound=Callable[..., Any] | classmethod[Any, Any, Any])

Kind = Literal["span", "tool", "agent", "llm"]
_TERMS: Final = {"span": SPAN, "tool": TOOL, "agent": SPAN, "llm": SPAN}


class ObserveOptions(TypedDict, total=False):
    """What ``@observe`` takes."""

    name: str | None
    type: Kind
    amplitude: Any
    user_id: str | None
    device_id: str | None
    agent_id: str | None
    env: str | None
    session_id: str | None


@overload
def observe(func: Function, **options: Unpack[ObserveOptions]) -> Function: ...


@overload
def observe(func: None = None, **options: Unpack[ObserveOptions]) -> Callable[[Function], Function]: ...


def observe(
    func: Any = None,
    *,
    name: str | None = None,
    type: Kind = "span",  # noqa: A002 - the word the specification has for it
    amplitude: Any = None,
    user_id: str | None = None,
    device_id: str | None = None,
    agent_id: str | None = None,
    env: str | None = None,
    session_id: str | None = None,
) -> Any:
    """Record each call of a function as a Span: what it was given and made, how long it took, its errors.

    A call joins the active session. Where none is active it opens one for as long as it takes, and ends
    it: everything called inside shares that session and its trace, and observed calls inside become steps
    of this one. It works on what ``@tool`` works on, and takes ``amplitude_*`` keywords likewise. A result
    that is no mapping is recorded as ``{"value": result}``.

    Args:
        func: The function, where the decorator is written without parentheses.
        name: The step's name, if it is not the function's.
        type: ``"tool"`` records a Tool Call instead; ``"agent"`` makes the function an agent, named
            ``agent_id`` or after it, to whom everything inside belongs; ``"llm"`` marks a model call that
            nothing else observes.
        amplitude: An ``AmplitudeAI`` or an ``Amplitude`` client, for calls outside any session.
        user_id: Whose call it is, and the session's user where one is opened; so with ``device_id``.
        device_id: See ``user_id``.
        agent_id: The agent at work; where a session is opened, by default the step's name.
        env: Where the agent runs.
        session_id: The id of the session that is opened, by default a new one each time; an active session
            is joined whatever its id.

    Raises:
        ConfigurationError: An argument is wrong, at the decoration and never at a call.
    """
    if type not in _TERMS:
        raise ConfigurationError(f"type is {type!r}; use one of {', '.join(map(repr, _TERMS))}.")
    given = {
        "user_id": user_id,
        "device_id": device_id,
        "agent_id": agent_id,
        "env": env,
        "session_id": session_id,
    }
    about = partial(
        About,
        terms=_TERMS[type],
        name=name,
        ai=client_of(amplitude) if amplitude is not None else None,
        fields=given,
        kind=type,
    )
    if func is None:
        return partial(decorate, door="observe", run=ObservedRun, about=about)
    return decorate(func, "observe", ObservedRun, about)
