"""The fake of the vendor's cloud, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from ...fakes.managed_server import ManagedServer

if not hasattr(anthropic.resources.beta, "Sessions"):
    collect_ignore_glob = ["test_*.py"]  # older versions know of no managed agents


@pytest.fixture(scope="session")
def _server() -> Iterator[ManagedServer]:
    server = ManagedServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_server: ManagedServer) -> Iterator[ManagedServer]:
    """The vendor's cloud, on a day of its own."""
    _server.reset()
    yield _server
    _server.is_over.set()


@pytest.fixture(scope="session")
def client(_server: ManagedServer) -> Iterator[Any]:
    """A client of it."""
    with anthropic.Anthropic(api_key="k", base_url=_server.address, max_retries=0) as client:
        yield client
