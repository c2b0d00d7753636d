"""Ids that no process, thread or fork makes twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from amplitude_ai_integrations.context import stamps

PROGRAM = """
import random
random.seed(1)
from amplitude_ai_integrations.context import stamps
print(*[make() for make in (stamps.new_id, stamps.insert_id) for _ in range(100)])
"""


def _elsewhere() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=60, text=True
    )
    return done.stdout.split()


def test_ids_are_uuids_and_differ_between_processes() -> None:
    found = [_elsewhere() for _ in range(3)]
    assert [len(ids) for ids in found] == [200] * 3
    assert len(set().union(*found)) == 600
    assert all(str(uuid.UUID(one)) == one for ids in found for one in ids)
    assert {uuid.UUID(one).version for one in found[0][:100]} == {4}
    assert {uuid.UUID(one).variant for ids in found for one in ids} == {uuid.RFC_4122}


def test_threads_never_make_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: (stamps.insert_id(), stamps.new_id()), range(20_000)))
    assert len({insert for insert, _ in ids}) == len({new for _, new in ids}) == 20_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_does_not_repeat_its_parent() -> None:
    before = [stamps.insert_id() for _ in range(10)]
    reading, writing = os.pipe()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            made = [make() for make in (stamps.new_id, stamps.insert_id) for _ in range(100)]
            os.write(writing, " ".join([*made, ""]).encode())
            os._exit(0)
        children.append(child)
    ours = [make() for make in (stamps.new_id, stamps.insert_id) for _ in range(100)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read().split()
    assert len(theirs) == 600
    assert len({*before, *ours, *theirs}) == 10 + 200 + 600


def test_a_program_may_seed_its_own_numbers() -> None:
    random.seed(1)
    first = stamps.new_id()
    state = random.getstate()
    random.seed(1)
    assert stamps.new_id() != first
    stamps.insert_id()
    random.setstate(state)
    drawn = random.random()
    random.setstate(state)
    stamps.new_id()
    assert random.random() == drawn


def test_a_text_has_one_id() -> None:
    ids = {text: stamps.id_for(text) for text in ("a", "b", "", "ä" * 100_000)}
    assert len(set(ids.values())) == 4
    assert {uuid.UUID(one).version for one in ids.values()} == {8}
    assert ids["a"] == stamps.id_for("a")


def test_times_are_whole_milliseconds() -> None:
    before = time.time() * 1000
    now = stamps.now_ms()
    assert type(now) is int
    assert before - 1 <= now <= time.time() * 1000
    assert stamps.seconds() <= stamps.seconds()
