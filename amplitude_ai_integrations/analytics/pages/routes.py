"""The addresses of the pages."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from .assets import static
from .export import as_json, as_markdown
from .guide import guide
from .live import live
from .rendering import THEMES, html_response, macro, now_ms, page
from .rows import row_view, session_url
from .session import TABS, session_view

_PAGE = 50


def home(request: Request) -> Response:
    """The list is the first page."""
    return RedirectResponse("/sessions", 302)


def sessions(request: Request) -> HTMLResponse:
    """The list, newest activity first; before the first event, how to get one."""
    state, query = request.app.state, request.query_params
    totals = state.reader.totals()
    if not totals.events:
        return page(request, "start.html", totals, guide=guide(state, now_ms()))
    found = state.reader.sessions(limit=_PAGE, newer=query.get("newer"), older=query.get("older"))
    return page(request, "sessions.html", totals, found=found, rows=[row_view(row) for row in found.rows])


def session(request: Request) -> Response:
    """One session: its thread, its facts or its turns."""
    return _session(request, request.path_params["session_id"])


def _session(request: Request, session_id: str) -> Response:
    state, query = request.app.state, request.query_params
    totals = state.reader.totals()
    tab = query.get("tab", TABS[0])
    view = session_view(
        state.reader,
        session_id,
        tab=tab if tab in TABS else TABS[0],
        step_id=query.get("step"),
        scale="session" if query.get("scale") == "session" else "own",
        shows_all_rows=query.get("rows") == "all",
    )
    if view is None:
        return page(request, "missing.html", totals, status=404, session_id=session_id)
    if query.get("as") == "markdown":
        return PlainTextResponse(as_markdown(view.detail).encode("utf-8", "replace"))
    if query.get("as") == "json":
        return Response(as_json(view.detail), media_type="application/json")
    if request.headers.get("hx-target") == "aside#inspector":
        return html_response(macro("inspector", "inspector", view))
    return page(request, "session.html", totals, view=view)


def events(request: Request) -> Response:
    """The events of one session as they were received, a page at a time."""
    state, session_id = request.app.state, request.path_params["session_id"]
    totals = state.reader.totals()
    row = state.reader.row(session_id)
    if row is None:  # an id may itself end in /events
        return _session(request, f"{session_id}/events")
    given = request.query_params.get("offset", "")
    offset = int(given) if given.isdecimal() and len(given) < 12 else 0
    found, total = state.reader.raw_events(session_id, offset=offset, limit=_PAGE)
    texts = [json.dumps(event, ensure_ascii=False, default=str) for event in found]
    return page(
        request, "events.html", totals,
        row=row, url=session_url(session_id), events=list(zip(found, texts, strict=True)),
        offset=offset, total=total, size=_PAGE,
    )  # fmt: skip


def theme(request: Request) -> Response:
    """Remember light or dark, and go back to where the switch was used."""
    chosen, back = request.query_params.get("to", ""), request.query_params.get("back", "/")
    answer = RedirectResponse(back if _is_local(back) else "/", 303)
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=31_536_000, httponly=True, samesite="lax")
    return answer


def _is_local(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and address[:1] == "/" and address[1:2] not in ("/", "\\")


class _Any(Convertor[str]):
    """An id as it is; Starlette's own ``path`` ends at a line break."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        """Return the id."""
        return value

    def to_string(self, value: str) -> str:
        """Return the id."""
        return value


register_url_convertor("any", _Any())


def routes() -> list[BaseRoute]:
    """Every page of local Agent Analytics."""
    made: list[Any] = [
        Route("/", home),
        Route("/sessions", sessions),
        Route("/sessions/{session_id:any}/events", events),
        Route("/sessions/{session_id:any}", session),
        Route("/live", live),
        Route("/theme", theme, methods=["POST"]),
        Route("/static/{name}", static),
    ]
    return made
