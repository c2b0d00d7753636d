"""An end to a function's patience: what takes longer raises ``TimeoutError``."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from functools import wraps
from typing import Any

from ...exceptions import ConfigurationError
from .arguments import code_of


def within(function: Callable[..., Any], timeout_ms: float, name: str) -> Callable[..., Any]:
    """Return ``function`` with a limit on how long a call of it may take.

    A coroutine is cancelled when its time is up. A plain function cannot be stopped: it is called in a
    thread of its own, which is left to itself then.

    Raises:
        ConfigurationError: The limit is not above 0, or the function is a generator.
    """
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, (int, float)) or not timeout_ms > 0:
        raise ConfigurationError(f"timeout_ms is {timeout_ms!r}; give milliseconds above 0.")
    code = code_of(function)
    if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
        raise ConfigurationError(
            f"timeout_ms= cannot hold for {name}, a generator; its reader sets the pace."
        )
    seconds = timeout_ms / 1000
    words = f"{name} took longer than {timeout_ms:g} ms"

    @wraps(function)
    def in_thread(*args: Any, **kwargs: Any) -> Any:
        context = copy_context()

        def work(future: Future[Any]) -> None:
            try:
                future.set_result(context.run(function, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is raised where the function was called
                future.set_exception(error)

        future: Future[Any] = Future()
        threading.Thread(target=work, args=(future,), name=name, daemon=True).start()
        if not wait([future], seconds).done:
            raise TimeoutError(words)
        return future.result()

    @wraps(function)
    async def in_task(*args: Any, **kwargs: Any) -> Any:
        task = asyncio.ensure_future(function(*args, **kwargs))
        try:
            return await asyncio.wait_for(task, seconds)
        except asyncio.TimeoutError:
            if task.cancelled():
                raise TimeoutError(words) from None
            raise  # the function's own
        finally:
            task.cancel()  # a coroutine that is closed has no other way to end it

    return in_task if inspect.iscoroutinefunction(code) else in_thread
