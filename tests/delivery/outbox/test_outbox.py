"""Events are kept on disk where that can be, in memory where not, and never twice or out of bounds."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from amplitude_ai_integrations.delivery.outbox import outbox as outbox_module
from amplitude_ai_integrations.delivery.outbox.memory import MemorySegment
from amplitude_ai_integrations.delivery.outbox.outbox import CAP, RING, Outbox
from amplitude_ai_integrations.delivery.outbox.segments import HEADER_BYTES, LATER, Segment
from amplitude_ai_integrations.delivery.outbox.spool import Spool

from .conftest import id_of, id_range, ids, largest_file, left_behind, payload, taken

Told = list[tuple[str, int, "str | None"]]


def put(outbox: Outbox, *numbers: int, size: int = 0) -> None:
    for number in numbers:
        outbox.append(payload(number, size=size))


def taken_ids(outbox: Outbox) -> list[str]:
    return ids(record for _, record in taken(outbox))


def deliver(outbox: Outbox) -> list[str]:
    """Take and settle all that may be sent."""
    entries = taken(outbox)
    for segment, record in entries:
        assert outbox.settle(segment, record)
    outbox.save()
    return ids(record for _, record in entries)


def telling() -> tuple[Told, object]:
    told: Told = []
    return told, lambda payload, code, words: told.append((id_of(payload), code, words))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make segments and the ring small."""
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 20_000)
    monkeypatch.setattr(outbox_module, "MEMORY_BYTES", 20_000)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try a disk that has failed again at once."""
    monkeypatch.setattr(outbox_module, "_DISK_AGAIN", 0.0)


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_events_are_taken_once_in_the_order_they_came(spool: Spool, is_on_disk: bool) -> None:
    outbox = Outbox(spool if is_on_disk else None)
    put(outbox, *range(500))
    assert not outbox.is_empty
    assert outbox.is_durable is is_on_disk
    assert taken_ids(outbox) == id_range(500)
    assert taken_ids(outbox) == []
    assert not outbox.is_empty


def test_an_event_is_on_disk_when_append_returns(spool: Spool) -> None:
    outbox = Outbox(spool)
    for number in range(20):
        put(outbox, number)
        (path,) = spool.paths()
        assert payload(number) in path.read_bytes()


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_nothing_is_left_when_all_is_settled(spool: Spool, is_on_disk: bool) -> None:
    outbox = Outbox(spool if is_on_disk else None)
    put(outbox, *range(300))
    assert deliver(outbox) == id_range(300)
    assert outbox.is_empty
    assert outbox.oldest == 0.0
    if is_on_disk:
        assert spool.used() == HEADER_BYTES
    put(outbox, 300)
    assert deliver(outbox) == ["id-300"]
    outbox.close()
    assert spool.paths() == []


@pytest.mark.usefixtures("small")
def test_the_space_of_each_settled_segment_is_freed(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, *range(100), size=1_000)
    assert len(spool.paths()) == 6
    entries = taken(outbox)
    for count, (segment, record) in enumerate(entries[:60], 1):
        outbox.settle(segment, record)
        outbox.save()
        assert spool.used() <= (100 - count) * 1_150 + 25_000
    assert taken_ids(outbox) == []
    outbox.close()
    assert taken_ids_after_adoption(spool) == id_range(60, 100)


def taken_ids_after_adoption(spool: Spool) -> list[str]:
    other = Outbox(Spool(spool.folder))
    other.adopt()
    found = taken_ids(other)
    other.close()
    return found


def test_who_takes_over_goes_on_where_the_dead_stopped(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, *range(10))
    for segment, record in taken(outbox, 4):
        outbox.settle(segment, record)
    outbox.save()
    outbox.close()
    other = Outbox(Spool(spool.folder))
    assert other.adopt() == 6
    assert other.adopt() == 0
    assert other.counters.adopted == 6
    assert taken_ids(other) == id_range(4, 10)
    assert not any(segment.is_own for segment in other.segments)


def test_the_dead_are_taken_over_oldest_first_and_before_one_s_own(spool: Spool) -> None:
    for number in range(4):
        left_behind(spool.folder, payload(number))
    outbox = Outbox(spool)
    put(outbox, 4)
    assert outbox.adopt() == 4
    assert taken_ids(outbox) == id_range(5)


def test_nothing_is_taken_over_from_the_living(spool: Spool) -> None:
    outbox, other = Outbox(spool), Outbox(Spool(spool.folder))
    put(outbox, 0)
    assert other.adopt() == 0
    assert taken_ids(other) == []
    assert taken_ids(outbox) == ["id-0"]


def test_two_that_take_over_at_once_share_what_is_left(spool: Spool) -> None:
    for number in range(30):
        left_behind(spool.folder, payload(number))
    both = [Outbox(Spool(spool.folder)) for _ in range(2)]
    barrier = threading.Barrier(2)

    def adopt(outbox: Outbox) -> None:
        barrier.wait()
        outbox.adopt()

    threads = [threading.Thread(target=adopt, args=(each,)) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [name for each in both for name in taken_ids(each)]
    assert sorted(found) == sorted(id_range(30))
    assert sum(each.counters.adopted for each in both) == 30


def test_a_file_of_which_nothing_can_be_read_goes_and_is_counted(spool: Spool) -> None:
    path = left_behind(spool.folder, payload(0), payload(1))
    path.write_bytes(path.read_bytes()[:HEADER_BYTES] + b"\x1e12345678 torn" + b"\x1e12345678 torn")
    outbox = Outbox(spool)
    assert outbox.adopt() == 0
    assert not path.exists()
    assert outbox.counters.bad == 2


def test_torn_records_among_whole_ones_are_counted_once(spool: Spool) -> None:
    path = left_behind(spool.folder, payload(0))
    with path.open("ab") as file:
        file.write(b"\x1e12345678 0 0 0 {torn")
    outbox = Outbox(spool)
    assert outbox.adopt() == 1
    assert taken_ids(outbox) == ["id-0"]
    assert outbox.counters.bad == 1


def test_what_this_process_let_go_of_is_its_own_when_it_comes_back(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, 0, 1)
    outbox.close()
    assert outbox.is_empty
    assert outbox.adopt() == 0
    assert taken_ids(outbox) == ["id-0", "id-1"]
    assert all(segment.is_own for segment in outbox.segments)


@pytest.mark.usefixtures("small")
def test_the_oldest_are_dropped_at_the_cap_counted_and_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told, tell = telling()
    spool = Spool(folder, most_bytes=100_000)
    outbox = Outbox(spool, tell=tell)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        for number in range(500):
            put(outbox, number, size=1_000)
            assert spool.used() <= 100_000 + 22_000
    left = taken_ids(outbox)
    dropped = 500 - len(left)
    assert left == id_range(dropped, 500)
    assert len(left) >= 60
    assert outbox.counters.dropped == {CAP: dropped}
    outbox.tell_dropped()
    assert told == [(name, 0, "dropped: too many events wait") for name in id_range(dropped)]
    assert outbox.counters.counts() == (0, 500 - dropped, dropped)
    assert ["dropped" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.usefixtures("small")
def test_what_is_being_sent_when_it_is_dropped_is_not_counted_as_dropped(folder: Path) -> None:
    told, tell = telling()
    outbox = Outbox(Spool(folder, most_bytes=60_000), tell=tell)  # type: ignore[arg-type]
    put(outbox, *range(5), size=1_000)
    entries = taken(outbox, 3)[:3]
    put(outbox, *range(5, 200), size=1_000)
    assert all(outbox.settle(segment, record) for segment, record in entries)
    assert not {"id-0", "id-1", "id-2"} & {name for name, _, _ in told}
    assert 3 + outbox.counters.dropped.total() + len(taken_ids(outbox)) == 200


@pytest.mark.usefixtures("small")
def test_what_was_told_is_not_told_again_when_it_is_dropped(folder: Path) -> None:
    told, tell = telling()
    outbox = Outbox(Spool(folder, most_bytes=60_000), tell=tell)  # type: ignore[arg-type]
    put(outbox, *range(10), size=1_000)
    assert ids(outbox.untold()) == id_range(10)
    put(outbox, *range(10, 200), size=1_000)
    dropped = outbox.counters.dropped.total()
    outbox.tell_dropped()
    assert [name for name, _, _ in told] == id_range(10, dropped)


@pytest.mark.usefixtures("small")
def test_what_is_dropped_while_it_is_read_is_not_sent_too(folder: Path) -> None:
    told, tell = telling()
    outbox = Outbox(Spool(folder, most_bytes=60_000), tell=tell)  # type: ignore[arg-type]
    put(outbox, *range(5), size=1_000)
    (segment,) = outbox.segments
    assert isinstance(segment, Segment)
    read_next = segment.read_next

    def read_slowly(*about: Any, **more: Any) -> Any:
        found = read_next(*about, **more)
        if not told:
            put(outbox, *range(5, 200), size=1_000)
            outbox.tell_dropped()
        return found

    segment.read_next = read_slowly  # type: ignore[method-assign]
    assert outbox.take_next(segment, 5, 1 << 20, at_least_one=True) == []
    assert {"id-0", "id-4"} <= {name for name, _, _ in told}


@pytest.mark.usefixtures("small")
def test_what_others_left_is_dropped_first_and_not_counted_as_one_s_own(folder: Path) -> None:
    spool = Spool(folder, most_bytes=60_000)
    left_behind(folder, *(payload(number, size=1_000) for number in range(30)))
    outbox = Outbox(spool)
    outbox.adopt()
    put(outbox, *range(100, 140), size=1_000)
    assert outbox.counters.adopted_dropped == {CAP: 30}
    assert outbox.counters.counts() == (0, 40, 0)
    assert taken_ids(outbox) == id_range(100, 140)


@pytest.mark.usefixtures("small")
def test_a_drop_while_a_segment_is_read_gives_each_event_one_fate(folder: Path) -> None:
    told, tell = telling()
    outbox = Outbox(Spool(folder, most_bytes=60_000), tell=tell)  # type: ignore[arg-type]
    sent: list[str] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set() or not outbox.is_empty:
            for segment, record in taken(outbox, 7):
                if outbox.settle(segment, record):
                    sent.append(id_of(record.payload))
            outbox.save()

    sender = threading.Thread(target=send)
    sender.start()
    put(outbox, *range(6_000), size=1_000)
    is_over.set()
    sender.join(20)
    outbox.tell_dropped()
    dropped = [name for name, _, _ in told]
    assert sorted(sent + dropped) == sorted(id_range(6_000))
    assert outbox.counters.dropped.total() == len(dropped)


@pytest.mark.usefixtures("small")
def test_memory_keeps_the_newest_and_tells_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    told, tell = telling()
    outbox = Outbox(None, "switched off", tell=tell)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        put(outbox, *range(100), size=1_000)
    left = taken_ids(outbox)
    assert 15 <= len(left) <= 20
    assert left == id_range(100 - len(left), 100)
    outbox.tell_dropped()
    assert [name for name, _, _ in told] == id_range(100 - len(left))
    assert outbox.counters.dropped == {RING: 100 - len(left)}
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("room", [0, 10, HEADER_BYTES, HEADER_BYTES + 50])
def test_a_full_disk_sends_events_to_memory_and_they_return_to_disk(
    spool: Spool, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(spool)
    with caplog.at_level(logging.WARNING), largest_file(room):
        put(outbox, *range(5), size=300)
    (said,) = caplog.records
    assert "Events wait in memory" in said.getMessage()
    assert str(spool.folder.parent) in said.getMessage()
    assert outbox.why_memory
    assert not outbox.is_durable
    put(outbox, *range(5, 10), size=300)
    assert outbox.why_memory == ""
    assert sorted(taken_ids(outbox)) == sorted(id_range(10))
    assert any(isinstance(segment, MemorySegment) for segment in outbox.segments)
    assert all(payload(number, size=300) in spool.paths()[0].read_bytes() for number in range(5, 10))


@pytest.mark.usefixtures("eager")
def test_a_disk_that_fills_in_the_middle_loses_nothing(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, *range(5), size=300)
    with largest_file(spool.used() + 500):
        put(outbox, *range(5, 15), size=300)
        assert outbox.why_memory
    put(outbox, *range(15, 20), size=300)
    assert outbox.why_memory == ""
    assert sorted(taken_ids(outbox)) == sorted(id_range(20))
    assert outbox.counters.bad == 0


def test_a_disk_that_failed_is_left_alone_for_a_while(spool: Spool) -> None:
    outbox = Outbox(spool)
    with largest_file(0):
        put(outbox, 0)
    put(outbox, 1)
    assert spool.paths() == []
    assert taken_ids(outbox) == ["id-0", "id-1"]


@pytest.mark.parametrize("kind", ["a file", "a link to nowhere", "a folder under a file"])
def test_a_place_that_is_no_folder_sends_events_to_memory(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "a link to nowhere":
        place.symlink_to("/proc/nowhere/at/all")
    else:
        place.write_text("in the way")
    outbox = Outbox(Spool(place / "below" if kind == "a folder under a file" else place))
    put(outbox, 0, 1)
    assert outbox.why_memory
    assert deliver(outbox) == ["id-0", "id-1"]
    assert outbox.adopt() == 0
    outbox.close()


def test_a_disk_that_cannot_be_read_is_left_to_others(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(spool)
    put(outbox, 0)
    (segment,) = outbox.segments
    assert isinstance(segment, Segment)
    reading, writing = os.pipe()  # a pipe has no places to read at
    held = os.dup(segment.fd)
    os.dup2(writing, segment.fd)
    with caplog.at_level(logging.WARNING):
        assert taken_ids(outbox) == []
    assert str(segment.path) in caplog.text
    put(outbox, 1)
    assert taken_ids(outbox) == ["id-1"]
    assert segment.path.exists()
    for fd in (reading, writing, held):
        os.close(fd)


def test_a_file_that_is_removed_while_it_is_held_is_delivered_all_the_same(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, 0)
    spool.paths()[0].unlink()
    put(outbox, 1)
    outbox.renew_lost()
    put(outbox, 2)
    assert payload(2) in spool.paths()[0].read_bytes()
    assert deliver(outbox) == id_range(3)


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_what_is_put_off_waits_elsewhere_and_comes_first_when_it_is_due(
    spool: Spool, is_on_disk: bool
) -> None:
    outbox = Outbox(spool if is_on_disk else None)
    put(outbox, 0, 1, 2)
    entries = taken(outbox)
    outbox.put_off(entries[:2], 0.05)
    assert outbox.settle(*entries[2])
    outbox.save()
    assert not outbox.is_empty
    due = outbox.next_due()
    assert due is not None
    assert not outbox.has_ready(due - 0.01)
    assert outbox.has_ready(due)
    if is_on_disk:
        assert sorted(path.suffix for path in spool.paths()) == [".events", LATER]
    put(outbox, 3)
    time.sleep(max(0.0, due - time.monotonic()))
    found = taken(outbox)
    assert ids(record for _, record in found) == ["id-0", "id-1", "id-3"]
    assert [record.tries for _, record in found] == [1, 1, 0]
    for entry in found:
        assert outbox.settle(*entry)
    outbox.save()
    assert outbox.is_empty
    assert spool.used() <= HEADER_BYTES


def test_what_is_put_off_outlives_the_process_with_what_is_known_of_it(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, 0)
    ((segment, record),) = taken(outbox)
    outbox.put_off([(segment, record._replace(first_ms=99, is_told=True))], 3_600)
    outbox.save()
    outbox.close()
    other = Outbox(Spool(spool.folder))
    assert other.adopt() == 1
    ((_, again),) = taken(other)
    assert (again.payload, again.tries, again.first_ms, again.is_told) == (payload(0), 1, 99, True)


def test_what_is_put_off_until_about_the_same_time_shares_a_file(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, *range(20))
    for entry in taken(outbox):
        outbox.put_off([entry], 30)
    assert len([path for path in spool.paths() if path.suffix == LATER]) == 1
    outbox.bring_forward()
    assert taken_ids(outbox) == id_range(20)


@pytest.mark.parametrize("is_own_first", [True, False])
def test_one_s_own_and_what_was_adopted_stay_apart_when_they_are_put_off(
    spool: Spool, is_own_first: bool
) -> None:
    left_behind(spool.folder, payload(0))
    outbox = Outbox(spool)
    outbox.adopt()
    put(outbox, 1)
    first, second = taken(outbox)[:: -1 if is_own_first else 1]
    outbox.put_off([first, second], 30)
    put(outbox, 2)
    left_behind(spool.folder, payload(3))
    outbox.adopt()
    for entry in taken(outbox):
        outbox.put_off([entry], 30)
    outbox.bring_forward()
    found = {id_of(record.payload): segment.is_own for segment, record in taken(outbox)}
    assert found == {"id-0": False, "id-1": True, "id-2": True, "id-3": False}


def test_what_cannot_be_put_off_since_the_disk_is_full_stays_where_it_is(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, *range(5), size=300)
    entries = taken(outbox)
    with largest_file(HEADER_BYTES + 10):
        assert outbox.put_off(entries, 30) == entries
    outbox.give_back()
    assert taken_ids(outbox) == id_range(5)


def test_the_cap_holds_for_what_is_put_off_and_spares_the_file_that_is_written_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "SEGMENT_BYTES", 10_000)
    told, tell = telling()
    spool = Spool(folder, most_bytes=40_000)
    outbox = Outbox(spool, tell=tell)  # type: ignore[arg-type]
    for first in range(0, 200, 5):
        put(outbox, *range(first, first + 5), size=1_000)
        assert outbox.put_off(taken(outbox), 60) == []
        outbox.save()
        assert spool.used() <= 40_000 + 10_000
    put(outbox, 200)
    assert taken_ids(outbox) == ["id-200"]
    outbox.tell_dropped()
    outbox.bring_forward()
    left = taken_ids(outbox)
    assert [name for name, _, _ in told] == id_range(200 - len(left))
    assert sorted(left) == sorted(id_range(200 - len(left), 200))
    assert outbox.counters.dropped == {CAP: len(told)}
    assert len(told) > 100


def test_marks_are_settled_when_what_was_there_is_whatever_comes_after(spool: Spool) -> None:
    outbox = Outbox(spool)
    assert outbox.marks() == []
    assert outbox.is_settled([])
    put(outbox, 0, 1)
    marks = outbox.marks()
    put(outbox, 2)
    entries = taken(outbox)
    assert not outbox.is_settled(marks)
    outbox.settle(*entries[1])
    assert not outbox.is_settled(marks)
    outbox.settle(*entries[0])
    assert outbox.is_settled(marks)
    assert not outbox.is_settled(outbox.marks())


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_marks_are_settled_for_good_when_their_space_was_given_back(spool: Spool, is_on_disk: bool) -> None:
    outbox = Outbox(spool if is_on_disk else None)
    put(outbox, 0, 1)
    marks = outbox.marks()
    deliver(outbox)
    put(outbox, 2, 3, 4)
    assert outbox.is_settled(marks)
    put(outbox, *range(5, 50))
    taken(outbox)
    assert outbox.is_settled(marks)


def test_what_is_put_off_counts_as_settled_until_it_is_brought_forward(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, 0)
    marks = outbox.marks()
    outbox.put_off(taken(outbox), 30)
    assert outbox.is_settled(marks)
    assert outbox.marks() == []
    outbox.bring_forward()
    assert not outbox.is_settled(outbox.marks())


def test_a_writer_takes_its_own_event_only_where_none_waits(spool: Spool) -> None:
    outbox = Outbox(spool)
    first = outbox.append(payload(0), is_taken=True)
    second = outbox.append(payload(1), is_taken=True)
    assert first is not None
    assert second is not None
    assert [id_of(record.payload) for _, record in (first, second)] == ["id-0", "id-1"]
    put(outbox, 2)
    assert outbox.append(payload(3), is_taken=True) is None
    assert taken_ids(outbox) == ["id-2", "id-3"]
    assert outbox.settle(*first)
    assert outbox.settle(*second)


def test_an_event_that_its_writer_takes_while_another_reads_is_taken_once(spool: Spool) -> None:
    outbox = Outbox(spool)
    is_over = threading.Event()
    found: list[str] = []

    def read() -> None:
        while not is_over.is_set():
            found.extend(taken_ids(outbox))

    reader = threading.Thread(target=read)
    reader.start()
    own = [outbox.append(payload(number), is_taken=True) for number in range(3_000)]
    is_over.set()
    reader.join()
    found += taken_ids(outbox) + [id_of(entry[1].payload) for entry in own if entry is not None]
    assert sorted(found) == sorted(id_range(3_000))


def test_who_wakes_the_sender_says_when_enough_wait(spool: Spool) -> None:
    woken: list[bool] = []
    outbox = Outbox(spool)
    outbox.wake = woken.append
    put(outbox, *range(450))
    assert [number for number, is_enough in enumerate(woken) if is_enough] == [199, 399]


def test_what_can_never_be_sent_is_dead_at_once(spool: Spool) -> None:
    told, tell = telling()
    outbox = Outbox(spool, tell=tell)  # type: ignore[arg-type]
    outbox.refuse(payload(0), "larger than 20 MB")
    assert outbox.is_empty
    assert outbox.counters.counts() == (0, 0, 1)
    assert told == [("id-0", 0, "larger than 20 MB")]
    assert outbox.dead_letters is not None
    assert [letter.reason for letter in outbox.dead_letters] == ["larger than 20 MB"]


def test_reasons_are_counted_without_what_is_different_each_time(spool: Spool) -> None:
    outbox = Outbox(spool)
    for number in range(3):
        outbox.bury(payload(number), f"HTTP 400: no (field: {number})", 400, 1, is_own=True)
    outbox.bury(payload(4), "HTTP 400: no (field: 1)", 400, 1, is_own=False)
    assert outbox.counters.dead == {"HTTP 400: no": 3}
    assert outbox.counters.adopted_dead == {"HTTP 400: no": 1}


def test_events_from_many_threads_are_all_kept(spool: Spool) -> None:
    outbox = Outbox(spool)

    def work(first: int) -> None:
        put(outbox, *range(first, first + 500))

    threads = [threading.Thread(target=work, args=(number * 500,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = taken_ids(outbox)
    assert sorted(found) == sorted(id_range(4_000))
    assert outbox.counters.appended == 4_000
    for first in range(0, 4_000, 500):  # each thread's own in their order
        own = [name for name in found if first <= int(name[3:]) < first + 500]
        assert own == id_range(first, first + 500)


def test_a_callback_may_track_while_it_is_told_of_a_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MEMORY_BYTES", 300)
    told: list[str] = []

    def tell(dropped: bytes, _code: int, _words: str | None) -> None:
        told.append(id_of(dropped))
        if len(told) < 5:
            outbox.append(payload(1_000 + len(told)))

    outbox = Outbox(None, tell=tell)
    put(outbox, *range(10))
    outbox.tell_dropped()
    left = taken_ids(outbox)
    assert sorted(told + left) == sorted([*id_range(10), *id_range(1_001, 1_005)])


class Nested:
    """Appends one more event, and asks all that may be asked, each time something is called in the middle."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.count = 0
        self.is_here = False

    def __call__(self, *_about: object) -> None:
        if self.is_here:
            return
        self.is_here = True
        put(self.outbox, 10_000 + self.count)
        self.count += 1
        assert self.outbox.is_inside or self.outbox.marks() is not None
        assert self.outbox.oldest >= 0.0
        assert isinstance(self.outbox.is_empty, bool)
        self.is_here = False


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("is_on_disk", [True, False])
def test_a_signal_handler_may_track_wherever_it_interrupts(folder: Path, is_on_disk: bool) -> None:
    outbox = Outbox(Spool(folder, most_bytes=1 << 30) if is_on_disk else None)
    nested = Nested(outbox)
    kept: list[str] = []
    before = signal.signal(signal.SIGALRM, nested)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    try:
        number = 0
        while nested.count < 300:
            for _ in range(20):
                put(outbox, number)
                number += 1
            entries = taken(outbox)
            outbox.put_off(entries[:3], 0.0)
            for segment, record in entries[3:]:
                if outbox.settle(segment, record):
                    kept.append(id_of(record.payload))
            outbox.save()
            outbox.renew_lost()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    outbox.drain_nested()
    outbox.bring_forward()
    kept += taken_ids(outbox)
    assert sorted(kept) == sorted([*id_range(number), *id_range(10_000, 10_000 + nested.count)])


