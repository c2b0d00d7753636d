"""The pages over sample stores, asked in process or over a real socket."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from .app import make_app
from .sample import Reader, many


@pytest.fixture
def reader() -> Reader:
    return Reader(many())


@pytest.fixture
def client(reader: Reader) -> TestClient:
    return TestClient(make_app(reader), follow_redirects=False)
