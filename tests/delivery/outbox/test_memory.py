"""Where there is no disk, the newest events are kept up to a bound."""

from __future__ import annotations

from amplitude_ai_integrations.delivery.outbox.memory import MemorySegment
from amplitude_ai_integrations.delivery.outbox.records import Record, encode, encode_again

from .conftest import id_range, ids, payload

ONE = len(payload(0, size=100))


def filled(count: int, most: int = 1 << 20) -> tuple[MemorySegment, list[Record]]:
    memory = MemorySegment(most)
    dropped = [
        record for number in range(count) for record in memory.append(encode(payload(number, size=100)))
    ]
    return memory, dropped


def all_of(memory: MemorySegment) -> list[Record]:
    return memory.take_next(10_000, 1 << 30, at_least_one=True)


def test_events_come_back_in_order_and_with_what_is_known_of_them() -> None:
    memory = MemorySegment(1 << 20)
    memory.append(encode(payload(0)))
    memory.append(encode_again(payload(1), 3, 12, True))
    records = all_of(memory)
    assert ids(records) == ["id-0", "id-1"]
    assert [(record.tries, record.first_ms, record.is_told) for record in records] == [
        (0, 0, False),
        (3, 12, True),
    ]


def test_the_oldest_make_room_at_the_bound() -> None:
    memory, dropped = filled(10, most=ONE * 4)
    assert ids(dropped) == id_range(6)
    assert ids(all_of(memory)) == id_range(6, 10)
    assert memory.bytes <= ONE * 4


def test_the_newest_is_kept_however_large_it_is() -> None:
    memory, _ = filled(3, most=ONE)
    dropped = memory.append(encode(payload(99, size=50_000)))
    assert ids(dropped) == ["id-2"]
    assert ids(all_of(memory)) == ["id-99"]


def test_what_is_being_sent_counts_and_is_not_dropped() -> None:
    memory, _ = filled(3, most=ONE * 4)
    records = memory.take_next(3, 1 << 20, at_least_one=True)
    dropped = [
        record for number in range(3, 9) for record in memory.append(encode(payload(number, size=100)))
    ]
    assert ids(dropped) == id_range(3, 8)
    for record in records:
        assert memory.settle(record.start)
    assert memory.bytes == ONE
    assert ids(all_of(memory)) == ["id-8"]


def test_its_room_is_free_again_when_events_are_settled() -> None:
    memory, _ = filled(4, most=ONE * 4)
    for record in all_of(memory):
        assert memory.settle(record.start)
        assert not memory.settle(record.start)
    assert memory.bytes == 0
    assert memory.is_done
    assert [memory.append(encode(payload(number, size=100))) for number in range(4)] == [[]] * 4


def test_a_request_s_bounds_are_kept() -> None:
    memory, _ = filled(10)
    assert len(memory.take_next(3, 1 << 20, at_least_one=True)) == 3
    assert len(memory.take_next(99, ONE * 2, at_least_one=True)) == 2
    assert memory.take_next(99, ONE - 1, at_least_one=False) == []
    assert len(memory.take_next(99, ONE - 1, at_least_one=True)) == 1


def test_what_was_taken_is_given_back_in_its_old_order() -> None:
    memory, _ = filled(6)
    records = memory.take_next(4, 1 << 20, at_least_one=True)
    memory.settle(records[1].start)
    memory.give_back()
    assert ids(all_of(memory)) == ["id-0", "id-2", "id-3", "id-4", "id-5"]


def test_it_is_settled_up_to_the_first_that_is_not() -> None:
    memory, _ = filled(3)
    end = memory.size
    assert memory.settled == 0
    first, second, third = all_of(memory)
    for record in (second, third):
        memory.settle(record.start)
    assert memory.settled == first.start == 0
    memory.settle(first.start)
    assert memory.settled == end
    memory.append(encode(payload(9)))
    assert memory.settled == end


def test_dropped_events_are_settled_for_who_waits_for_them() -> None:
    memory, _ = filled(2, most=ONE * 2)
    end = memory.size
    for number in range(2, 4):
        memory.append(encode(payload(number, size=100)))
    assert memory.settled >= end


def test_the_last_is_taken_by_its_writer() -> None:
    memory, _ = filled(1)
    start = memory.size
    memory.append(encode(payload(1)))
    assert memory.take_last(start, payload(1)).payload == payload(1)
    assert ids(all_of(memory)) == ["id-0"]


def test_each_event_is_told_once_whether_it_is_being_sent_or_waits() -> None:
    memory, _ = filled(3)
    first, *_ = memory.take_next(2, 1 << 20, at_least_one=True)
    memory.settle(first.start)
    assert ids(memory.untold()) == ["id-1", "id-2"]
    memory.append(encode(payload(3)))
    assert ids(memory.untold()) == ["id-3"]
    memory.give_back()
    assert memory.untold() == []
    assert all(record.is_told for record in all_of(memory))
