"""A segment gives back exactly its whole records, whatever has happened to its file."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from amplitude_ai_integrations.delivery.outbox.records import encode, encode_again
from amplitude_ai_integrations.delivery.outbox.segments import (
    EVENTS,
    HEADER_BYTES,
    LATER,
    Segment,
    UnknownFormatError,
)

from .conftest import id_range, ids, largest_file, left_behind, payload, whole

SIZES = [0, 3, 700, 999_800, 1_000_100, 2_500_000]  # around the window that is read at once


def filled(folder: Path, *payloads: bytes) -> Segment:
    segment = Segment.create(folder)
    for each in payloads:
        segment.append(encode(each))
    return segment


def adopted(path: Path) -> Segment:
    segment = Segment.adopt(path)
    assert segment is not None
    return segment


def test_a_file_is_the_owner_s_alone_and_nothing_else_is_left(folder: Path) -> None:
    segment = Segment.create(folder)
    assert [path.name for path in folder.iterdir()] == [segment.path.name]
    assert segment.path.suffix == EVENTS
    assert stat.S_IMODE(segment.path.stat().st_mode) == 0o600
    assert segment.path.stat().st_size == HEADER_BYTES
    assert segment.is_done


def test_each_prefix_of_a_file_holds_exactly_its_whole_records(folder: Path, tmp_path: Path) -> None:
    segment = filled(folder, *(payload(number, size=number * 7) for number in range(4)))
    raw = segment.path.read_bytes()
    ends = [record.end for record in whole(segment)]
    for cut in range(len(raw) + 1):
        path = tmp_path / f"{cut}{EVENTS}"
        path.write_bytes(raw[:cut])
        found = adopted(path)
        count = sum(end - 1 <= cut for end in ends)  # the last line's end may be missing
        assert ids(whole(found)) == id_range(count), cut
        is_torn = cut > HEADER_BYTES and not any(cut in (end, end - 1) for end in (HEADER_BYTES, *ends))
        assert found.bad == is_torn, cut
        found.let_go()


def test_foreign_bytes_between_records_hide_none(folder: Path) -> None:
    lines = [encode(payload(number)) for number in range(4)]
    odd = [b"", b"\0" * 4096, lines[0][:20], b"\x1e\x1e\x1e", lines[1][5:], b"\n\n", b"\xff" * 999]
    path = left_behind(folder)
    for before in odd:
        for between in odd:
            with path.open("r+b") as file:
                file.truncate(HEADER_BYTES)
                file.seek(HEADER_BYTES)
                file.write(before + lines[0] + between + lines[1] + lines[2] + before + lines[3] + between)
            segment = adopted(path)
            assert ids(whole(segment)) == id_range(4), (before, between)
            segment.let_go()


def test_a_record_with_a_changed_byte_is_left_out_and_counted(folder: Path) -> None:
    segment = filled(folder, *(payload(number) for number in range(3)))
    starts = [record.start for record in whole(segment)]
    segment.let_go()
    for place in range(starts[1] + 10, starts[2] - 1):
        with segment.path.open("r+b") as file:
            file.seek(place)
            was = file.read(1)
            file.seek(place)
            file.write(bytes([was[0] ^ 0x04]))
        again = adopted(segment.path)
        assert ids(whole(again)) == ["id-0", "id-2"], place
        assert again.bad == 1
        again.let_go()
        with segment.path.open("r+b") as file:
            file.seek(place)
            file.write(was)


@pytest.mark.parametrize("size", SIZES)
def test_records_larger_than_what_is_read_at_once_come_back(folder: Path, size: int) -> None:
    sizes = [0, size, 0, size, size, 10]
    segment = filled(folder, *(payload(number, size=each) for number, each in enumerate(sizes)))
    assert segment.waiting() == len(sizes)
    records = whole(segment)
    assert ids(records) == id_range(len(sizes))
    assert [record.payload for record in records] == [payload(n, size=each) for n, each in enumerate(sizes)]
    assert segment.bad == 0


def test_many_records_come_back_in_order_across_what_is_read_at_once(folder: Path) -> None:
    segment = filled(folder, *(payload(number, size=number % 900) for number in range(5_000)))
    found: list[str] = []
    while records := segment.take_next(200, 90_000, at_least_one=True):
        assert len(records) <= 200
        assert sum(len(record.payload) for record in records) <= 90_000
        found += ids(records)
    assert found == id_range(5_000)
    assert segment.taken == segment.size


@pytest.mark.parametrize(
    ("most_bytes", "at_least_one", "count"), [(0, False, 0), (0, True, 1), (1 << 20, False, 3)]
)
def test_the_first_is_taken_however_large_where_one_is_asked_for(
    folder: Path, most_bytes: int, at_least_one: bool, count: int
) -> None:
    segment = filled(folder, *(payload(number, size=5_000) for number in range(3)))
    assert len(segment.take_next(10, most_bytes, at_least_one=at_least_one)) == count


@pytest.mark.parametrize("cut", [HEADER_BYTES, HEADER_BYTES + 300, HEADER_BYTES + 100_003])
def test_a_file_that_somebody_cuts_while_it_is_held_gives_what_is_left(folder: Path, cut: int) -> None:
    segment = filled(folder, *(payload(number, size=200) for number in range(10_000)))
    os.truncate(segment.path, cut)
    left = cut // (len(encode(payload(1000, size=200)))) - 2
    assert len(whole(segment)) >= left
    assert segment.taken == segment.size


def test_how_far_it_is_settled_is_found_by_whoever_takes_over(folder: Path) -> None:
    segment = filled(folder, *(payload(number) for number in range(6)))
    records = segment.take_next(4, 1 << 20, at_least_one=True)
    for record in (*records[:2], records[3]):
        assert segment.settle(record.start)
    segment.save()
    segment.let_go()
    assert ids(whole(adopted(segment.path))) == ["id-2", "id-3", "id-4", "id-5"]


def test_what_was_told_and_tried_is_found_by_whoever_takes_over(folder: Path) -> None:
    segment = filled(folder, payload(0), payload(1))
    assert ids(segment.untold()) == ["id-0", "id-1"]
    first = segment.take_next(1, 1 << 20, at_least_one=True)[0]
    segment.note_tried(first.end, 1_700_000_000_123)
    segment.append(encode(payload(2)))
    segment.save()
    segment.let_go()
    again = adopted(segment.path)
    known = [(record.is_told, record.first_ms) for record in whole(again)]
    assert known == [(True, 1_700_000_000_123), (True, 0), (False, 0)]
    assert ids(again.untold()) == ["id-2"]


@pytest.mark.parametrize("place", range(0, HEADER_BYTES, 3))
def test_a_torn_header_costs_no_event(folder: Path, place: int) -> None:
    segment = filled(folder, *(payload(number) for number in range(3)))
    (first,) = segment.take_next(1, 1 << 20, at_least_one=True)
    segment.settle(first.start)
    segment.save()
    segment.let_go()
    raw = segment.path.read_bytes()
    segment.path.write_bytes(raw[:place] + b"\0" * (HEADER_BYTES - place) + raw[HEADER_BYTES:])
    assert set(id_range(1, 3)) <= set(ids(whole(adopted(segment.path))))


def test_a_cursor_beyond_the_file_is_the_end_of_it(folder: Path) -> None:
    segment = filled(folder, *(payload(number) for number in range(3)))
    for record in whole(segment):
        segment.settle(record.start)
    segment.save()
    segment.let_go()
    os.truncate(segment.path, HEADER_BYTES)
    again = adopted(segment.path)
    assert whole(again) == []
    assert again.is_done


def test_a_later_format_is_refused_and_left_as_it_is(folder: Path) -> None:
    path = left_behind(folder, payload(0))
    with path.open("r+b") as file:
        file.seek(len(b"amplitude-ai-integrations spool "))
        file.write(b"2")
    raw = path.read_bytes()
    with pytest.raises(UnknownFormatError, match="2"):
        Segment.adopt(path)
    assert path.read_bytes() == raw


def test_the_same_format_written_with_more_behind_it_is_none(folder: Path) -> None:
    path = left_behind(folder, payload(0))
    with path.open("r+b") as file:
        file.seek(len(b"amplitude-ai-integrations spool "))
        file.write(b"1x")
    assert ids(whole(adopted(path))) == ["id-0"]


def test_only_one_holds_a_file(folder: Path) -> None:
    segment = filled(folder, payload(0))
    assert Segment.adopt(segment.path) is None
    segment.let_go()
    first = Segment.adopt(segment.path)
    assert first is not None
    assert Segment.adopt(segment.path) is None
    first.let_go()
    assert Segment.adopt(segment.path) is not None


def test_of_many_that_adopt_at_once_one_succeeds(folder: Path) -> None:
    path = left_behind(folder, payload(0))
    found: list[Segment] = []
    barrier = threading.Barrier(8)

    def adopt() -> None:
        barrier.wait()
        segment = Segment.adopt(path)
        if segment is not None:
            found.append(segment)

    for _ in range(20):
        threads = [threading.Thread(target=adopt) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (segment,) = found
        segment.let_go()
        found.clear()


def test_a_file_that_is_gone_or_not_ours_is_not_adopted(folder: Path) -> None:
    path = left_behind(folder, payload(0))
    path.unlink()
    assert Segment.adopt(path) is None
    path.mkdir()
    assert Segment.adopt(path) is None


def test_a_file_that_is_deleted_while_it_is_opened_is_not_adopted(folder: Path) -> None:
    path = left_behind(folder, payload(0))
    holder = path.open("r+b")
    fcntl.flock(holder, fcntl.LOCK_EX)
    waiting = os.open(path, os.O_RDWR)  # as the other has it that opened before the first deleted it
    path.unlink()
    holder.close()
    other = left_behind(folder, payload(1))
    other.rename(path)
    assert os.fstat(waiting).st_ino != path.stat().st_ino
    os.close(waiting)
    assert ids(whole(adopted(path))) == ["id-1"]


def test_a_file_that_is_removed_while_others_reach_for_it_is_nobody_s(folder: Path) -> None:
    held = filled(folder, payload(0))
    path, is_over = held.path, threading.Event()
    caught: list[Segment] = []

    def reach() -> None:
        while not is_over.is_set():
            segment = Segment.adopt(path)
            if segment is not None:
                caught.append(segment)

    threads = [threading.Thread(target=reach) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        held.remove()
        held.let_go()
        held = filled(folder, payload(0))
        path = held.path
    is_over.set()
    for thread in threads:
        thread.join()
    assert caught == []


def test_an_event_that_does_not_fit_is_taken_back_whole(folder: Path) -> None:
    segment = filled(folder, payload(0))
    before = segment.path.read_bytes()
    for room in (0, 1, 50, len(encode(payload(1, size=500))) - 1):
        with largest_file(len(before) + room), pytest.raises(OSError) as raised:
            segment.append(encode(payload(1, size=500)))
        assert raised.value.errno in (errno.EFBIG, errno.ENOSPC)
        assert segment.path.read_bytes() == before
    segment.append(encode(payload(2)))
    assert ids(whole(segment)) == ["id-0", "id-2"]
    assert segment.bad == 0


def test_a_file_that_cannot_be_begun_leaves_nothing(folder: Path) -> None:
    with largest_file(0), pytest.raises(OSError):
        Segment.create(folder)
    assert list(folder.iterdir()) == []


def test_the_space_of_settled_records_is_given_back_and_used_again(folder: Path) -> None:
    segment = filled(folder, *(payload(number, size=1_000) for number in range(50)))
    for record in whole(segment):
        segment.settle(record.start)
    assert segment.is_done
    segment.empty()
    assert segment.path.stat().st_size == HEADER_BYTES
    assert segment.round == 1
    segment.append(encode(payload(99)))
    segment.let_go()
    assert ids(whole(adopted(segment.path))) == ["id-99"]


def test_what_is_emptied_is_never_half_so_for_whoever_takes_over(folder: Path) -> None:
    """The file is cut, and its header says still that more was settled."""
    segment = filled(folder, *(payload(number) for number in range(5)))
    for record in whole(segment):
        segment.settle(record.start)
    segment.save()
    header = segment.path.read_bytes()[:HEADER_BYTES]
    segment.empty()
    with segment.path.open("r+b") as file:
        file.write(header)
    segment.let_go()
    assert whole(adopted(segment.path)) == []


def test_what_was_taken_and_not_settled_is_taken_again(folder: Path) -> None:
    segment = filled(folder, *(payload(number) for number in range(4)))
    first, *_ = segment.take_next(3, 1 << 20, at_least_one=True)
    segment.settle(first.start)
    segment.give_back()
    assert ids(whole(segment)) == ["id-1", "id-2", "id-3"]


def test_only_what_is_left_is_told_and_once(folder: Path) -> None:
    segment = Segment.create(folder)
    for number in range(3):
        segment.append(encode(payload(number)))
    segment.append(encode_again(payload(3), 2, 0, True))
    records = segment.take_next(3, 1 << 20, at_least_one=True)
    segment.settle(records[1].start)
    assert ids(segment.untold()) == ["id-0", "id-2"]
    segment.append(encode(payload(4)))
    assert ids(segment.untold()) == ["id-4"]
    assert segment.untold() == []


def test_a_settled_file_of_one_s_own_goes_with_its_owner_and_another_stays(folder: Path) -> None:
    done, full = Segment.create(folder), filled(folder, payload(0))
    paths = done.path, full.path
    del done, full
    assert [path.exists() for path in paths] == [False, True]
    assert ids(whole(adopted(paths[1]))) == ["id-0"]


def test_a_file_that_somebody_removed_is_not_in_its_place(folder: Path) -> None:
    segment = filled(folder, payload(0))
    assert segment.is_in_place()
    segment.path.unlink()
    assert not segment.is_in_place()
    segment.path.write_bytes(b"")
    assert not segment.is_in_place()


def test_a_forked_child_holds_nothing_of_its_parent_s(folder: Path, tmp_path: Path) -> None:
    done, full = Segment.create(folder), filled(folder, payload(0))
    told = tmp_path / "told"
    pid = os.fork()
    if not pid:
        paths = done.path, full.path
        told.write_text(f"{done.fd} {full.fd}")
        del done, full
        os._exit(0 if all(path.exists() for path in paths) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert told.read_text() == "-1 -1"
    assert ids(whole(full)) == ["id-0"]
    assert Segment.adopt(full.path) is None


@pytest.mark.parametrize("suffix", [EVENTS, LATER])
def test_a_child_that_lives_on_keeps_nobody_from_adopting(folder: Path, suffix: str) -> None:
    segment = Segment.create(folder, suffix)
    segment.append(encode(payload(0)))
    stay, end = os.pipe()
    begun, begins = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(end)
        os.write(begins, b".")
        os.read(stay, 1)
        os._exit(0)
    os.read(begun, 1)
    segment.let_go()
    assert ids(whole(adopted(segment.path))) == ["id-0"]
    os.close(end)
    os.waitpid(pid, 0)
    for fd in (stay, begun, begins):
        os.close(fd)