class Last:
    """Is collected in the middle of something, and tracks then."""

    def __init__(self, nested: Nested) -> None:
        self.nested = nested
        self.me = self

    def __del__(self) -> None:
        self.nested()


@pytest.mark.usefixtures("small")
def test_an_object_that_is_collected_may_track_wherever_that_is(folder: Path) -> None:
    outbox = Outbox(Spool(folder, most_bytes=1 << 30))
    nested = Nested(outbox)
    threshold = gc.get_threshold()
    kept: list[str] = []
    gc.set_threshold(3, 1, 1)
    try:
        for number in range(400):
            Last(nested)
            put(outbox, number)
            kept += deliver(outbox)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    outbox.drain_nested()
    kept += taken_ids(outbox)
    assert nested.count > 50
    assert sorted(kept) == sorted([*id_range(400), *id_range(10_000, 10_000 + nested.count)])


def test_an_interrupt_in_the_middle_leaves_nothing_locked(spool: Spool) -> None:
    outbox = Outbox(spool)
    interrupted = 0

    def interrupt(*_about: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    number = 0
    try:
        for _ in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0004)
                while True:
                    put(outbox, number)
                    number += 1
            except KeyboardInterrupt:  # noqa: PERF203 - what is tested
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted == 200
    other = threading.Thread(target=put, args=(outbox, 10_000_000), daemon=True)
    other.start()
    other.join(5)
    assert not other.is_alive()
    found = taken_ids(outbox)
    assert found[-1] == "id-10000000"
    assert set(id_range(number)) <= set(found)


