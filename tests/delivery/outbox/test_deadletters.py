"""What is dead can be read again, and takes no more room than its two files may."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amplitude_ai_integrations.delivery.outbox import deadletters
from amplitude_ai_integrations.delivery.outbox.deadletters import NAME, OLDER, DeadLetter, DeadLetters

from .conftest import id_range, payload

WRITES = """
import sys
from pathlib import Path
from amplitude_ai_integrations.delivery.outbox.deadletters import DeadLetters
letters = DeadLetters(Path(sys.argv[1]))
for number in range(200):
    letters.add(b'{"insert_id": "%s-%d"}' % (sys.argv[2].encode(), number), "r", 400, 1)
"""


def ids_in(letters: DeadLetters) -> list[str]:
    return [letter.event["insert_id"] for letter in letters]


def test_a_dead_event_is_kept_with_why_and_when_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet" / "there"
    letters = DeadLetters(folder)
    assert list(letters) == []
    letters.add(payload(7), 'HTTP 400: "no"\n ☃', 400, 3)
    (letter,) = letters
    assert letter == DeadLetter(letter.at, 'HTTP 400: "no"\n ☃', 400, 3, json.loads(payload(7)))
    assert letter.at > 1_700_000_000_000
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    (line,) = (folder / NAME).read_bytes().splitlines()
    assert json.loads(line) == letter._asdict()


def test_torn_and_foreign_lines_are_passed_over(folder: Path) -> None:
    letters = DeadLetters(folder)
    letters.add(payload(0), "r", 400, 1)
    whole = (folder / NAME).read_bytes()
    odd = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        whole[:30],
        b'{"at": 1}',
        b"[" * 3_000,
        b'"' + b"x" * 70_000,
    ]
    (folder / NAME).write_bytes(b"\n".join([*odd, whole]))
    assert ids_in(letters) == ["id-0"]


def test_a_last_line_that_is_torn_at_any_byte_costs_only_itself(folder: Path) -> None:
    letters = DeadLetters(folder)
    for number in range(2):
        letters.add(payload(number), "r", 400, 1)
    raw = (folder / NAME).read_bytes()
    first = raw.index(b"\n") + 1
    for cut in range(first, len(raw) - 1):
        (folder / NAME).write_bytes(raw[:cut])
        assert ids_in(letters) == ["id-0"], cut


def test_the_older_half_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadletters, "_MOST_BYTES", 10_000)
    letters = DeadLetters(folder)
    for number in range(300):
        letters.add(payload(number, size=100), "r", 400, 1)
        for name in (NAME, OLDER):
            path = folder / name
            assert not path.exists() or path.stat().st_size <= 10_000
    found = ids_in(letters)
    assert found == id_range(300 - len(found), 300)
    assert len(found) > 30


def test_many_processes_lose_none_between_them(folder: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(folder), str(number)]) for number in range(3)
    ]
    assert [writer.wait(20) for writer in writers] == [0, 0, 0]
    found = ids_in(DeadLetters(folder))
    assert len(found) == len(set(found)) == 600


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        DeadLetters(tmp_path / "file" / "folder").add(payload(0), "r", 400, 1)


def test_no_file_stays_open(folder: Path) -> None:
    letters = DeadLetters(folder)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(50):
        letters.add(payload(number), "r", 400, 1)
    assert len(list(letters)) == 50
    assert len(list(Path("/proc/self/fd").iterdir())) == before
