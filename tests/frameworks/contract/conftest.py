"""A place for each framework, with and without its vendor's clients observed too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, patch, unpatch

from . import FRAMEWORKS
from .framework import Framework, Place


@pytest.fixture(params=sorted(FRAMEWORKS))
def framework(request: pytest.FixtureRequest) -> Framework:
    """The framework that a test is about."""
    return FRAMEWORKS[request.param]


@pytest.fixture(scope="session")
def _fakes() -> Iterator[Callable[[Framework], Any]]:
    fakes: dict[str, Any] = {}
    with ExitStack() as opened:

        def fake_of(framework: Framework) -> Any:
            if framework.name not in fakes:
                fakes[framework.name] = framework.serve()
                opened.callback(fakes[framework.name].stop)
            return fakes[framework.name]

        yield fake_of


@pytest.fixture(params=[False, True], ids=["alone", "observed"])
def observed(request: pytest.FixtureRequest, ai: AmplitudeAI) -> Iterator[bool]:
    """Whether the vendors' clients are observed too, which makes no difference."""
    if request.param:
        patch(amplitude=ai)
    yield request.param
    if request.param:
        unpatch()


@pytest.fixture
async def place(
    framework: Framework, _fakes: Callable[[Framework], Any], ai: AmplitudeAI, observed: bool
) -> AsyncIterator[Place]:
    """Where a run happens; the door knows a user, and no conversation."""
    made = Place(_fakes(framework), framework.door(ai, user_id="door-user"))
    yield made
    framework.close(made.door)
    await made.http.aclose()
    made.fake.release()
