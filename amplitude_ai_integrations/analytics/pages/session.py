"""One session as its pages show it, each part worked out when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from ..model import SessionDetail, SessionRow, Turn
from . import words
from .ending import Closing, closing, findings
from .info import agent_facts, agent_ms, privacy_facts, session_facts, user_facts
from .inspector import Fact, Inspection, inspection
from .rows import Tag, cost_of, session_url, tags_of, whole_title
from .strip import StripTurn, strip
from .text import one_line, plain
from .thread import TurnView, thread
from .waterfall import TurnCard, turn_cards

TABS = ("thread", "info", "turns")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the ribbon."""

    label: str
    value: str
    tone: str = ""
    title: str = ""
    on_phones: bool = False


@dataclass(frozen=True)
class SessionView:
    """A session, the tab that is open and the step that is looked at."""

    detail: SessionDetail
    neighbours: Any
    tab: str
    step_id: str | None = None
    scale: str = "own"
    shows_all_rows: bool = False

    @property
    def row(self) -> SessionRow:
        """The figures of the session as a whole."""
        return self.detail.row

    @cached_property
    def url(self) -> str:
        """The address of the session."""
        return session_url(self.row.session_id)

    @cached_property
    def title(self) -> Markup | None:
        """What the session is about: the beginning of its first message."""
        return one_line(self.row.title) if self.row.title else None

    @cached_property
    def whole_title(self) -> str:
        """The title in full, where it may be too long to be seen whole."""
        return whole_title(self.row.title)

    @cached_property
    def plain_title(self) -> str:
        """The title for the window and the history of the browser."""
        return plain(self.row.title) if self.row.title else f"Session {words.short_id(self.row.session_id)}"

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """What was found, as tags of the head."""
        tags = list(tags_of(self.row, most=8))
        tags += [
            Tag(f"stopped in turn {turn.number}", "warn") for turn in self.detail.turns if turn.is_stopped
        ][:2]
        shown = [tag for tag in tags if not tag.text.endswith(("error", "errors", "agents"))]
        return tuple(Tag(tag.text[:1].upper() + tag.text[1:], tag.tone) for tag in shown)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The ribbon."""
        row = self.row
        cost, why = cost_of(row)
        tokens = words.tokens(row.tokens, is_estimated=row.is_estimated)
        exact = (words.ABOUT if row.is_estimated else "") + words.exact(row.tokens)
        slow = "warn" if words.is_slow(row.slowest_ms) else ""
        return (
            Figure("Turns", words.exact(row.turns)),
            Figure("Wall time", words.duration(row.last_ms - row.first_ms)),
            Figure("Agent time", words.duration(agent_ms(self.detail))),
            Figure("Slowest reply", words.duration(row.slowest_ms), slow, on_phones=True),
            Figure("Model calls", words.exact(row.model_calls)),
            Figure("Tool calls", words.exact(row.tools)),
            Figure("Errors", words.exact(row.errors), "danger" if row.errors else "", on_phones=True),
            Figure("Tokens", tokens, title=exact, on_phones=True),
            Figure("Cost", cost, title=why, on_phones=True),
        )  # fmt: skip

    @cached_property
    def strip(self) -> tuple[StripTurn, ...]:
        """The turns side by side."""
        return strip(self.detail.turns)

    @cached_property
    def thread(self) -> tuple[TurnView, ...]:
        """The conversation."""
        return thread(self.detail)

    @cached_property
    def findings(self) -> tuple[tuple[str, str], ...]:
        """What is wrong with the data."""
        return findings(self.detail)

    @cached_property
    def cards(self) -> tuple[TurnCard, ...]:
        """The turns as waterfalls."""
        return turn_cards(
            self.detail,
            step_id=self.step_id,
            on_one_scale=self.scale == "session",
            all_rows=self.shows_all_rows,
        )

    @cached_property
    def inspection(self) -> Inspection | None:
        """The step that is looked at."""
        return inspection(self.detail, self.step_id)

    @cached_property
    def facts(self) -> dict[str, tuple[Fact, ...]]:
        """The lists of the Info tab."""
        return {
            "Session": tuple(session_facts(self.detail)),
            "Agent": tuple(agent_facts(self.detail)),
            "User": tuple(user_facts(self.detail)),
            "Privacy": tuple(privacy_facts(self.detail)),
        }

    def link(self, **changes: str | None) -> str:
        """The address of this page with some of its state changed."""
        state = {"tab": self.tab, "scale": None if self.scale == "own" else self.scale, "step": self.step_id}
        kept = {key: value for key, value in {**state, **changes}.items() if value}
        return "?" + urlencode(kept, errors="replace")

    def closing(self, now_ms: float) -> Closing:
        """The last line of the conversation."""
        return closing(self.detail, now_ms)

    def outline_of(self, turn: Turn) -> tuple[str, str]:
        """A turn in the outline: its beginning, and whether it failed or stopped."""
        text = plain(turn.user.text, 80) if turn.user and turn.user.text else ""
        return text, "failed" if turn.errors else "attention" if turn.is_stopped else ""


def session_view(reader: Any, session_id: str, **state: Any) -> SessionView | None:
    """The view of a session, or None where there is no such session."""
    detail = reader.detail(session_id)
    return SessionView(detail, reader.neighbours(session_id), **state) if detail is not None else None
