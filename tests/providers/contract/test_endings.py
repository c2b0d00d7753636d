"""A stream is one AI Response however it ends, at the time it ends: {sync, async} x {swap, wrap, patch}."""

from __future__ import annotations

import pytest

from ..expected import user
from .answers import failed, left, read
from .cells import Cell, cells, over
from .conftest import Stand
from .endings import ENDINGS, failing, read_all, read_all_async
from .provider import Ask

pytestmark = pytest.mark.usefixtures("no_garbage_collection")

PATIENT = 0.4  # seconds, for the ending that is a timeout


def _rows() -> list[Cell]:
    return [
        (*cell, name)
        for name, ending in ENDINGS.items()
        for cell in cells("streamed", *filter(None, [ending.needs]))
        if ending.read is not None or "async" in cell
        if name != "timeout" or "swap" in cell  # each takes its time
    ]


@over("provider api kind door ending", _rows())
def test_a_stream_is_one_answer_however_it_ends(
    provider: str, api: str, kind: str, door: str, ending: str, stand: Stand
) -> None:
    known = ENDINGS[ending]
    ask = Ask(known.words)
    options = {"timeout": PATIENT} if ending == "timeout" else {}
    error, events = stand.read(api, kind, door, ask, known.read, known.read_async, **options)
    if known.text is None or known.changes:
        answered = left(stand.api(api), ask, known.text, **known.changes, **failed(error))
    else:
        answered = read(stand.api(api), ask, known.text)
    assert events == [user(ask.words), answered]


@over("provider api kind door", cells("streamed", "fail"))
def test_a_stream_that_fails_inside_is_one_failed_answer(
    provider: str, api: str, kind: str, door: str, stand: Stand
) -> None:
    ask, fails = Ask("fail"), stand.api(api).fails
    assert fails is not None
    readers = failing(lambda _provider: fails.errors) if fails.errors else (read_all, read_all_async)
    error, events = stand.read(api, kind, door, ask, *readers)
    told = {
        "finish_reason": None,
        **failed(error),
        "is_error": True,
        "error_source": "provider",
        **fails.says,
    }
    assert events == [user("fail"), left(stand.api(api), ask, fails.text, **told)]
