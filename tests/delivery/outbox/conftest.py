"""Events, folders and servers for the outbox's parts, each on its own."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox.carrier import Carrier
from amplitude_ai_integrations.delivery.outbox.outbox import Entry, Outbox
from amplitude_ai_integrations.delivery.outbox.records import Record, encode
from amplitude_ai_integrations.delivery.outbox.segments import Segment
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from amplitude_ai_integrations.delivery.outbox.transport import Transport
from tests.fakes.faults import FaultServer
from tests.fakes.faults_plan import Step

Told = list[tuple[str, int]]
Serve = Callable[..., FaultServer]


def payload(number: int, *, user: str = "user-1", size: int = 0) -> bytes:
    """Return an event as JSON, made larger by so many bytes."""
    event: dict[str, Any] = {"event_type": "[Agent] Tool Call", "insert_id": f"id-{number}", "user_id": user}
    if size:
        event["event_properties"] = {"text": "x" * size}
    return json.dumps(event).encode()


def id_of(payload: bytes) -> str:
    """Return the insert id of an event."""
    return str(json.loads(payload)["insert_id"])


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse longer files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sys.dont_write_bytecode = True  # a compiled module would be cut, and be kept so
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = False


def ids(records: Iterable[Record]) -> list[str]:
    """Return the insert ids of records."""
    return [id_of(record.payload) for record in records]


def id_range(*numbers: int) -> list[str]:
    """Return the insert ids of the events whose numbers are in a range."""
    return [f"id-{number}" for number in range(*numbers)]


def taken(outbox: Outbox, most: int = 1 << 30) -> list[Entry]:
    """Take everything that may be sent."""
    return [
        (segment, record)
        for segment in outbox.sendable()
        for record in outbox.take_next(segment, most, 1 << 30, at_least_one=True)
    ]


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.005)


def left_behind(folder: Path, *payloads: bytes) -> Path:
    """Leave a segment as a process does that has ended."""
    segment = Spool(folder).create()
    for each in payloads:
        segment.append(encode(each))
    segment.let_go()
    return segment.path


def whole(segment: Segment) -> list[Record]:
    """Take everything in a segment."""
    return segment.take_next(1 << 30, 1 << 30, at_least_one=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the segments of one destination lie."""
    made = tmp_path / "spool" / "destination"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def spool(folder: Path) -> Spool:
    """The segments of one destination."""
    return Spool(folder)


@pytest.fixture
def serve_faults() -> Iterator[Serve]:
    """Run servers for the length of a test: `server = serve_faults(Step(ok))`."""
    with ExitStack() as stack:
        yield lambda *steps: stack.enter_context(FaultServer(*steps).running())


class Carried:
    """An outbox and its carrier, moved by hand, with what the callback was told."""

    def __init__(self, spool: Spool | None, url: str, key: str = "key-1") -> None:
        self.told: Told = []
        self.outbox = Outbox(
            spool, tell=lambda payload, code, _words: self.told.append((id_of(payload), code))
        )
        self.carrier = Carrier(self.outbox, Transport(url + "/2/httpapi", url + "/batch"), key)

    def put(self, *payloads: bytes) -> None:
        """Append events."""
        for each in payloads:
            self.outbox.append(each)

    def carry(self, times: int = 1) -> None:
        """Send so many requests, whatever the carrier would wait for."""
        for _ in range(times):
            self.carrier.carry()

    def carry_all(self, most: int = 200) -> int:
        """Send requests until nothing may be sent, and return how many."""
        for count in range(most):
            self.carrier.carry()
            if not self.outbox.has_ready(time.monotonic()):
                return count + 1
        raise AssertionError("it does not come to an end")

    def dead(self) -> list[str]:
        """Return the insert ids of the dead letters."""
        assert self.outbox.dead_letters is not None
        return [str(letter.event["insert_id"]) for letter in self.outbox.dead_letters]


@pytest.fixture
def carried(spool: Spool, serve_faults: Serve) -> Iterator[Callable[..., tuple[Carried, FaultServer]]]:
    """Make an outbox, its carrier, and a server that does what is planned: `it, server = carried(Step(ok))`."""
    made: list[Carried] = []

    def make(*steps: Step, on: Spool | None = spool) -> tuple[Carried, FaultServer]:
        server = serve_faults(*steps)
        made.append(Carried(on, server.url))
        return made[-1], server

    yield make
    for each in made:
        each.carrier.close()
