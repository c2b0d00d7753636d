"""Sessions in other threads: by a helper where work is handed over, or everywhere on request."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial, update_wrapper, wraps
from typing import Any, TypeVar

from ..exceptions import shielded
from .current import SessionContext, get_active_context, push_context, reset_context

T = TypeVar("T")

# Their threads serve many callers, each of whom brings its own context or has none.
_POOLS = ("concurrent.", "multiprocessing.", "anyio.", "asgiref.")
_lock = threading.RLock()
_undo: list[Callable[[], None]] = []


def keep_session(function: Callable[..., T]) -> Callable[..., T]:
    """Return ``function``, which may be a coroutine function, bound to the session that is active here, to be
    called from any thread.

    ``pool.submit(keep_session(work), argument)``; one returned function may run many times at once.
    """
    call: Callable[..., Any] = _call
    with shielded("keep_session"):
        call = _call_later if inspect.iscoroutinefunction(function) else _call
    kept = partial(call, get_active_context(), function)
    with shielded("keep_session"):
        update_wrapper(kept, function)
    return kept


def _call(context: SessionContext | None, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    token = push_context(context)
    try:
        return function(*args, **kwargs)
    finally:
        reset_context(token)


async def _call_later(
    context: SessionContext | None, function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Any:
    token = push_context(context)
    try:
        return await function(*args, **kwargs)
    finally:
        reset_context(token)


def follow_threads() -> None:
    """Let every thread and thread pool of this process see the session it is started or given work from."""
    with _lock:
        if not _undo:
            _undo.extend(
                (_replace(ThreadPoolExecutor, "submit", _submit), _replace(threading.Thread, "start", _start))
            )


def unfollow_threads() -> None:
    """Take back ``follow_threads()``."""
    with _lock:
        while _undo:
            _undo.pop()()


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[], None]:
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    return lambda: setattr(owner, name, original)


def _submit(original: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @wraps(original)
    def submit(pool: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return original(pool, keep_session(function), *args, **kwargs)

    return submit


def _start(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def start(thread: Any) -> None:
        with shielded("follow_threads"):
            target = getattr(thread, "_target", None)
            modules = (type(thread).__module__, str(getattr(target, "__module__", None)))
            context = get_active_context()
            if context is not None and not any(name.startswith(_POOLS) for name in modules):
                thread.run = partial(_call, replace(context, is_followed=True), thread.run)
        original(thread)

    return start
