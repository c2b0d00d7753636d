from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from . import work
from .lanes import LANES, Lane


@pytest.fixture(scope="module", params=list(LANES))
def working(request: pytest.FixtureRequest) -> Iterator[Lane]:
    """One worker for the tests of a module."""
    lane: Any = LANES[request.param]()
    with lane.working():
        yield lane


@pytest.fixture
def lane(working: Lane, caplog: pytest.LogCaptureFixture) -> Iterator[Lane]:
    """A way to a worker on which nothing was sent yet, and of whose queue nothing is heard of a failing hook."""
    working.sink.events.clear()
    work.noted.clear()
    caplog.set_level(logging.ERROR)
    yield working
    said = [record.getMessage() for record in caplog.records]
    hooks = ("Signal handler", "Unexpected failure")  # how Celery and Dramatiq speak of one that raises
    assert [one for one in said if one.startswith(hooks) and "AmplitudeAI" in one] == []


@pytest.fixture
def thread() -> str:
    """The id of a conversation that nobody has had yet."""
    return f"thread-{uuid.uuid4()}"
