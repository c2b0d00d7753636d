from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amplitude_ai_integrations.analytics.app import assemble

from .running import Running, running


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def collector(database: Path) -> Iterator[Running]:
    """The collector alone, without pages, on a port of its own."""
    with running(assemble(database, [])) as server:
        yield server
