"""CrewAI needs an older client of OpenAI's: these tests run in the group where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, patch, unpatch

from .frames import Unframed

if TYPE_CHECKING:
    from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

    from .making import Making

if find_spec("crewai") is None:
    collect_ignore_glob = ["test_[!m]*.py"]  # all but the one of its being missing
else:
    from . import offline  # noqa: F401 - before CrewAI is imported


@pytest.fixture(scope="module")
def fake() -> Iterator[Unframed]:
    server = Unframed()
    yield server
    server.stop()


@pytest.fixture(params=[False, True], ids=["alone", "observed"])
def observed(request: pytest.FixtureRequest, ai: AmplitudeAI) -> Iterator[None]:
    """Observe OpenAI's client too, or not, which makes no difference."""
    if request.param:
        patch(amplitude=ai)
    yield
    if request.param:
        unpatch()


@pytest.fixture
def hooks(ai: AmplitudeAI) -> Iterator[AmplitudeCrewAIHooks]:
    """Hooks that hear of the whole process; what has begun is over in the end."""
    from amplitude_ai_integrations.frameworks.crewai import AmplitudeCrewAIHooks

    made: Any = AmplitudeCrewAIHooks(ai, user_id="user-1").register()
    yield made
    made.close()
    assert [(run.name, run.kind) for run in made._watching.tree._runs.values()] == []


@pytest.fixture
def make(fake: Unframed) -> Iterator[Making]:
    """Make CrewAI's models, agents and crews."""
    from .making import Making

    yield Making(fake)
    fake.release()
