"""What an open page needs to hear: fragments for what changed, made from the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from ..model import SessionRow
from .guide import guide
from .rendering import macro, now_ms
from .rows import key_of, row_view, session_url
from .session import session_view

_PAGE = 50


class View(Protocol):
    """An open page: what it needs at once, and what it needs when sessions change."""

    def snapshot(self, *, is_forced: bool = False) -> list[str]: ...

    def changed(self, session_ids: Iterable[str], new: Iterable[str]) -> list[str]: ...


def partial(target: str, html: str, swap: str = "outerMorph") -> str:
    """A fragment that finds its own place on the page."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html.strip()}</hx-partial>'


def message(data: str, *, name: str = "") -> str:
    """One message of an event stream."""
    head = f"event: {name}\n" if name else ""
    return head + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n"


def _totals(state: Any) -> str:
    totals = state.reader.totals()
    return partial("count", f"<span id=count>{totals.sessions:,}</span>") + partial(
        "stored", macro("nav", "stored", totals)
    )


class ListView:
    """The open list: rows in view change in place, new sessions are only announced."""

    def __init__(self, state: Any, page_events: int) -> None:
        self._state, self._page_events = state, page_events

    def snapshot(self, *, is_forced: bool = False) -> list[str]:
        """The first page again, if events arrived between the page and this stream."""
        if not is_forced and self._state.reader.totals().events == self._page_events:
            return []
        rows = self._state.reader.sessions(limit=_PAGE).rows
        return self._messages(rows, [row.session_id for row in rows])

    def changed(self, session_ids: Iterable[str], new: Iterable[str]) -> list[str]:
        """The rows of these sessions, and which sessions began."""
        rows = [self._state.reader.row(session_id) for session_id in dict.fromkeys(session_ids)]
        return self._messages([row for row in rows if row is not None], list(new))

    def _messages(self, rows: Iterable[SessionRow], new: list[str]) -> list[str]:
        now = now_ms()
        fragments = [
            partial(view.key, macro("row", "session_row", view, now)) for view in map(row_view, rows)
        ]
        totals = self._state.reader.totals()
        fragments += [
            partial("sums", macro("row", "sums", totals)),
            partial("whole", macro("row", "whole", totals.sessions)),
        ]
        messages = [message("".join(fragments) + _totals(self._state))]
        if new:
            announced = [[key_of(session_id), session_url(session_id)] for session_id in new]
            messages.append(message(json.dumps(announced), name="sessions:new"))
        return messages


class SessionLive:
    """The open session: running figures and the turns that changed; nothing above them moves."""

    def __init__(self, state: Any, session_id: str, tab: str, page_events: int) -> None:
        self._state, self._session_id, self._tab, self._page_events = state, session_id, tab, page_events
        self._sent: dict[str, str] = {}

    def snapshot(self, *, is_forced: bool = False) -> list[str]:
        """Every part once, if events arrived between the page and this stream."""
        is_stale = is_forced or self._state.reader.totals().events != self._page_events
        self._sent = dict(self._parts())
        if not is_stale:
            return []
        turns = "".join(html for name, html in self._sent.items() if name.startswith("turn-"))
        others = [partial(name, html) for name, html in self._sent.items() if not name.startswith("turn-")]
        return self._told([*others, partial("turns", turns, "innerMorph")])

    def changed(self, session_ids: Iterable[str], new: Iterable[str]) -> list[str]:
        """The parts of this session that look different from what was sent before."""
        if self._session_id not in session_ids:
            return []
        fragments = []
        for name, html in self._parts():
            before = self._sent.get(name)
            if before == html:
                continue
            if before is None and name.startswith("turn-"):
                fragments.append(partial("turns", html, "beforeend"))
            else:
                fragments.append(partial(name, html))
            self._sent[name] = html
        return self._told(fragments) if fragments else []

    def _told(self, fragments: list[str]) -> list[str]:
        return [
            message("".join(fragments) + _totals(self._state)),
            message(self._tab, name="session:changed"),
        ]

    def _parts(self) -> Iterator[tuple[str, str]]:
        view = session_view(self._state.reader, self._session_id, tab=self._tab)
        if view is None:
            return
        now = now_ms()
        yield "head", macro("head", "head", view, now)
        yield "figures", macro("head", "figures", view)
        yield "tabs", macro("head", "tabs", view)
        if self._tab == "thread":
            for turn in view.thread:
                yield f"turn-{turn.turn.number}", macro("thread", "turn", turn)
            yield "outline-list", macro("thread", "outline_list", view)
            yield "closing", macro("thread", "closing", view, now)
        elif self._tab == "turns":
            for card in view.cards:
                yield f"turn-{card.turn.number}", macro("turns", "card", card, view)
        else:
            yield "info", macro("info", "info", view)


class GuideView:
    """The guide: the first event changes its third step and offers to open the session."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def snapshot(self, *, is_forced: bool = False) -> list[str]:
        """How the wait stands."""
        view = guide(self._state, now_ms())
        return [
            message(
                partial("listening", macro("start", "listening", view))
                + partial("checks", macro("start", "checks", view))
                + _totals(self._state)
            )
        ]

    def changed(self, session_ids: Iterable[str], new: Iterable[str]) -> list[str]:
        """The same, since any event ends the wait."""
        return self.snapshot()
