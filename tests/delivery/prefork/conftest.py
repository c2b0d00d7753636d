"""One collector for all programs of a file, which tells them apart by their key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import running
from tests.fakes.collector import Collector

from .running import Place

Places = Callable[[str], Place]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Make a place for a kind of program."""
    collector = Collector()
    with running(collector.app, access_log=False, timeout_keep_alive=60) as url:
        yield lambda kind: Place(tmp_path_factory.mktemp(re.sub(r"\W+", "-", kind)), url, collector)
