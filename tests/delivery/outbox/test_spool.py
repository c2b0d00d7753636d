"""A folder of segments: begun, found, counted, and left alone where they are another's."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.delivery.outbox.place import destination_name, spool_folder, spool_of
from amplitude_ai_integrations.delivery.outbox.segments import (
    EVENTS,
    HEADER_BYTES,
    LATER,
    UNFINISHED,
    Segment,
)
from amplitude_ai_integrations.delivery.outbox.spool import Spool

from .conftest import ids, left_behind, payload, whole

HOLDS = """
import sys
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox.records import encode
from amplitude_ai_integrations.delivery.outbox.spool import Spool
segment = Spool(Path(sys.argv[1])).create()
segment.append(encode(b'{"insert_id": "of-another"}'))
print("ready", flush=True)
sys.stdin.read()
"""


def test_folders_are_made_when_they_are_needed_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "spool" / "destination"
    spool = Spool(folder)
    assert spool.paths() == []
    assert not spool.has_any()
    assert spool.used() == 0
    assert list(spool.orphans()) == []
    assert not folder.exists()
    spool.create()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o700, 0o700]


def test_a_folder_that_was_removed_is_made_again(spool: Spool) -> None:
    segment = spool.create()
    segment.path.unlink()
    spool.folder.rmdir()
    assert spool.create().path.exists()


def test_names_are_in_the_order_of_their_age(spool: Spool) -> None:
    held = [spool.create(EVENTS if number % 2 else LATER) for number in range(20)]
    assert spool.paths() == [segment.path for segment in held]
    assert spool.used() == HEADER_BYTES * 20


def test_segments_of_the_living_are_left_and_those_of_the_dead_come_oldest_first(spool: Spool) -> None:
    paths = [left_behind(spool.folder, payload(number)) for number in range(3)]
    living = spool.create()
    found = list(spool.orphans())
    assert [segment.path for segment in found] == paths
    assert [ids(whole(segment)) for segment in found] == [["id-0"], ["id-1"], ["id-2"]]
    assert list(spool.orphans()) == []  # held now
    assert living.path in spool.paths()


def test_two_that_look_at_once_share_the_dead_between_them(folder: Path) -> None:
    paths = {left_behind(folder, payload(number)) for number in range(10)}
    one, other = Spool(folder).orphans(), Spool(folder).orphans()
    found: list[Segment] = []
    for _ in range(10):
        for each in (one, other):
            segment = next(each, None)
            if segment is not None:
                found.append(segment)
    assert len(found) == 10
    assert {segment.path for segment in found} == paths


def test_a_process_holds_its_segment_until_it_dies(spool: Spool) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(spool.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"ready\n"
        assert spool.has_any()
        assert list(spool.orphans()) == []
        holder.kill()
        holder.wait(10)
        (segment,) = spool.orphans()
        assert ids(whole(segment)) == ["of-another"]
    finally:
        holder.kill()
        holder.wait(10)
        holder.stdin.close()
        holder.stdout.close()


def test_a_segment_that_goes_while_one_looks_is_passed_over(spool: Spool) -> None:
    paths = [left_behind(spool.folder, payload(number)) for number in range(3)]
    found = spool.orphans()
    assert next(found).path == paths[0]
    paths[1].unlink()
    assert [segment.path for segment in found] == [paths[2]]


def test_a_later_format_is_left_alone_and_said_once(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    strange = left_behind(spool.folder, payload(0))
    raw = strange.read_bytes().replace(b"spool 1", b"spool 9", 1)
    strange.write_bytes(raw)
    usual = left_behind(spool.folder, payload(1))
    with caplog.at_level(logging.WARNING):
        (segment,) = spool.orphans()
        segment.let_go()
        assert segment.path == usual
        for _ in range(3):
            for again in spool.orphans():
                again.let_go()
    assert [record.getMessage() for record in caplog.records] == [
        f"{strange} has the format 9 of a later version; it is left as it is."
    ]
    assert strange.read_bytes() == raw


def test_other_files_are_nobody_s_business(spool: Spool) -> None:
    for name in ("dead.jsonl", "notes.txt", ".events", "events"):
        (spool.folder / name).write_text("mine")
    assert spool.paths() == []
    assert len(list(spool.folder.iterdir())) == 4


@pytest.mark.parametrize(("age", "stays"), [(5, True), (3_600, False)])
def test_a_file_that_never_got_its_name_goes_after_a_while(spool: Spool, age: float, stays: bool) -> None:
    unfinished = spool.folder / f"1{UNFINISHED}"
    unfinished.write_bytes(b"")
    then = time.time() - age
    os.utime(unfinished, (then, then))
    assert spool.paths() == []
    assert unfinished.exists() is stays


@pytest.mark.parametrize("word", ["off", "OFF", "Off"])
def test_off_means_memory(word: str) -> None:
    assert spool_folder(word) is None
    assert spool_of(AIConfig(spool=word), "d") == (None, "switched off")


def test_the_folder_is_the_one_named_or_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert spool_folder(None) == tmp_path / "state" / "amplitude-ai-integrations" / "spool"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert spool_folder(None) == tmp_path / ".local" / "state" / "amplitude-ai-integrations" / "spool"
    assert spool_folder("~/mine") == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    assert spool_folder("relative") == tmp_path / "relative"


def test_destinations_differ_by_key_server_and_kind_and_hide_the_key() -> None:
    cases = [
        ("key", "http://a"),
        ("key", "http://b"),
        ("key2", "http://a"),
        ("key", "http://a", "client"),
        ("ke", "yhttp://a"),
    ]
    names = {destination_name(*case) for case in cases}
    assert len(names) == len(cases)
    assert not any("key" in name for name in names)
    assert destination_name("key", "http://a") == destination_name("key", "http://a")
