"""A run around each call of a function, in the four ways there are to be called."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial, wraps
from typing import Any, TypeVar

from ...exceptions import ConfigurationError
from .about import About
from .arguments import code_of, name_of
from .deadline import within
from .rationale import offer
from .run import Run

F = TypeVar("F")
_Around = Callable[..., Run]


def decorate(
    function: F,
    door: str,
    run: type[Run],
    about: Callable[[Callable[..., Any], bool | None], About],
    timeout_ms: float | None = None,
) -> F:
    """Return ``function`` with runs around its calls: a function of the same kind and signature.

    Raises:
        ConfigurationError: It is no function, or has a time limit that cannot hold.
    """
    has_receiver = None
    inner: Any = function
    if isinstance(function, (classmethod, staticmethod)):
        has_receiver = isinstance(function, classmethod)
        inner = function.__func__
    if isinstance(inner, type) or not callable(inner):
        raise ConfigurationError(f"@{door} is for functions and methods, not for {_shown(inner)}.")
    own = about(inner, has_receiver)
    around = partial(run, own)
    limited = inner if timeout_ms is None else within(inner, timeout_ms, name_of(inner))
    decorated = _way_of(limited)(limited, around)
    decorated.__name__ = name_of(inner)  # objects that can be called, and partials, have none
    if own.rationale is not None and own.offers_rationale:
        offer(decorated, inner, own.rationale)
    return decorated if has_receiver is None else type(function)(decorated)  # type: ignore[call-arg]


def _shown(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _way_of(function: Callable[..., Any]) -> Callable[[Callable[..., Any], _Around], Any]:
    code = code_of(function)
    if inspect.iscoroutinefunction(code):
        return _coroutine
    if inspect.isasyncgenfunction(code):
        return _async_generator
    return _generator if inspect.isgeneratorfunction(code) else _function


def _function(function: Callable[..., Any], around: _Around) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs) as run, run.inside:
            run.output = result = function(*args, **kwargs)
        return result

    return call


def _coroutine(function: Callable[..., Any], around: _Around) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with around(args, kwargs) as run:
            with run.inside:
                run.output = result = await function(*args, **kwargs)
        return result

    return call


def _generator(function: Callable[..., Any], around: _Around) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with around(args, kwargs) as run:
            run.output = []
            iterator = function(*args, **kwargs)
            resume, sent = iterator.send, None
            while True:
                try:
                    with run.inside:
                        item = resume(sent)
                except StopIteration as end:
                    return end.value
                finally:
                    sent = None  # an error that was thrown in must not hold this frame, which it holds
                run.keep(item)
                try:
                    resume, sent = iterator.send, (yield item)
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to answer
                    resume, sent = iterator.throw, thrown

    return call


def _async_generator(function: Callable[..., Any], around: _Around) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        async with around(args, kwargs) as run:
            run.output = []
            iterator = function(*args, **kwargs)
            resume, sent = iterator.asend, None
            while True:
                try:
                    with run.inside:
                        item = await resume(sent)
                except StopAsyncIteration:
                    return
                finally:
                    sent = None  # an error that was thrown in must not hold this frame, which it holds
                run.keep(item)
                try:
                    resume, sent = iterator.asend, (yield item)
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to answer
                    resume, sent = iterator.athrow, thrown

    return call
