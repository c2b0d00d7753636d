"""Numbers, times and counts in words: one rule for every page."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

UNKNOWN = "—"
ABOUT = "≈ "
_NARROW = "\u202f"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SLOW_REPLY_MS = 15_000


def cost(usd: float | None, *, is_estimated: bool = False) -> str:
    """US dollars: four decimals below one dollar, then two."""
    if usd is None or not math.isfinite(usd):
        return UNKNOWN
    sign = ABOUT if is_estimated else ""
    if usd == 0:
        return sign + "$0"
    if 0 < usd < 0.0001:
        return sign + "< $0.0001"
    amount = f"${abs(usd):,.2f}" if round(abs(usd), 4) >= 1 else f"${abs(usd):.4f}"
    return sign + ("\u2212" if usd < 0 else "") + amount


def duration(ms: float | None) -> str:
    """Milliseconds below one second, seconds below a minute, then two units."""
    if ms is None or not math.isfinite(ms) or ms < 0:
        return UNKNOWN
    if 0 < ms < 1:
        return f"<{_NARROW}1{_NARROW}ms"
    if round(ms) < 1000:
        return f"{round(ms)}{_NARROW}ms"
    if round(ms / 1000, 1) < 60:
        return f"{ms / 1000:.1f}{_NARROW}s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes}{_NARROW}min {seconds}{_NARROW}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{_NARROW}h {minutes:02d}{_NARROW}min"
    days, hours = divmod(hours, 24)
    return f"{days}{_NARROW}d {hours}{_NARROW}h"


def is_slow(ms: float | None) -> bool:
    """Whether a reply took so long that the page points at it."""
    return ms is not None and ms > _SLOW_REPLY_MS


def tokens(count: int | None, *, is_estimated: bool = False) -> str:
    """Exact below ten thousand, then thousands, then millions."""
    if count is None:
        return UNKNOWN
    sign = ABOUT if is_estimated else ""
    if count < 10_000:
        return f"{sign}{count:,}"
    if round(count / 1000, 1) < 1000:
        return f"{sign}{count / 1000:.1f}k"
    return f"{sign}{count / 1_000_000:,.2f}M"


def exact(count: int | None) -> str:
    """A count in full, with thousands marks."""
    return UNKNOWN if count is None else f"{count:,}"


def percent(part: float, whole: float) -> str:
    """A share with one decimal, without it where it is round."""
    share = 100 * part / whole if whole else 0.0
    digits = f"{share:.1f}".removesuffix(".0")
    return f"{digits}{_NARROW}%"


def size(count: int) -> str:
    """Bytes in the unit that reads best."""
    if count < 1000:
        return f"{count}{_NARROW}bytes"
    if round(count / 1000, 1) < 1000:
        return f"{count / 1000:.1f}{_NARROW}kB"
    return f"{count / 1_000_000:,.1f}{_NARROW}MB"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: ``1 turn``, ``2 turns``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def local(ms: float | None) -> datetime | None:
    """The moment in the time zone of this computer, or None for a time no calendar has."""
    if ms is None or not math.isfinite(ms):
        return None
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).astimezone()
    except (OverflowError, ValueError, OSError):
        return None


def clock(ms: float | None) -> str:
    """The time of day: ``14:02:11``."""
    moment = local(ms)
    return f"{moment:%H:%M:%S}" if moment else UNKNOWN


def short_clock(ms: float | None) -> str:
    """The time of day without seconds: ``14:02``."""
    moment = local(ms)
    return f"{moment:%H:%M}" if moment else UNKNOWN


def exact_clock(ms: float | None) -> str:
    """The time of day to the millisecond."""
    moment = local(ms)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}" if moment else UNKNOWN


def day(ms: float | None, now_ms: float) -> str:
    """``Today``, ``19 Nov``, or with the year where it is another one."""
    moment, now = local(ms), local(now_ms)
    if moment is None or now is None:
        return UNKNOWN
    if moment.date() == now.date():
        return "Today"
    name = f"{moment.day} {_MONTHS[moment.month - 1]}"
    return name if moment.year == now.year else f"{name} {moment.year}"


def when(ms: float | None, now_ms: float) -> str:
    """The time of day, with its day where that is not today."""
    time, named = short_clock(ms), day(ms, now_ms)
    return time if time == UNKNOWN or named == "Today" else f"{named}, {time}"


def date_time(ms: float | None) -> str:
    """Day, month, year and time: ``21 Nov 2026, 14:02:11``."""
    moment = local(ms)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M:%S}" if moment else UNKNOWN


def full_time(ms: float | None) -> str:
    """Everything about a moment, with its offset: what a time says when asked."""
    moment = local(ms)
    if moment is None:
        return UNKNOWN
    text = moment.isoformat(sep=" ", timespec="milliseconds")
    return f"{text[:-6]} {text[-6:]}"


def iso_time(ms: float | None) -> str:
    """A moment for machines."""
    moment = local(ms)
    return moment.isoformat(timespec="milliseconds") if moment else ""


def ago(ms: float | None, now_ms: float) -> str:
    """How long ago within a day, then the date and time."""
    moment = local(ms)
    if ms is None or moment is None:
        return UNKNOWN
    seconds = (now_ms - ms) / 1000
    if not -60 < seconds < 86_400:
        return f"{day(ms, now_ms)}, {moment:%H:%M}"
    if seconds < 1:
        return "now"
    if seconds < 60:
        return f"{int(seconds)}{_NARROW}s ago"
    if seconds < 3600:
        return f"{int(seconds // 60)}{_NARROW}min ago"
    return f"{int(seconds // 3600)}{_NARROW}h ago"


def between(first_ms: float, last_ms: float, now_ms: float) -> str:
    """A span of time as people write it: the day, then from when to when."""
    first, last = short_clock(first_ms), short_clock(last_ms)
    if day(first_ms, now_ms) == day(last_ms, now_ms):
        times = first if first == last else f"{first}–{last}"  # noqa: RUF001
        return f"{day(first_ms, now_ms)} {times}"
    return f"{day(first_ms, now_ms)} {first} – {day(last_ms, now_ms)} {last}"  # noqa: RUF001


def short_id(identifier: str) -> str:
    """The first nine characters of an id, as rows show it."""
    return identifier[:9].rstrip("-_.: ") or identifier[:9]


def zone() -> str:
    """The time zone of this computer: ``CET (UTC+01:00)``."""
    now = datetime.now().astimezone()
    name, offset = now.tzname() or "", f"UTC{now.isoformat()[-6:]}"
    return "UTC" if name == "UTC" else f"{name} ({offset})" if name.isalpha() else offset
