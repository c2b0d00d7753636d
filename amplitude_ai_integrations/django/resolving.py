"""Resolvers on every kind of server: Django refuses its database to code on a running event loop."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation

from ..web.conversation import RequestConversation
from ..web.loops import with_room_for_a_loop
from ..web.options import Policy
from ..web.resolving import Late
from .traces import untouched


class LateAnswer(Late):
    """An answer found when the handler is done: in the request's own thread, also where a loop awaits it."""

    def __await__(self) -> Generator[Any, None, Any]:
        return self._found().__await__()

    async def _found(self) -> Any:
        answer = await sync_to_async(self.find, thread_sensitive=True)()
        return await answer if inspect.isawaitable(answer) else answer


def on_any_server(policy: Policy) -> Policy:
    """Let the resolvers of a policy use the database wherever they are asked."""
    policy.resolvers = {
        name: partial(_at_once_or_late, resolver) for name, resolver in policy.resolvers.items()
    }
    return policy


def wait_for_answers(conversation: RequestConversation) -> None:
    """Wait for the answers that are not there yet, in the thread that serves the request."""
    conversation.find_late()
    if conversation.is_waiting:
        with_room_for_a_loop(async_to_sync(conversation.hear))
        conversation.conclude()


def _at_once_or_late(resolver: Callable[[Any], Any], request: Any) -> Any:
    try:
        answer = _asked(resolver, request)
    except SynchronousOnlyOperation:  # an asynchronous view is at work, and the resolver asks the database
        return LateAnswer(partial(_asked, resolver, request))
    return _awaited(answer, request) if inspect.iscoroutine(answer) else answer


def _asked(resolver: Callable[[Any], Any], request: Any) -> Any:
    with untouched(request):
        return resolver(request)


async def _awaited(answer: Awaitable[Any], request: Any) -> Any:
    with untouched(request):
        return await answer
