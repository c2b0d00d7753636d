"""When the process ends, all that have something to deliver share one short time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from amplitude_ai_integrations.delivery.outbox import ending
from amplitude_ai_integrations.delivery.outbox.outbox import Outbox
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from tests.fakes import faults_answers as answers
from tests.fakes.faults_plan import Step

from .conftest import Serve, id_of, id_range, taken

BEGIN = """
import atexit, sys, threading, time, os
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox import ending
from amplitude_ai_integrations.delivery.outbox.carrier import Carrier
from amplitude_ai_integrations.delivery.outbox.outbox import Outbox
from amplitude_ai_integrations.delivery.outbox.sender import Sender
from amplitude_ai_integrations.delivery.outbox.spool import Spool
from amplitude_ai_integrations.delivery.outbox.transport import Transport

folder, url = Path(sys.argv[1]), sys.argv[2]

def begin(name):
    outbox = Outbox(Spool(folder / name))
    sender = Sender(outbox, Carrier(outbox, Transport(url + "/2/httpapi", url + "/batch"), "key"))
    ending.note(sender)
    return sender

def put(sender, *numbers):
    for number in numbers:
        sender.outbox.append(b'{"event_type": "e", "user_id": "u", "insert_id": "id-%d"}' % number)
"""


class Ends:
    """Notes what is asked of it, and when."""

    def __init__(self, said: list[str], name: str, *, fails: bool = False) -> None:
        self.said = said
        self.name = name
        self.fails = fails
        self.deadlines: list[float] = []

    def begin_to_finish(self, deadline: float) -> None:
        self.said.append(f"{self.name} begins")
        self.deadlines.append(deadline)
        if self.fails:
            raise ValueError(self.name)

    def finish(self) -> None:
        self.said.append(f"{self.name} ends")
        if self.fails:
            raise ValueError(self.name)

    def begin_anew(self) -> None:
        self.said.append(f"{self.name} anew")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what other tests have noted."""
    for name in ("_first", "_all"):
        monkeypatch.setattr(ending, name, type(ending._all)())


def run(tmp_path: Path, url: str, program: str) -> float:
    """Run a program to its end, and return how long that took after it said that it ends."""
    log = tmp_path / "log"
    marker = tmp_path / "ends"
    ends = f"\nPath({str(marker)!r}).write_text(str(time.monotonic()))\n"
    with log.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", BEGIN + program + ends, str(tmp_path / "spool"), url],
            stdout=out, stderr=out, timeout=30, check=False,
        )  # fmt: skip
    over = time.monotonic()
    assert done.returncode == 0, log.read_text()
    return over - float(marker.read_text())


def left(tmp_path: Path) -> list[str]:
    found = []
    for folder in (tmp_path / "spool").iterdir():
        outbox = Outbox(Spool(folder))
        outbox.adopt()
        found += [id_of(record.payload) for _, record in taken(outbox)]
    return sorted(found)


@pytest.mark.usefixtures("alone")
def test_all_begin_before_any_is_waited_for_and_have_one_deadline() -> None:
    said: list[str] = []
    everyone = [Ends(said, str(number)) for number in range(3)]
    for one in everyone:
        ending.note(one)
        ending.note(one)
    first = Ends(said, "first")
    ending.note_first(first)
    before = time.monotonic()
    ending._finish_all()
    assert said[:2] == ["first begins", "first ends"]
    assert {each.split()[1] for each in said[2:5]} == {"begins"}
    assert {each.split()[1] for each in said[5:]} == {"ends"}
    assert len(said) == 8
    (deadline,) = {each for one in everyone for each in one.deadlines}
    assert before + ending.IN_MEMORY <= first.deadlines[0] <= time.monotonic() + ending.IN_MEMORY
    assert ending.AT_EXIT <= 2.0
    assert before + ending.AT_EXIT <= deadline <= time.monotonic() + ending.AT_EXIT


@pytest.mark.usefixtures("alone", "swallowing")
def test_one_that_fails_keeps_no_other_from_its_end() -> None:
    said: list[str] = []
    everyone = [Ends(said, "bad", fails=True), Ends(said, "good"), Ends(said, "worse", fails=True)]
    for one in everyone:
        ending.note(one)
    ending._finish_all()
    assert sorted(said) == sorted(
        f"{name} {what}" for name in ("bad", "good", "worse") for what in ("begins", "ends")
    )


