"""The tests of this folder run side by side, since nearly all they do is wait.

A test here takes ``run`` (see ``Run``) and its own parameters; its body runs in a thread, with a directory, a
server and processes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .running import Run

AT_ONCE = 8


@pytest.fixture(scope="session")
def bodies(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The bodies of all tests that were chosen, the long ones begun first."""
    items = [item for item in request.session.items if "run" in getattr(item, "fixturenames", ())]
    items = [item for item in items if Path(item.path).parent == Path(__file__).parent]
    items.sort(key=lambda item: not getattr(item.function, "is_long", False))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="faults") as pool:
        yield {item.nodeid: pool.submit(_body, item, tmp_path_factory.mktemp("faults")) for item in items}
        pool.shutdown(cancel_futures=True)


def _body(item: Any, directory: Path) -> None:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    with Run(directory).open() as run:
        item.function(run=run, **parameters)


@pytest.fixture
def run(request: pytest.FixtureRequest, bodies: dict[str, Future[None]]) -> Future[None]:
    """What the test's body comes to."""
    return bodies[request.node.nodeid]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the body that runs already, instead of running it."""
    future = pyfuncitem.funcargs.get("run")
    if not isinstance(future, Future):
        return None
    future.result()
    return True
