"""A stand on which a call of any provider is made, and what it left behind is looked at."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.calls.replacing import Undo, undo_all
from amplitude_ai_integrations.calls.reporting import Reporting

from ..expected import Event, seen
from . import PROVIDERS
from .endings import Read, Stream
from .provider import Api, Ask, Provider
from .uses import Use, reading

CALLERS = 256  # at most, of one fake at the same time


class Stand:
    """One provider, its fake, and where the events of a test go."""

    def __init__(
        self, provider: Provider, fake: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str
    ) -> None:
        self.provider = provider
        self.fake = fake
        self.ai = ai
        self.sink = sink
        self.undos: list[Undo] = []
        self._session_id = session_id

    def api(self, name: str) -> Api:
        return self.provider.apis[name]

    def client(self, kind: str, door: str, ai: AmplitudeAI | None = None, **options: Any) -> Any:
        """Make a client: observed by one of the ways in, or "bare"."""
        amplitude = ai or self.ai
        if door == "swap":
            return self.provider.swap(self.fake, kind, amplitude, **options)
        if door == "wrap":
            return self.provider.wrap(self.fake, kind, amplitude, **options)
        if door == "patch":
            self.undos += self.provider.patch(Reporting(amplitude))
        return self.provider.bare(self.fake, kind, **options)

    def unpatch(self) -> None:
        undo_all(self.undos)

    def session(self) -> Any:
        """Return the session in which these calls are made; its events are those of `expected`."""
        return self.ai.agent(user_id="u").session(session_id=self._session_id, track_session_end=False)

    def run(
        self, kind: str, door: str, use: Use, session: Any = None, **options: Any
    ) -> tuple[Any, list[Event]]:
        """Use a client in a session, and return the result and the events that are there at once."""
        around = session or self.session()
        if kind == "async":
            return asyncio.run(self._run_later(door, use, around, options))
        client = self.client(kind, door, **options)
        with around:
            return use(client), seen(self.sink)

    async def _run_later(
        self, door: str, use: Use, session: Any, options: dict[str, Any]
    ) -> tuple[Any, list[Event]]:
        client = self.client("async", door, **options)
        try:
            async with session:
                return await use(client), seen(self.sink)
        finally:
            await self.provider.aclose(client)

    def read(
        self, api: str, kind: str, door: str, ask: Ask, read: Read | None, read_async: Read, **options: Any
    ) -> tuple[Any, list[Event]]:
        """Open a stream and read it in one of these ways, which depends on the kind of client."""
        begin = self.call(api, kind, ask, "opened")
        reads: Any = read if kind == "sync" else read_async
        known = self.api(api)
        return self.run(
            kind, door, lambda client: reads(Stream(self.provider, known, lambda: begin(client))), **options
        )

    def call(self, api: str, kind: str, ask: Ask, how: str = "whole", **more: Any) -> Use:
        """Return what makes a call with a client, and returns its answer; "opened", its stream.

        "streamed", it reads that stream, and returns the chunks.
        """
        known = self.api(api)
        calls = {
            ("sync", True): known.whole,
            ("async", True): known.whole_async,
            ("sync", False): known.streamed,
            ("async", False): known.streamed_async,
        }
        made = calls[kind, how == "whole"]
        assert made is not None
        given = {**known.arguments(ask), **more}

        def call(client: Any) -> Any:
            return made(client, **given)

        return reading(call, kind) if how == "streamed" else call


@pytest.fixture(scope="session")
def _fakes() -> Iterator[Callable[[Provider], Any]]:
    """Start the fakes, each when it is first asked for."""
    fakes: dict[str, Any] = {}
    with ExitStack() as opened:

        def fake_of(provider: Provider) -> Any:
            if provider.name not in fakes:
                fakes[provider.name] = provider.serve()
                fakes[provider.name]._server.socket.listen(CALLERS)
                opened.callback(provider.stop)
                opened.callback(fakes[provider.name].stop)
            return fakes[provider.name]

        yield fake_of


@pytest.fixture
def stand(
    provider: str, _fakes: Callable[[Provider], Any], ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> Iterator[Stand]:
    """The stand of the provider that a test is about; what its fake received is forgotten after each test."""
    known = PROVIDERS[provider]
    fake = _fakes(known)
    made = Stand(known, fake, ai, sink, session_id)
    yield made
    made.unpatch()
    fake.release()


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """An event that only the collector brings about comes too late."""
    gc.disable()
    yield
    gc.enable()
