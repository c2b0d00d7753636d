"""Pieces of text, put together."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from amplitude_ai_integrations.calls.pieces import Pieces


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 5_000])
def test_the_text_is_that_of_all_pieces(count: int) -> None:
    pieces, words = Pieces(), [f"{number} é\ud83d " for number in range(count)]
    for word in words:
        pieces.add(word)
        pieces.text() if count < 5 else None
    assert pieces.text() == "".join(words) == pieces.text()


def test_pieces_take_little_more_room_than_the_text() -> None:
    tracemalloc.start()
    pieces = Pieces()
    for number in range(10_000):
        pieces.add(f"{number:05}")
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 2 * sys.getsizeof(pieces.text())
