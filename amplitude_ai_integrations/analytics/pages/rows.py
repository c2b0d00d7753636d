"""A session as one row of the list, and the words that its state needs everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from urllib.parse import quote

from markupsafe import Markup

from ..model import SessionRow
from . import words
from .shapes import Shape, session_shape
from .text import one_line, plain

_MOST_TAGS = 4
_ALWAYS_WHOLE = 40  # a title of so many characters is cut at no width


@dataclass(frozen=True, slots=True)
class Tag:
    """A finding in a word, with the tone it is said in: danger, warn, ok or plain."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class RowView:
    """What the list shows of one session."""

    key: str
    url: str
    title: Markup | None
    whole_title: str
    mark: str
    mark_words: str
    tags: tuple[Tag, ...]
    shape: Shape
    tokens: str
    tokens_title: str
    cost: str
    cost_title: str
    slowest: str
    is_slow: bool
    row: SessionRow


def key_of(identifier: str) -> str:
    """A short name for an untrusted id that is safe in element ids and selectors."""
    return "s" + blake2s(identifier.encode("utf-8", "replace"), digest_size=5).hexdigest()


def session_url(session_id: str) -> str:
    """The address of a session's page; any character may be in the id."""
    return "/sessions/" + quote(session_id, safe="", errors="replace")


def mark_of(row: SessionRow) -> tuple[str, str]:
    """The strongest of what is to be said about a session, with the words for it."""
    if row.last_turn_failed:
        return "failed", "Failed"
    if row.state == "live":
        return "live", "Live"
    if row.abandoned_turn or row.negative_feedback or row.errors or not row.is_price_known:
        return "attention", "Look here"
    return "quiet", "Nothing found"


def tags_of(row: SessionRow, *, most: int = _MOST_TAGS) -> tuple[Tag, ...]:
    """What was found in a session, the strongest first."""
    tags = []
    if row.state == "live":
        tags.append(Tag("live", "ok"))
    if row.errors:
        tags.append(Tag(words.counted(row.errors, "error"), "danger"))
    if row.last_turn_failed:
        tags.append(Tag("last turn failed", "danger"))
    if row.abandoned_turn:
        tags.append(Tag(f"abandoned after turn {row.abandoned_turn}", "warn"))
    if row.negative_feedback:
        tags.append(Tag("negative feedback", "warn"))
    if not row.is_price_known:
        tags.append(Tag("price unknown", "warn"))
    if row.agents > 1:
        tags.append(Tag(f"{row.agents} agents"))
    if row.content_mode and row.content_mode != "full":
        tags.append(Tag(plain(row.content_mode.replace("_", " "), 24)))
    if len(tags) > most:
        tags[most:] = [Tag(f"+{len(tags) - most}")]
    return tuple(tags)


def cost_of(row: SessionRow) -> tuple[str, str]:
    """A session's cost and, where it is not the whole truth, why."""
    if row.cost_usd is None:
        return words.UNKNOWN, "Cost unknown" if row.tokens else "No cost recorded"
    cost = words.cost(row.cost_usd, is_estimated=row.is_estimated)
    if not row.is_price_known:
        return cost, "Some model calls have no known price and are not in this sum"
    return cost, ""


def whole_title(title: str | None) -> str:
    """What a title says when pointed at; nothing where it is short enough to be seen whole."""
    return plain(title, 1000) if title and len(title) > _ALWAYS_WHOLE else ""


def row_view(row: SessionRow) -> RowView:
    """The row of one session."""
    mark, mark_words = mark_of(row)
    cost, cost_title = cost_of(row)
    return RowView(
        key=key_of(row.session_id),
        url=session_url(row.session_id),
        title=one_line(row.title) if row.title else None,
        whole_title=whole_title(row.title),
        mark=mark,
        mark_words=mark_words,
        tags=tags_of(row),
        shape=session_shape(row),
        tokens=words.tokens(row.tokens, is_estimated=row.is_estimated),
        tokens_title="" if row.tokens is None or row.tokens < 10_000 else words.exact(row.tokens),
        cost=cost,
        cost_title=cost_title,
        slowest=words.duration(row.slowest_ms),
        is_slow=words.is_slow(row.slowest_ms),
        row=row,
    )
