"""Request bodies that are still on their way, which a server that stops does not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Body = TypeVar("Body")


class StoppingError(Exception):
    """The server stops; what had not come completely was not taken."""


class Arriving:
    """Reads bodies, and gives up on all of them at once."""

    def __init__(self) -> None:
        self._reads: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def read(self, body: Coroutine[Any, Any, Body]) -> Body:
        """Return the body, or raise ``StoppingError``."""
        task = asyncio.ensure_future(body)
        self._reads.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._is_closed:
                raise StoppingError("the server stops") from None
            raise
        finally:
            task.cancel()
            self._reads.discard(task)

    def close(self) -> None:
        """Give up on what is still coming; called where it is read, on the server's loop."""
        self._is_closed = True
        for task in self._reads:
            task.cancel()
