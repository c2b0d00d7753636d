"""What lies in a spool is counted, shown, deleted, freed of a person's events, and made to wait again."""

from __future__ import annotations

import fcntl
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.config import AIConfig
from amplitude_ai_integrations.delivery.outbox.deadletters import NAME, OLDER, DeadLetters
from amplitude_ai_integrations.delivery.outbox.forgetting import Forgotten, forget
from amplitude_ai_integrations.delivery.outbox.keeping import Destination, destinations
from amplitude_ai_integrations.delivery.outbox.looking import opened, waiting
from amplitude_ai_integrations.delivery.outbox.people import Person
from amplitude_ai_integrations.delivery.outbox.records import encode, encode_again
from amplitude_ai_integrations.delivery.outbox.replaying import put_back, replay
from amplitude_ai_integrations.delivery.outbox.segments import LATER, Segment
from amplitude_ai_integrations.exceptions import ConfigurationError
from tests.fakes.faults import FaultServer
from tests.fakes.faults_answers import hang, ok, refusing, throttling
from tests.fakes.faults_plan import Step

Event = dict[str, Any]


def event(number: int, user: Any = "user-1", **more: Any) -> Event:
    about = {
        "event_type": "[Agent] User Message",
        "insert_id": f"id-{number}",
        "time": 1_700_000_000_000 + number,
    }
    return {**about, "user_id": user, **more}


def as_json(one: Event) -> bytes:
    return json.dumps(one, ensure_ascii=False).encode()


@pytest.fixture
def place(tmp_path: Path) -> Destination:
    """A destination with nothing in it."""
    folder = tmp_path / "spool" / "0123456789abcdef"
    folder.mkdir(parents=True)
    return Destination(folder)


def written(place: Destination, *events: Event) -> Segment:
    """Write events as a process does that lives."""
    segment = place.spool.create()
    for one in events:
        segment.append(encode(as_json(one)))
    return segment


def left(place: Destination, *events: Event) -> Path:
    """Write events as a process does that has ended."""
    segment = written(place, *events)
    segment.let_go()
    return segment.path


def bury(place: Destination, *events: Event, reason: str = "HTTP 400: told to") -> None:
    for one in events:
        place.letters.add(as_json(one), reason, 400, 1)


def ids(payloads: Any) -> list[str]:
    return [json.loads(payload)["insert_id"] for payload in payloads]


def dead_ids(place: Destination) -> list[str]:
    return [letter.event["insert_id"] for letter in place.dead()]


# Counting


def test_what_waits_is_counted_by_whether_its_process_lives(place: Destination) -> None:
    left(place, event(2), event(3))
    living = written(place, event(1))
    bury(place, event(4), event(5))
    bury(place, event(6), reason="sent seven days ago without an answer")
    found = place.summary()
    assert (found.events, found.held_events, found.held, found.left, found.unknown) == (3, 1, 1, 1, 0)
    assert found.bytes == sum(len(as_json(event(number))) for number in (1, 2, 3))
    assert found.oldest_seconds == pytest.approx(time.time() - 1_700_000_000.001, abs=60)
    assert dict(found.dead) == {"HTTP 400: told to": 2, "sent seven days ago without an answer": 1}
    assert sorted(ids(place.waiting())) == ["id-1", "id-2", "id-3"]
    living.let_go()


def test_delivered_events_do_not_wait(place: Destination) -> None:
    segment = written(place, event(1), event(2))
    (first,) = segment.take_next(1, 10_000, at_least_one=True)
    segment.settle(first.start)
    segment.save()
    assert ids(place.waiting()) == ["id-2"]
    assert (place.summary().events, place.summary().oldest_seconds) == (
        1,
        pytest.approx(time.time() - 1.7e9, abs=60),
    )
    segment.let_go()


def test_an_empty_destination(place: Destination) -> None:
    assert place.summary() == (0, 0, None, 0, 0, 0, 0, {})
    assert [*place.waiting()] == [*place.dead()] == []


