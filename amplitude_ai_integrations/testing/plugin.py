"""Fixtures that pytest finds by itself; until a test asks for one, nothing is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..config import AIConfig
    from .mock import MockAmplitudeAI


@pytest.fixture
def amplitude_ai_config() -> AIConfig | None:
    """The configuration of ``amplitude_ai``; override it in a conftest or a test module."""
    return None


@pytest.fixture
def amplitude_ai(amplitude_ai_config: AIConfig | None) -> Iterator[MockAmplitudeAI]:
    """A ``MockAmplitudeAI``; at the test's end its events are checked against the schema.

    An event that is wrong fails the test, and so does an error that was kept from the program under test:
    one of this package, or of a resolver or hook of yours. A test that wants such things makes a
    ``MockAmplitudeAI()`` of its own.
    """
    from ..context.current import push_context, reset_context
    from .checking import complaints, errors_kept_away
    from .mock import MockAmplitudeAI

    outside = push_context(None)  # a session that another test left open is not this one's
    with errors_kept_away() as errors:
        mock = MockAmplitudeAI(amplitude_ai_config)
        yield mock
    reset_context(outside)
    found = [*complaints(mock.events), *errors]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.fixture
def amplitude_ai_frozen(amplitude_ai: MockAmplitudeAI) -> Iterator[MockAmplitudeAI]:
    """``amplitude_ai`` with ids and clocks held still: each run makes the same events, byte for byte."""
    from .freezing import frozen

    with frozen():
        yield amplitude_ai
