"""What a child has of its parent: none of its files, none of its locks, and no part in its request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.conftest import Serve
from tests.fakes.collector import Collector

from .running import PYTHON, Place, Program, own_id, wait_for
from .settings import DONE


class SlowAtFirst(Collector):
    """Answers its first request when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = self.may_answer = self.begins_to_answer = False
        self.bodies_of: dict[int, list[bytes]] = {}  # by the port of the client

    async def take(self, request: Request) -> Response:
        assert request.client is not None
        self.bodies_of.setdefault(request.client.port, []).append(await request.body())
        if self.is_asked:
            return await super().take(request)
        if self.begins_to_answer:
            return StreamingResponse(self._slowly(await super().take(request)))
        self.is_asked = True
        await self._pause()
        return await super().take(request)

    async def _slowly(self, answer: Response) -> AsyncIterator[bytes]:
        body = bytes(answer.body)
        yield body[:5]
        self.is_asked = True
        await self._pause()
        yield body[5:]

    async def _pause(self) -> None:
        while not self.may_answer:
            await asyncio.sleep(0.01)


@pytest.fixture
def collector() -> Collector:
    return SlowAtFirst()


@pytest.fixture
def place(collector: Collector, serve: Serve, tmp_path: Path) -> Place:
    return Place(tmp_path, serve(collector.app), collector)


class Watched:
    """A program that stops where the test is to look."""

    def __init__(self, place: Place, kind: str) -> None:
        self._done = place.folder / "done"
        env = {DONE: str(self._done)}
        self.program: Program = place.start(*PYTHON, "-m", "tests.delivery.prefork.forks", kind, **env)

    def wait(self) -> None:
        is_over = self.program.process.poll
        assert wait_for(lambda: self._done.exists() or is_over() is not None), self.program.printed
        assert is_over() is None, self.program.printed

    def go_on(self) -> None:
        self._done.unlink()


@pytest.fixture
def watched(place: Place, request: pytest.FixtureRequest) -> Iterator[Watched]:
    found = Watched(place, request.param)
    yield found
    found.program.kill()


@pytest.mark.parametrize("watched", ["program_run_inside"], indirect=True)
def test_a_program_run_by_ours_inherits_none_of_its_files(
    watched: Watched, place: Place, collector: SlowAtFirst
) -> None:
    collector.may_answer = True
    assert watched.program.wait() == 0, watched.program.printed
    assert watched.program.printed.split() == ["0", "1", "2"]
    assert (len(place.tracked), place.lost, place.doubled) == (8, [], [])


@pytest.mark.parametrize("watched", ["child_lives_on", "child_that_speaks_lives_on"], indirect=True)
def test_what_a_killed_parent_left_is_not_held_by_its_child(
    watched: Watched, place: Place, collector: SlowAtFirst
) -> None:
    collector.answers = [503] * 1_000
    watched.wait()
    parent = watched.program.process.pid
    of_parent = {one for pid, one in place.notes if pid == parent}
    watched.program.process.kill()
    watched.program.process.wait()
    assert len(of_parent) == 4
    assert len(place.lost) == len(place.tracked)
    collector.answers.clear()
    collector.may_answer = True
    place.start_again()
    assert wait_for(lambda: not of_parent.intersection(place.lost))
    assert place.doubled == []


@pytest.mark.parametrize("begins_to_answer", [False, True])
@pytest.mark.parametrize("watched", ["fork_during_a_request"], indirect=True)
def test_a_request_that_is_open_during_a_fork_is_the_parents_alone(
    watched: Watched, place: Place, collector: SlowAtFirst, begins_to_answer: bool
) -> None:
    collector.begins_to_answer = begins_to_answer
    watched.wait()
    assert wait_for(lambda: collector.is_asked)
    watched.go_on()
    assert wait_for(lambda: len(place.tracked) == 32), watched.program.printed
    watched.wait()
    collector.may_answer = True
    place.wait_until_all_arrived()
    watched.go_on()
    assert watched.program.wait() == 0, watched.program.printed
    assert (place.lost, place.doubled, place.strange) == ([], [], [])


@pytest.mark.parametrize("watched", ["children_flush"], indirect=True)
def test_no_two_processes_share_a_connection(watched: Watched, place: Place, collector: SlowAtFirst) -> None:
    collector.may_answer = True
    assert watched.program.wait() == 0, watched.program.printed
    assert (len(place.tracked), place.lost, place.doubled) == (20, [], [])
    by = {own: pid for pid, own in place.notes}
    senders = [
        {by[own_id(event)] for body in bodies for event in json.loads(body)["events"]}
        for bodies in collector.bodies_of.values()
    ]
    assert [len(pids) for pids in senders] == [1] * len(senders)
    assert set.union(*senders) == place.pids