def test_looking_leaves_everything_as_it_is(place: Destination) -> None:
    path = left(place, event(1))
    bury(place, event(2))
    before = [
        (file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(place.folder.iterdir())
    ]
    assert path.exists()
    place.summary()
    assert len([*place.waiting(), *place.dead()]) == 2
    assert before == [
        (file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(place.folder.iterdir())
    ]


def test_those_who_look_at_the_same_time_do_not_take_each_other_for_a_process(place: Destination) -> None:
    path = left(place, event(1))
    other = opened(path)
    assert other is not None
    fcntl.flock(other.fd, fcntl.LOCK_SH)
    assert (place.summary().held, place.summary().left) == (0, 1)
    other.let_go()
    assert Segment.adopt(path) is not None


def of_a_later_version(place: Destination) -> Path:
    path = left(place, event(9))
    path.write_bytes(path.read_bytes().replace(b"spool 1 ", b"spool 2 "))
    return path


def test_files_of_a_later_version_are_counted_and_left_alone(place: Destination) -> None:
    path = of_a_later_version(place)
    before = path.read_bytes()
    found = place.summary()
    assert (found.events, found.left, found.unknown) == (0, 0, 1)
    assert [*place.waiting()] == []
    assert place.purge_waiting() == (0, 0, 1)
    assert forget([place], Person("user-1"), 0.0).unknown == 1
    assert path.read_bytes() == before


# Folders


def test_destinations_are_the_folders_of_a_spool(tmp_path: Path, place: Destination) -> None:
    (place.folder.parent / "notes").mkdir()
    (place.folder.parent / ("f" * 16)).mkdir()
    (place.folder.parent / ("f" * 16) / "picture.png").touch()
    (place.folder.parent / "a-file").touch()
    assert [found.name for found in destinations(place.folder.parent)] == [place.name]
    assert destinations(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda folder: (folder / "letter.txt").touch(),
            "is no spool, it holds 'letter.txt'; name the folder",
        ),
        (lambda folder: (folder / "dead.jsonl").touch(), "is one destination of a spool; use --spool"),
    ],
)
def test_a_folder_that_is_no_spool_is_refused(tmp_path: Path, make: Any, words: str) -> None:
    make(tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        destinations(tmp_path)


def test_a_file_is_no_spool(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is no folder; name one"):
        destinations(tmp_path / "file")


# Deleting


def test_purging_leaves_what_a_living_process_holds(place: Destination) -> None:
    path = left(place, event(1), event(2))
    living = written(place, event(3))
    assert place.purge_waiting() == (2, 1, 0)
    assert not path.exists()
    assert ids(place.waiting()) == ["id-3"]
    living.let_go()


def test_dead_letters_are_purged_from_both_files(place: Destination) -> None:
    bury(place, event(1))
    (place.folder / NAME).rename(place.folder / OLDER)
    bury(place, event(2))
    assert dead_ids(place) == ["id-1", "id-2"]
    assert place.purge_dead() == 2
    assert [*place.folder.iterdir()] == []
    assert place.purge_dead() == 0


# Forgetting


def test_a_user_is_forgotten_and_all_others_stay(place: Destination) -> None:
    path = left(place, event(1), event(2, "user-2"), event(3, "user-11"), event(4, None, device_id="user-1"))
    bury(place, event(5), event(6, "user-2", text="of user-1"))
    assert forget([place], Person("user-1"), 0.0) == Forgotten(waiting=1, dead=1)
    assert not path.exists()
    assert ids(place.waiting()) == ["id-2", "id-3", "id-4"]
    assert dead_ids(place) == ["id-6"]
    assert all(b'"id-1"' not in file.read_bytes() for file in place.folder.iterdir())


def test_a_device_is_forgotten(place: Destination) -> None:
    left(place, event(1, device_id="device-1"), event(2, "device-1"))
    bury(place, event(3, device_id="device-1"), event(4, "device-1"))
    assert forget([place], Person("device-1", is_device=True), 0.0) == Forgotten(waiting=1, dead=1)
    assert (ids(place.waiting()), dead_ids(place)) == (["id-2"], ["id-4"])


@pytest.mark.parametrize("user", ["Zoë", 'quo"te', "\U0001f600", 42, "  "])
def test_an_id_is_compared_as_it_reads(place: Destination, user: Any) -> None:
    left(place, event(1, user), event(2, None), event(3, "None"))
    bury(place, event(4, user), event(5, None))
    assert forget([place], Person(str(user)), 0.0) == Forgotten(waiting=1, dead=1)
    assert (ids(place.waiting()), dead_ids(place)) == (["id-2", "id-3"], ["id-5"])


def test_events_that_were_delivered_and_still_lie_in_a_file_are_forgotten(place: Destination) -> None:
    segment = written(place, event(1), event(2, "user-2"))
    (first,) = segment.take_next(1, 10_000, at_least_one=True)
    segment.settle(first.start)
    segment.save()
    segment.let_go()
    assert forget([place], Person("user-1"), 0.0) == Forgotten()
    assert ids(place.waiting()) == ["id-2"]
    assert b"user-1" not in b"".join(file.read_bytes() for file in place.folder.iterdir())


def test_what_is_known_of_a_delivery_outlives_forgetting(place: Destination) -> None:
    segment = place.spool.create(LATER)
    segment.append(encode(as_json(event(1))))
    segment.append(encode_again(as_json(event(2, "user-2")), 3, 1_700_000_000_123, is_told=True))
    segment.append(encode(as_json(event(3, "user-2"))))
    (first, second, third) = segment.take_next(3, 10_000, at_least_one=True)
    segment.give_back()
    segment.told = third.start
    segment.note_tried(third.end, 1_700_000_000_456)
    segment.save()
    segment.let_go()
    assert forget([place], Person("user-1"), 0.0).waiting == 1
    (path,) = place.spool.paths()
    assert path.suffix == LATER
    new = opened(path)
    assert new is not None
    known = [(it.payload, it.tries, it.first_ms, it.is_told) for it in waiting(new)]
    assert known == [
        (second.payload, 3, 1_700_000_000_123, True),
        (third.payload, 0, 1_700_000_000_456, False),
    ]
    assert first.payload == as_json(event(1))


def test_a_file_without_theirs_is_not_touched(place: Destination) -> None:
    path = left(place, event(1, "user-2"))
    before = path.stat()
    assert forget([place], Person("user-1"), 0.0) == Forgotten()
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_torn_record_is_forgotten_whosever_it_was(place: Destination) -> None:
    path = left(place, event(1, "user-2"), event(2, "user-3"))
    path.write_bytes(path.read_bytes().replace(b'"user-2"', b'"user-1"'))  # its checksum is wrong now
    assert forget([place], Person("user-1"), 0.0) == Forgotten()
    assert ids(place.waiting()) == ["id-2"]
    assert b"user-1" not in b"".join(file.read_bytes() for file in place.folder.iterdir())


def test_lines_of_the_dead_that_cannot_be_read_go_only_where_they_name_them(place: Destination) -> None:
    bury(place, event(1))
    lines = [b'{"at": 1, "event": {"user_id": "user-1", "te', b'{"at": 2, "event": {"user_id": "user-2", "te']
    later = (
        b'{"at": 3, "reason": "r", "status": 0, "attempts": 0, "shard": 7, "event": {"user_id": "user-2"}}'
    )
    with (place.folder / NAME).open("ab") as file:
        file.write(b"\n".join([*lines, later]))
    assert forget([place], Person("user-1"), 0.0).dead == 2
    assert (place.folder / NAME).read_bytes() == lines[1] + b"\n" + later + b"\n"
    assert (place.folder / NAME).stat().st_mode & 0o777 == 0o600


def test_events_that_a_living_process_holds_are_counted(place: Destination) -> None:
    living = written(place, event(1), event(2), event(3, "user-2"))
    (first,) = living.take_next(1, 10_000, at_least_one=True)
    living.settle(first.start)
    living.save()
    assert forget([place], Person("user-1"), 0.0) == Forgotten(held=2)  # the first is there still
    living.let_go()
    done = forget([place], Person("user-1"), 0.0)
    assert (done.waiting, done.held, ids(place.waiting())) == (1, 0, ["id-3"])


# Dead letters that others add to meanwhile


ADDING = """
import sys, threading, time
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox.deadletters import DeadLetters
folder, name = Path(sys.argv[1]), sys.argv[2]
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set())).start()
number = 0
while not stop.is_set():
    for user in ("user-1", "user-2"):
        payload = b'{"insert_id": "%s-%d", "user_id": "%s"}' % (name.encode(), number, user.encode())
        DeadLetters(folder).add(payload, "told to", 400, 1)
        number += 1
    if number == 2:
        print("begun", flush=True)
    time.sleep(0.0002)
print(number)
"""
SIFTINGS = 10


def test_letters_that_are_added_meanwhile_are_not_lost(place: Destination) -> None:
    words = [sys.executable, "-c", ADDING, str(place.folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    removed = 0
    with subprocess.Popen([*words, "a"], **pipes) as one, subprocess.Popen([*words, "b"], **pipes) as other:
        assert [adding.stdout.readline() for adding in (one, other) if adding.stdout] == ["begun\n"] * 2
        for _ in range(SIFTINGS):
            removed += forget([place], Person("user-1"), 0.0).dead
        total = sum(int(adding.communicate(timeout=30)[0]) for adding in (one, other))
    removed += forget([place], Person("user-1"), 0.0).dead
    assert removed == total // 2
    assert len(dead_ids(place)) == len(set(dead_ids(place))) == total // 2


# Putting back, and sending


def test_dead_letters_wait_again_with_their_insert_ids(place: Destination) -> None:
    half = json.dumps(event(2, text="\ud800")).encode()  # half a character, which only an escape can spell
    bury(place, event(1, text="\u2028 Zoë \x1e"))
    place.letters.add(half, "told to", 400, 1)
    assert put_back(place) == 2
    assert [json.loads(payload) for payload in place.waiting()] == [
        event(1, text="\u2028 Zoë \x1e"),
        event(2, text="\ud800"),
    ]
    assert [*place.dead()] == []


def test_a_letter_that_is_there_twice_waits_once(place: Destination) -> None:
    bury(place, event(1), event(1), {"user_id": "no-insert-id"}, {"user_id": "no-insert-id"})
    assert put_back(place) == 3


def test_what_is_no_event_stays_dead(place: Destination) -> None:
    place.letters.add(b"null", "told to", 400, 1)
    with (place.folder / NAME).open("ab") as file:
        file.write(b"torn\n")
    before = (place.folder / NAME).read_bytes()
    bury(place, event(1))
    assert put_back(place) == 1
    assert (place.folder / NAME).read_bytes() == before


LITTLE_ROOM = """
import sys
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox.keeping import Destination
from amplitude_ai_integrations.delivery.outbox.forgetting import forget
from amplitude_ai_integrations.delivery.outbox.people import Person
from amplitude_ai_integrations.delivery.outbox.replaying import put_back
place = Destination(Path(sys.argv[1]))
try:
    put_back(place) if sys.argv[2] == "replay" else forget([place], Person("user-0"), 0.0)
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize("action", ["replay", "forget"])
def test_nothing_is_lost_where_there_is_no_room(place: Destination, action: str) -> None:
    """A limit for the size of files fails writes as a full disk does."""
    events = [event(number, f"user-{number % 5}") for number in range(40)]
    left(place, *events)
    bury(place, *events)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    # -B: Python would keep what it could write of a compiled module.
    words = [sys.executable, "-B", "-c", LITTLE_ROOM, str(place.folder), action]
    run = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit, check=True, timeout=60)
    assert run.stdout != ""
    assert ids(place.waiting()) == dead_ids(place) == [one["insert_id"] for one in events]


def config_for(server: FaultServer) -> AIConfig:
    return AIConfig(server_url=server.url)


def test_what_is_refused_again_comes_back_once(place: Destination) -> None:
    bury(place, *(event(number) for number in range(4)))
    server = FaultServer(Step(refusing("invalid", lambda it: it["insert_id"] in ("id-1", "id-2"))))
    with server.running():
        done = replay(place, "k", config_for(server), dead=True, patience=20.0)
        assert (done.delivered, done.refused.total(), done.left, done.held) == (2, 2, 0, 0)
        assert dead_ids(place) == ["id-1", "id-2"]
        assert (sorted(server.accepted), set(server.accepted.values())) == (["id-0", "id-3"], {1})
        again = replay(place, "k", config_for(server), dead=True, patience=20.0)
        assert (again.delivered, again.refused.total(), dead_ids(place)) == (0, 2, ["id-1", "id-2"])
    assert list(place.spool.paths()) == []


def test_a_server_that_says_nothing_is_given_up(place: Destination) -> None:
    left(place, event(1))
    server = FaultServer(Step(hang))
    with server.running():
        done = replay(place, "k", config_for(server), dead=False, patience=0.3)
    assert (done.delivered, done.left, done.trouble) == (0, 1, "TimeoutError: timed out")


def test_what_the_server_puts_off_is_left(place: Destination) -> None:
    left(place, event(1, "busy"), event(2))
    server = FaultServer(Step(throttling(["busy"])))
    with server.running():
        done = replay(place, "k", config_for(server), dead=False, patience=0.3)
        assert (done.delivered, done.left, ids(place.waiting())) == (1, 1, ["id-1"])
        server.plan(Step(ok))
        assert replay(place, "k", config_for(server), dead=False, patience=20.0).delivered == 1
    assert set(server.accepted.values()) == {1}


def test_dead_letters_that_a_newer_file_pushed_aside_are_sent_too(place: Destination) -> None:
    bury(place, event(1))
    (place.folder / NAME).rename(place.folder / OLDER)
    bury(place, event(2))
    with FaultServer().running() as server:
        assert replay(place, "k", config_for(server), dead=True, patience=20.0).delivered == 2
    assert [*DeadLetters(place.folder)] == []
