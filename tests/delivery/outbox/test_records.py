"""A record comes back whole, or not at all."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations.delivery.outbox.records import MARK, Record, decode, encode, encode_again

PAYLOADS = [
    b"{}",
    b"[]",
    b'{"a": "b c  d"}',
    '{"text": "naïve ☃ 🎉"}'.encode(),
    b'{"text": "line\\n break \\u001e"}',
    b'{"lone": "\\ud800"}',
    b"\xff\xfe not even UTF-8",
    b"x" * 300_000,
    b" ",
    b"0 0 0 {}",
]
KNOWN = [(0, 0, False), (1, 0, False), (0, 1_700_000_000_000, False), (7, 1, True), (10**9, 10**15, True)]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_fresh_event_comes_back(payload: bytes) -> None:
    line = encode(payload)
    assert line.startswith(MARK)
    assert line.count(MARK) == 1
    assert decode(line[1:], 40) == Record(40, 40 + len(line), 0, 0, False, payload)


@pytest.mark.parametrize(("tries", "first_ms", "is_told"), KNOWN)
@pytest.mark.parametrize("payload", PAYLOADS[:4])
def test_what_is_known_of_an_event_comes_back(
    payload: bytes, tries: int, first_ms: int, is_told: bool
) -> None:
    line = encode_again(payload, tries, first_ms, is_told)
    assert decode(line[1:], 0) == Record(0, len(line), tries, first_ms, is_told, payload)


def test_an_event_that_was_never_sent_is_written_the_same_either_way() -> None:
    assert encode(b'{"a": 1}') == encode_again(b'{"a": 1}', 0, 0, False)


def test_no_part_of_a_record_is_taken_for_one() -> None:
    line = encode_again(b'{"a": 1, "b": [1, 2, 3]}', 3, 1_700_000_000_000, True)
    whole = len(line) - 1  # only the line's end may be missing
    for end in range(1, whole):
        assert decode(line[1:end], 0) is None, end
    assert decode(line[1:whole], 0) is not None


@pytest.mark.parametrize("change", [1, 0x20, 0x80])
def test_no_changed_byte_goes_unnoticed(change: int) -> None:
    line = encode_again(b'{"a": 1}', 3, 12, False)
    for place in range(1, len(line) - 1):
        bent = bytearray(line)
        bent[place] ^= change
        record = decode(bytes(bent[1:]), 0)
        # The checksum is read as a number: its case, and what parts it from the rest, mean nothing.
        assert record is None or (place <= 9 and record == decode(line[1:], 0)), place


@pytest.mark.parametrize(
    "piece",
    [
        b"",
        b"\n",
        b" ",
        b"00000000",
        b"00000000 ",
        b"zzzzzzzz 0 0 0 {}",
        b"-0000001 {}",
        b"\0" * 64,
        b"{}\n" * 9,
    ],
)
def test_what_is_none_is_no_record(piece: bytes) -> None:
    assert decode(piece, 0) is None
