"""What changed, as small named fragments over one event stream a tab."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from .session import TABS
from .views import GuideView, ListView, SessionLive, View

_HEARTBEAT_S = 15.0
_MOST_DIGITS = 18


def _number(text: str) -> int | None:
    """A number that counted something, or None for any other text."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _view(request: Request) -> View:
    query, state = request.query_params, request.app.state
    counted = _number(query.get("events", ""))
    events = -1 if counted is None else counted
    if session_id := query.get("session"):
        tab = query.get("tab", "")
        return SessionLive(state, session_id, tab if tab in TABS else TABS[0], events)
    return GuideView(state) if "guide" in query else ListView(state, events)


async def live(request: Request) -> StreamingResponse:
    """The stream of one open page."""
    return StreamingResponse(
        _stream(request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def _answer(view: View, change: Any) -> list[str]:
    """What a change means for a page; after a gap in the history everything is sent again."""
    if change.is_gap:
        return view.snapshot(is_forced=True)
    return view.changed(change.session_ids, change.new_session_ids)


async def _stream(request: Request) -> AsyncIterator[bytes]:
    last = _number(request.headers.get("last-event-id", ""))
    changes = request.app.state.live.subscribe(last)
    following = asyncio.ensure_future(anext(changes))
    try:
        await asyncio.sleep(
            0
        )  # the subscription begins before the snapshot is taken, so nothing falls between
        view = _view(request)
        for text in await run_in_threadpool(view.snapshot):
            yield text.encode("utf-8", "replace")
        yield b": up to date\n\n"
        while True:
            done, _ = await asyncio.wait({following}, timeout=_HEARTBEAT_S)
            if not done:
                yield b": still here\n\n"
                continue
            try:
                change = following.result()
            except StopAsyncIteration:
                return
            for text in await run_in_threadpool(_answer, view, change):
                yield text.encode("utf-8", "replace")
            yield f"id: {change.seq}\n\n".encode()
            following = asyncio.ensure_future(anext(changes))
    finally:
        following.cancel()
        await asyncio.wait({following})
        if hasattr(changes, "aclose"):
            await changes.aclose()