@pytest.mark.usefixtures("alone")
def test_who_is_gone_is_not_asked() -> None:
    said: list[str] = []
    one, other = Ends(said, "one"), Ends(said, "other")
    ending.note(one)
    ending.note_first(other)
    del one, other
    ending._finish_all()
    assert said == []


def test_the_end_delivers_what_waits(tmp_path: Path, serve_faults: Serve) -> None:
    server = serve_faults()
    run(
        tmp_path,
        server.url,
        "one, other = begin('a'), begin('b')\nput(one, *range(300))\nput(other, *range(300, 310))\n",
    )
    assert sorted(server.accepted) == sorted(id_range(310))
    assert set(server.accepted.values()) == {1}
    assert left(tmp_path) == []


@pytest.mark.parametrize("answer", [answers.hang, answers.status(500), None])
def test_several_share_one_time_and_keep_what_is_left(
    tmp_path: Path, serve_faults: Serve, answer: object
) -> None:
    server = serve_faults(Step(answer))  # type: ignore[arg-type]
    took = run(
        tmp_path,
        server.url,
        "every = [begin(str(number)) for number in range(5)]\nfor number, one in enumerate(every): put(one, number)\n",
    )
    assert took < 2 * ending.AT_EXIT  # five in turn would take five times that
    assert left(tmp_path) == id_range(5)


def test_what_comes_in_the_last_moment_is_delivered_or_kept(tmp_path: Path, serve_faults: Serve) -> None:
    """Hooks that were registered later run first, those before run last; both track."""
    server = serve_faults()
    program = """
late = []
atexit.register(lambda: put(late[0], 2))
late.append(begin('a'))
atexit.register(lambda: put(late[0], 1))
put(late[0], 0)
"""
    run(tmp_path, server.url, program)
    assert sorted([*server.accepted, *left(tmp_path)]) == id_range(3)


def test_a_thread_that_outlives_the_main_one_loses_nothing(tmp_path: Path, serve_faults: Serve) -> None:
    server = serve_faults()
    program = """
one = begin('a')
def late():
    for number in range(50):
        put(one, number)
        time.sleep(0.005)
threading.Thread(target=late).start()
"""
    run(tmp_path, server.url, program)
    assert sorted([*server.accepted, *left(tmp_path)]) == sorted(id_range(50))


def test_a_process_that_had_nothing_to_deliver_ends_at_once(tmp_path: Path, serve_faults: Serve) -> None:
    server = serve_faults(Step(answers.hang))
    assert run(tmp_path, server.url, "one = begin('a')\n") < ending.AT_EXIT
    assert server.requests == 0


@pytest.mark.parametrize("way", ["os._exit(0)", "sys.exit(0)"])
def test_a_forked_child_ends_without_what_is_its_parent_s(
    tmp_path: Path, serve_faults: Serve, way: str
) -> None:
    server = serve_faults()
    program = f"""
one = begin('a')
put(one, *range(10))
pid = os.fork()
if not pid:
    put(one, 100)
    {way}
os.waitpid(pid, 0)
"""
    run(tmp_path, server.url, program)
    found = [*server.accepted, *left(tmp_path)]
    assert sorted(found) == sorted([*id_range(10), "id-100"])
    assert set(server.accepted.values()) == {1}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_of_multiprocessing_delivers_at_its_end(
    tmp_path: Path, serve_faults: Serve, method: str
) -> None:
    server = serve_faults()
    module = tmp_path / "working.py"
    module.write_text(
        BEGIN.replace("sys.argv[1]", repr(str(tmp_path / "spool"))).replace("sys.argv[2]", repr(server.url))
        + "\ndef work(number):\n    global one\n    one = begin('a')\n    put(one, number)\n"
    )
    program = f"""
sys.path.insert(0, {str(tmp_path)!r})
import multiprocessing, working
context = multiprocessing.get_context({method!r})
workers = [context.Process(target=working.work, args=(number,)) for number in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
"""
    run(tmp_path, server.url, program)
    assert dict(server.accepted) == {"id-0": 1, "id-1": 1}
