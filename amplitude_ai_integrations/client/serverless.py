"""Platforms that freeze a process as soon as it has answered, and what must be delivered before."""

from __future__ import annotations

import os
import sys
from concurrent.futures import TimeoutError as FutureTimeoutError

from ..delivery.flush import FlushResult
from ..exceptions import logger

_SIGNS = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "VERCEL",
    "NETLIFY",
    "FUNCTION_TARGET",  # Google Cloud Functions
    "FUNCTIONS_WORKER_RUNTIME",  # Azure Functions; WEBSITE_INSTANCE_ID is on its long-running services too
    "CF_PAGES",
)
_DEADLINE = 5.0  # seconds; longer and the platform's own limit would end the request


def is_serverless() -> bool:
    """Tell whether this process runs on a platform that freezes it between requests."""
    return any(os.environ.get(name) for name in _SIGNS)


def is_in_loop() -> bool:
    """Tell whether an event loop runs in this thread, which nothing may hold up."""
    asyncio = sys.modules.get("asyncio")  # to import it takes longer than all of this package
    return asyncio is not None and asyncio._get_running_loop() is not None


def wait_for(flushing: FlushResult, seconds: float | None = None) -> None:
    """Wait until everything is delivered, five seconds by default; in a running event loop, not at all."""
    if is_in_loop():
        return
    seconds = _DEADLINE if seconds is None else seconds
    try:
        flushing.result(seconds)
    except (TimeoutError, FutureTimeoutError):
        _say_late(flushing, seconds)


async def await_for(flushing: FlushResult, seconds: float | None = None) -> None:
    """Await the same, without holding up the event loop."""
    if not is_in_loop():
        return  # a loop of another kind, such as trio's, on which a future cannot be awaited
    import asyncio

    seconds = _DEADLINE if seconds is None else seconds
    try:
        # Cancelled with this wait, unlike the delivery, it asks nothing of a loop that is closed by then.
        await asyncio.wait_for(asyncio.wrap_future(flushing), seconds)
    except (TimeoutError, asyncio.TimeoutError):
        _say_late(flushing, seconds)


def _say_late(flushing: FlushResult, seconds: float) -> None:
    if seconds != _DEADLINE:  # whoever has named a time looks at the result
        return
    words = "%d events were not delivered within %.0f s; they are kept, and sent later."
    logger.warning(words, flushing.pending, seconds)