def in_child(work: object) -> int:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            code = 0 if work() else 2  # type: ignore[operator]
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_begins_with_nothing_and_harms_nothing_of_its_parent_s(spool: Spool) -> None:
    outbox = Outbox(spool)
    put(outbox, 0, 1)
    outbox.put_off(taken(outbox, 1), 30)
    put(outbox, 2)
    paths = spool.paths()

    def work() -> bool:
        outbox.begin_anew()
        put(outbox, 100)
        is_own_alone = taken_ids(outbox) == ["id-100"] and outbox.counters.appended == 1
        outbox.adopt()
        outbox.save()
        outbox.close()
        return is_own_alone and all(path.exists() for path in paths) and set(spool.paths()) > set(paths)

    assert in_child(work) == 0
    assert outbox.adopt() == 1
    outbox.bring_forward()
    assert sorted(taken_ids(outbox)) == sorted([*id_range(3), "id-100"])


def test_a_fork_while_others_append_leaves_no_child_stuck(spool: Spool) -> None:
    outbox = Outbox(spool)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            put(outbox, 1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:

        def track() -> bool:
            signal.alarm(5)
            outbox.begin_anew()
            put(outbox, 2)
            return taken_ids(outbox) == ["id-2"]

        assert [in_child(track) for _ in range(20)] == [0] * 20
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
