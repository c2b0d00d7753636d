"""Event loops for the asynchronous resolvers of servers that have none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context

Hear = Callable[[], Awaitable[None]]


def run_in_a_loop(hear: Hear) -> bool:
    """Run a coroutine function on a loop of its own, and tell whether that was possible.

    It is not where a loop is at work in this thread already, which the coroutine may need to go on.
    """
    return with_room_for_a_loop(lambda: asyncio.run(hear()))  # type: ignore[arg-type]  # coroutines only


def with_room_for_a_loop(run: Callable[[], object]) -> bool:
    """Call ``run`` where it may run a loop, and tell whether there was such a place."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        # Its threads share one of the system's, in which only one loop at a time may run.
        sys.modules["gevent"].get_hub().threadpool.apply(copy_context().run, (run,))
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        run()
        return True
    return False
