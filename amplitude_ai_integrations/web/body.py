"""A response's body, each piece of which is made within the session of its request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from ..client.serverless import await_for, wait_for
from ..exceptions import shield, shielded
from .conversation import RequestConversation
from .loops import run_in_a_loop
from .request import RequestSession

T = TypeVar("T")
Wait: TypeAlias = Callable[[RequestConversation], None]


def wait_for_answers(conversation: RequestConversation) -> None:
    """Wait for asynchronous resolvers where a server runs in threads, on a loop of their own."""
    run_in_a_loop(conversation.hear)
    conversation.conclude()


class Body(Generic[T]):
    """The synchronous kind; it ends the session at its close, which servers call after the last byte.

    An iterator with ``close()``, and no generator: closing one that was never started would skip its end.
    """

    _is_closed = True  # until it is made

    def __init__(self, body: Iterable[T], session: RequestSession, wait: Wait = wait_for_answers) -> None:
        self._body = body
        self._iterator: Iterator[T] | None = None
        self._session = session
        self._wait = wait
        self._is_closed = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self._enter()
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            return next(self._iterator)
        except StopIteration:
            raise
        except BaseException as error:
            self._session.failure = error
            raise
        finally:
            self._leave()

    def close(self) -> None:
        """Close the body, and the account of its request."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._close_body()
        except BaseException as error:
            self._session.failure = error
            raise
        finally:
            with shielded("end of request"):
                finish(self._session, self._wait)

    def _close_body(self) -> None:
        close = getattr(self._body, "close", None)
        if close is None:
            return
        self._enter()
        try:
            close()
        finally:
            self._leave()

    def _enter(self) -> None:
        try:
            self._session.enter()
        except Exception as error:  # noqa: BLE001 - as `shielded` does, which each piece would feel
            shield.keep("body", error)

    def _leave(self) -> None:
        try:
            self._session.leave()
            settle(self._session, self._wait)
        except Exception as error:  # noqa: BLE001 - as above
            shield.keep("body", error)

    def __del__(self) -> None:
        if not self._is_closed:
            self._is_closed = True  # whoever dropped it has closed its parts otherwise, or not at all
            with shielded("end of request"):
                finish(self._session, self._wait)


class SizedBody(Body[T]):
    """A body of known length, by which servers know whether it is all in one piece."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]  # only made of what has a length


class AsyncBody(Generic[T]):
    """The asynchronous kind; it ends the session where it ends, is left, or is cancelled."""

    def __init__(
        self, body: AsyncIterable[T], session: RequestSession, wait: Wait = wait_for_answers
    ) -> None:
        self._body = body
        self._iterator: AsyncIterator[T] | None = None
        self._session = session
        self._wait = wait

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        session = self._session
        with shielded("body"):
            session.enter()
        try:
            if self._iterator is None:
                self._iterator = aiter(self._body)
            piece = await anext(self._iterator)
        except BaseException as error:
            with shielded("body"):
                session.leave()
            if not isinstance(error, StopAsyncIteration):
                session.failure = error
            with shielded("end of request"):
                await finish_async(session)
            raise
        with shielded("body"):
            session.leave()
            if session.conversation.is_waiting:
                await session.conversation.await_answers()
        return piece

    async def aclose(self) -> None:
        """Close the body, and the account of its request."""
        try:
            close = getattr(self._iterator or self._body, "aclose", None)
            if close is not None:
                await close()
        finally:
            with shielded("end of request"):
                await finish_async(self._session)

    def close(self) -> None:
        """Close the account of its request, for a server that drops what it does not read to the end."""
        with shielded("end of request"):
            finish(self._session, self._wait)


def settle(session: RequestSession, wait: Wait = wait_for_answers) -> None:
    """Let the events go that wait for asynchronous resolvers."""
    if session.conversation.is_waiting:
        with shielded("resolver"):
            wait(session.conversation)
        if session.conversation.is_waiting:
            session.conversation.conclude()


def finish(session: RequestSession, wait: Wait = wait_for_answers) -> None:
    """End a request whose server runs in threads."""
    settle(session, wait)
    flushing = session.end()
    if flushing is not None:
        wait_for(flushing)


async def finish_async(session: RequestSession) -> None:
    """End a request whose server runs on an event loop, also one that is cancelled while it waits."""
    try:
        if session.conversation.is_waiting:
            with shielded("resolver"):
                if isinstance(session.failure, asyncio.CancelledError):
                    session.conversation.hear_soon()  # whoever cancels does not wait
                else:
                    await session.conversation.await_answers()
    finally:
        flushing = session.end()
    if flushing is not None:
        await await_for(flushing)


def body_within(
    body: Iterable[T],
    session: RequestSession,
    file_wrapper: type | None = None,
    wait: Wait = wait_for_answers,
) -> Iterable[T]:
    """Return ``body`` as it is to be served: itself, where no code of the application is left to run.

    A list is all there, and a file of the server's own kind is read, or sent, by the server.
    """
    settle(session, wait)
    is_file = file_wrapper is not None and isinstance(body, file_wrapper)
    if is_file or (isinstance(body, (list, tuple)) and not session.conversation.event_count):
        finish(session, wait)
        return body
    return SizedBody(body, session, wait) if hasattr(body, "__len__") else Body(body, session, wait)
