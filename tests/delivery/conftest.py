"""What the tests of delivery as its callers see it stand on: a server, a folder, and time to wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI
from amplitude_ai_integrations.delivery.outbox import sender
from tests.fakes.faults import FaultServer

Make = Callable[..., AmplitudeAI]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that takes everything, until its plan is changed."""
    with FaultServer().running() as running:
        yield running


@pytest.fixture
def make(server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make clients of the server with a folder of this test's, whose events do not wait long for company."""
    monkeypatch.setattr(sender, "_INTERVAL", 0.1)
    made: list[AmplitudeAI] = []

    def client(amplitude: Any = None, **settings: Any) -> AmplitudeAI:
        settings = {"spool": str(tmp_path / "spool"), **settings}
        if amplitude is None:
            settings = {"server_url": server.url, **settings}
        made.append(AmplitudeAI(amplitude=amplitude, config=AIConfig(**settings)))
        return made[-1]

    yield client
    for ai in made:
        ai.shutdown(0)
