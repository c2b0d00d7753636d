"""Templates: the environment they run in and the answers they become."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from ..model import Totals
from . import words
from .assets import static_url
from .json_view import json_view
from .markdown import markdown
from .rows import key_of, session_url
from .text import defused, one_line, plain, said

THEMES = ("system", "light", "dark")


@cache
def environment() -> Environment:
    """Autoescaping, and nothing untrusted reaches a page without being defused first."""
    made = Environment(
        loader=PackageLoader("amplitude_ai_integrations.analytics.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=defused,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "said": said, "one_line": one_line, "plain": plain, "markdown": markdown, "json_view": json_view,
        "cost": words.cost, "duration": words.duration, "tokens": words.tokens, "exact": words.exact,
        "counted": words.counted, "clock": words.clock, "full_time": words.full_time,
        "iso_time": words.iso_time,
        "date_time": words.date_time, "size": words.size, "short_id": words.short_id,
        "key": key_of, "session_url": session_url,
    }  # fmt: skip
    made.filters.update(filters)
    made.globals.update(
        static=static_url,
        sprite=static_url("sprite.svg"),
        ago=words.ago,
        between=words.between,
        zone=words.zone,
    )
    return made


def now_ms() -> float:
    """The moment of this answer."""
    return time.time() * 1000


def theme_of(request: Request) -> str:
    """The theme this reader chose, ``system`` where none."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def macro(template: str, name: str, *args: Any) -> str:
    """One macro of a file under ``parts``, for an answer that replaces a part of a page."""
    return str(getattr(environment().get_template(f"parts/{template}.html").module, name)(*args))


def page(
    request: Request, template: str, totals: Totals, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page; the totals are read before its content, so that live updates know what it has seen."""
    state = request.app.state
    html = (
        environment()
        .get_template(template)
        .render(
            theme=theme_of(request),
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            address=state.address,
            totals=totals,
            now=now_ms(),
            **context,
        )
    )
    return html_response(html, status)


def html_response(html: str, status: int = 200) -> HTMLResponse:
    """HTML that is never kept by a cache, whatever characters are in it."""
    return HTMLResponse(
        html.encode("utf-8", "replace"),
        status,
        headers={"Cache-Control": "no-store", "Vary": "HX-Request, Cookie"},
    )
