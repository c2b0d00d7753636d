from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from .servers import serving
from .visiting import Running


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """All servers, each started when it is first visited."""
    started: dict[str, Running] = {}
    with ExitStack() as stack:

        def visited(name: str) -> Running:
            if name not in started:
                events = tmp_path_factory.mktemp(name) / "events.jsonl"
                events.touch()
                started[name] = Running(stack.enter_context(serving(name, events)), events)
                stack.callback(started[name].client.close)
            return started[name]

        yield visited
    for running in started.values():
        running.check_that_nothing_else_was_said()


@pytest.fixture
def running(request: pytest.FixtureRequest, servers: Callable[[str], Running]) -> Running:
    return servers(request.param)
