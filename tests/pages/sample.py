"""Sessions as the store hands them to the pages, and a small store to hold them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from amplitude_ai_integrations.analytics.model import (
    Message,
    ModelUse,
    Score,
    SessionDetail,
    SessionPage,
    SessionRow,
    Step,
    ToolUse,
    Totals,
    Turn,
    TurnShape,
)

NOW = 1_795_266_425_000


@dataclass
class Change:
    seq: int
    session_ids: tuple[str, ...]
    new_session_ids: tuple[str, ...]
    is_gap: bool = False


@dataclass
class Neighbours:
    newer: str | None
    older: str | None
    position: int
    total: int


@dataclass
class Live:
    """Tells every open stream what changed; may be called from any thread."""

    queues: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[Change]]] = field(default_factory=list)
    seq: int = 0

    async def subscribe(self, last_id: int | None) -> AsyncIterator[Change]:
        queue: asyncio.Queue[Change] = asyncio.Queue()
        entry = (asyncio.get_running_loop(), queue)
        self.queues.append(entry)
        try:
            while True:
                yield await queue.get()
        finally:
            self.queues.remove(entry)

    def tell(self, changed: tuple[str, ...], new: tuple[str, ...] = ()) -> None:
        self.seq += 1
        for loop, queue in self.queues:
            loop.call_soon_threadsafe(queue.put_nowait, Change(self.seq, changed, new))


@dataclass
class Traffic:
    requests: int = 0
    events: int = 0
    last_refusal: str | None = None
    last_refusal_at_ms: int | None = None


class Reader:
    """The reading side of the store, over details kept in memory."""

    def __init__(self, details: list[SessionDetail] = (), *, events: int | None = None) -> None:
        self.details = {detail.row.session_id: detail for detail in details}
        self.events = events if events is not None else 10 * len(self.details)
        self.raw: list[dict[str, object]] = [
            {"event_type": "[Agent] User Message", "time": NOW, "event_properties": {"n": n}}
            for n in range(120)
        ]

    def put(self, detail: SessionDetail) -> None:
        self.details[detail.row.session_id] = detail
        self.events += 1

    def _rows(self) -> list[SessionRow]:
        return sorted((detail.row for detail in self.details.values()), key=lambda row: -row.last_ms)

    def sessions(self, *, limit: int = 50, newer: str | None = None, older: str | None = None) -> SessionPage:
        rows = self._rows()
        start = int(older or newer or 0)
        part = rows[start : start + limit]
        return SessionPage(
            rows=tuple(part),
            total=len(rows),
            first=start + 1 if part else 0,
            newer=str(max(start - limit, 0)) if start else None,
            older=str(start + limit) if start + limit < len(rows) else None,
        )

    def row(self, session_id: str) -> SessionRow | None:
        detail = self.details.get(session_id)
        return detail.row if detail else None

    def detail(self, session_id: str) -> SessionDetail | None:
        return self.details.get(session_id)

    def neighbours(self, session_id: str) -> Neighbours:
        ids = [row.session_id for row in self._rows()]
        at = ids.index(session_id)
        return Neighbours(
            newer=ids[at - 1] if at else None,
            older=ids[at + 1] if at + 1 < len(ids) else None,
            position=at + 1,
            total=len(ids),
        )

    def totals(self) -> Totals:
        return Totals(
            events=self.events, sessions=len(self.details), bytes=19_400_000 if self.events else 100_000
        )

    def raw_events(
        self, session_id: str, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[dict[str, object]], int]:
        return self.raw[offset : offset + limit], len(self.raw)


def session_row(session_id: str, **values: object) -> SessionRow:
    """A calm session of two turns, with what is given changed."""
    row = SessionRow(
        session_id=session_id,
        title="How do I add a teammate without giving them billing access?",
        agent="support-bot",
        agents=1,
        user_id="u_6620",
        device_id=None,
        state="closed",
        first_ms=NOW - 900_000,
        last_ms=NOW - 840_000,
        turns=2,
        tools=2,
        model_calls=4,
        tokens=4850,
        cost_usd=0.0042,
        is_price_known=True,
        slowest_ms=1600,
        errors=0,
        last_turn_failed=False,
        abandoned_turn=None,
        negative_feedback=0,
        content_mode="full",
        shape=(TurnShape(1600, 1200, 300), TurnShape(1400, 1000, 300)),
    )
    return replace(row, **values)  # type: ignore[arg-type]


class Script:
    """Writes turns one after the other, keeping the clock and the event numbers."""

    def __init__(self, start_ms: float, agent: str = "data-analyst") -> None:
        self.at, self.agent, self.number, self.event = start_ms, agent, 0, 0
        self.turns: list[Turn] = []

    def _next(self) -> int:
        self.event += 1
        return self.event

    def model(self, at: float, ms: float, **values: object) -> Step:
        number = self._next()
        return Step(
            event_id=number, step_id=f"step-{number}", kind="model", name="gpt-4o", model="gpt-4o", provider="openai",
            started_ms=at, latency_ms=ms, **{"agent": self.agent, "parent_agent": None, **values},
        )  # type: ignore[arg-type]  # fmt: skip

    def call(self, name: str, at: float, ms: float | None, **values: object) -> Step:
        number = self._next()
        kind = values.pop("kind", "tool")
        return Step(
            event_id=number, step_id=f"step-{number}", kind=kind, name=name, agent=self.agent,
            parent_agent=None, started_ms=at, latency_ms=ms, **values,
        )  # type: ignore[arg-type]  # fmt: skip

    def turn(self, text: str | None, steps: list[Step], reply_ms: float, **values: object) -> Turn:
        self.number += 1
        user = Message(self._next(), f"user-{self.number}", text, int(self.at), "user")
        user = replace(user, **values.pop("user", {}))  # type: ignore[arg-type]
        models = [step for step in steps if step.kind == "model"]
        made = Turn(
            number=self.number,
            trace_id=f"trace-{self.number}",
            user=user,
            delegated=values.pop("delegated", ()),  # type: ignore[arg-type]
            steps=tuple(steps),
            started_ms=self.at,
            ended_ms=self.at + reply_ms,
            reply_ms=reply_ms,
            model_ms=sum(step.latency_ms or 0 for step in models),
            tool_ms=sum(step.latency_ms or 0 for step in steps if step.kind != "model"),
            tokens=sum((step.input_tokens or 0) + (step.output_tokens or 0) for step in models),
            cost_usd=round(sum(step.cost_usd or 0 for step in models), 4),
            errors=sum(step.is_error for step in steps),
            is_failed=bool(values.pop("is_failed", False)),
            is_stopped=any(step.is_stopped for step in steps),
            is_estimated=any(step.is_estimated for step in steps),
        )
        self.turns.append(made)
        self.at += reply_ms + float(values.pop("pause", 40_000))  # type: ignore[arg-type]
        return made


def funnel() -> SessionDetail:
    """Six turns of a data analyst: tools, retrieval, an error, hostile text, a stop, abandonment."""
    s = Script(NOW - 294_000)
    at = s.at
    s.turn("Why does my funnel show 0 conversions since Tuesday? We did not touch anything. My login is [email] if you need it.", [
        s.model(at, 700, ttfb_ms=200, input_tokens=1200, output_tokens=80, cost_usd=0.002, tool_calls="[]", finish_reason="tool_calls",
                system_prompt="You answer questions about product data.\n" * 5),
        s.call("get_chart", at + 720, 412, input='{"chart_id": "k9f2x", "range": "14d"}', output='{"charts": [{"id": "k9f2x"}]}'),
        s.call("query_events", at + 1140, 1100, input='{"event": "Purchase Completed", "group_by": "day"}',
               output=json.dumps({"rows": [{"day": n, "count": 391} for n in range(14)]})),
        s.model(at + 2300, 800, ttfb_ms=300, input_tokens=3650, output_tokens=232, cost_usd=0.0099, finish_reason="stop",
                reasoning="The last step has no events.", text=(
                    "The last step of the funnel, **Purchase Completed**, has had no events since Tuesday 18 November, 09:40. "
                    "The steps before it look normal, so users still reach checkout.\n\n- Mon 17: 1,204 purchases\n- Tue 18: 391, all before 09:40\n"
                    "- Wed 19 to today: 0\n\nDo you want me to look at all projects or only one?")),
    ], 3100)  # fmt: skip
    at = s.at
    s.turn("Only the EU project, sorry.", [
        s.model(at, 1100, ttfb_ms=300, input_tokens=4000, output_tokens=60, cost_usd=0.009, tool_calls="[]", finish_reason="tool_calls"),
        s.call("list_projects", at + 1100, 96, input='{"region": "eu"}', output='{"projects": [1, 2, 3]}'),
        s.call("search_docs", at + 1300, 233, kind="retrieval", input="event stops arriving after SDK upgrade", output='{"passages": [1, 2, 3, 4, 5]}'),
        s.call("query_events", at + 1600, 470, input='{"project": "eu-web", "event": "Purchase Completed"}', output='{"rows": [1]}'),
        s.call("query_events", at + 2100, 470, input='{"project": "eu-web", "group_by": "order_id"}', output='{"rows": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]}'),
        s.model(at + 4500, 3700, ttfb_ms=900, input_tokens=7800, output_tokens=144, cost_usd=0.0197, finish_reason="stop",
                text="In **eu-web** the server still accepts events, but each `Purchase Completed` since Tuesday lacks `order_id`, "
                     "and your funnel filters on it. That filter removes all of them."),
    ], 8200)  # fmt: skip
    at = s.at
    s.turn("What changed on Tuesday?", [
        s.model(at, 1900, ttfb_ms=400, input_tokens=6000, output_tokens=31, cost_usd=0.016, tool_calls="[]", finish_reason="tool_calls"),
        s.call("list_releases", at + 2000, None, input='{"project": "eu-web", "since": "2026-11-17"}', output='{"releases": [1, 2]}'),
        s.model(at + 2400, 3200, ttfb_ms=800, input_tokens=6400, output_tokens=30, cost_usd=0.0159, finish_reason="stop",
                text="Two releases went out: 4.11.3 on Monday evening and 4.12 on Tuesday at 09:31."),
    ], 5600)  # fmt: skip
    at = s.at
    s.turn("Check the ingestion log then, I need to know who removed it.", [
        s.model(at, 1200, ttfb_ms=400, input_tokens=4900, output_tokens=12, cost_usd=0.0127, tool_calls='[{"name": "read_ingestion_log"}]', finish_reason="tool_calls"),
        s.call("read_ingestion_log", at + 1200, 10_000, is_error=True, error_type="TimeoutError",
               error_message="no answer from log-store after 10 s (attempt 1 of 2)",
               input='{"project": "eu-web", "since": "2026-11-18T09:00", "until": null, "limit": 500, "auth": "[bearer_token]"}'),
        s.model(at + 11_200, 700, ttfb_ms=100, input_tokens=4680, output_tokens=8, cost_usd=0.012, tool_calls="[]", finish_reason="tool_calls"),
        s.call("read_ingestion_log", at + 11_900, 1900, input='{"project": "eu-web", "since": "2026-11-18T09:00", "attempt": 2}', output='{"rows": []}'),
        replace(s.call("search_docs", at + 13_800, 900, kind="retrieval", input="who removed order_id", output='{"passages": [1]}'), children=(
            s.call("embed query", at + 13_800, 88, kind="retrieval", output_tokens=14, cost_usd=0.00001),
            s.call("vector_search", at + 13_900, 203, kind="retrieval"),
            s.call("rerank", at + 14_120, 560, kind="step"),
        )),
        s.model(at + 14_800, 3600, ttfb_ms=900, input_tokens=4600, output_tokens=100, cost_usd=0.0163, finish_reason="stop",
                text="The log shows that the change was made by the mobile team in release 4.12.",
                scores=(Score("thumbs", 0, "user", "that log was empty", None, int(at)),)),
    ], 18_400)  # fmt: skip
    at = s.at
    s.turn("Try the other key: [api_key] and this is what the vendor sent: \u202egpj.exe <img src=x onerror=alert(1)> \x1b[31mred\0", [
        s.call("read_ingestion_log", at + 400, 310, is_error=True, error_type="PermissionError", error_message="403 from log-store, key has no scope logs:read", input='{"project": "eu-web", "key": "[api_key]"}'),
        s.call("search_commits", at + 1000, 1400, input='{"path": "checkout/", "term": "order_id"}', output='{"commits": ["8f21c0", "77ab1e"]}'),
        s.model(at + 2500, 2200, agent="log-reader", parent_agent="data-analyst", output_tokens=146, input_tokens=900, cost_usd=0.002, finish_reason="stop",
                text="Two commits touch order_id: 8f21c0 and 77ab1e."),
        s.model(at + 5000, 6900, ttfb_ms=700, input_tokens=15_000, output_tokens=95, cost_usd=0.0382, finish_reason="stop",
                text="I could not read the log: the key has no `logs:read` scope. From the code history, commit `77ab1e` (Tuesday 09:31) "
                     "renamed `order_id` to `orderId` in the checkout.\n\nEarlier I said the log showed this. It did not, the log was empty."),
    ], 11_900, pause=80_000, user={"is_edit": True})  # fmt: skip
    at = s.at
    s.turn("ok just give me a summary for the team, \u05e9\u05dc\u05d7 \u05dc\u05d9 \u05d0\u05ea \u05d6\u05d4 \u05d1\u05e7\u05e6\u05e8\u05d4", [
        s.model(at, 2100, ttfb_ms=700, input_tokens=15_400, output_tokens=61, cost_usd=0.0393, is_stopped=True, is_estimated=True,
                text="Summary for the team: since Tuesday 18 November, 09:31, the checkout of eu-web sends `orderId` instead of `order_id`. The funnel filters on the old name, so"),
    ], 2100)  # fmt: skip
    turns = tuple(s.turns)
    row = session_row(
        "sess-a3f8c2e1-77d0", title="Why does my funnel show 0 conversions since Tuesday?", agent="data-analyst", agents=2,
        user_id="u_5512", first_ms=int(turns[0].started_ms), last_ms=int(turns[-1].ended_ms), turns=6, tools=17, model_calls=14,
        tokens=61_200, cost_usd=0.1840, slowest_ms=18_400, errors=2, abandoned_turn=5, negative_feedback=1, is_estimated=True,
        shape=tuple(TurnShape(t.reply_ms, t.model_ms, t.tool_ms, t.errors > 0, t.is_stopped) for t in turns),
    )  # fmt: skip
    return SessionDetail(
        row=row, turns=turns,
        models=(
            ModelUse("gpt-4o", 11, 54_800, 31_200, 1106, 0, 900, 3100, 0.1781, is_estimated=True),
            ModelUse("gpt-4o-mini", 2, 5010, 0, 287, 0, 400, 1200, 0.0009),
            ModelUse("text-embedding-3-small", 1, 14, None, None, None, None, 88, 0.00001),
        ),
        tools=(ToolUse("query_events", 6, 0, 900), ToolUse("read_ingestion_log", 3, 2, 1900), ToolUse("search_docs", 3, 0, 233)),
        scores=(), agents=("data-analyst", "log-reader"), closed_by="idle", idle_minutes=30, agent_version="v4.3",
        agent_description="Answers questions about product data", customer_org_id="Acme GmbH", env="production", locale="en-DE",
        context='{"variant": "prompt-v2", "surface": "chat"}', runtime="python", sdk_version="0.1.0",
        tool_definitions_count=11, tool_definitions_hash="e41c9a77", redactions={"[email]": 1, "[api_key]": 2},
    )  # fmt: skip


def calm(session_id: str, **values: object) -> SessionDetail:
    """Two ordinary turns."""
    s = Script(NOW - 900_000, "support-bot")
    for text in ("How do I add a teammate without giving them billing access?", "Thanks"):
        s.turn(text, [s.model(s.at, 1400, ttfb_ms=300, input_tokens=2000, output_tokens=100, cost_usd=0.002,
                              text="Open **Settings**, then Members.", finish_reason="stop")], 1600)  # fmt: skip
    row = session_row(session_id, **values)
    return SessionDetail(
        row=row, turns=tuple(s.turns), models=(ModelUse("gpt-4o", 2, 4000, None, 200, None, 300, 1400, 0.004),), tools=(),
        scores=(), agents=("support-bot",), closed_by="idle" if row.state == "closed" else None, idle_minutes=30,
    )  # fmt: skip


def grown(detail: SessionDetail, text: str = "And one more question") -> SessionDetail:
    """The same session one turn later."""
    s = Script(detail.turns[-1].ended_ms + 30_000, detail.row.agent or "agent")
    s.number, s.event = len(detail.turns), 10_000 + len(detail.turns) * 100
    s.turn(
        text,
        [
            s.model(
                s.at,
                1400,
                input_tokens=500,
                output_tokens=50,
                cost_usd=0.001,
                text="One more answer.",
                finish_reason="stop",
            )
        ],
        1500,
    )
    row = replace(detail.row, turns=detail.row.turns + 1, last_ms=int(s.turns[0].ended_ms), state="live")
    return replace(detail, row=row, turns=(*detail.turns, *s.turns))


def many() -> list[SessionDetail]:
    """A morning of sessions, every state among them."""
    shape = (
        TurnShape(2000, 1500, 400),
        TurnShape(6000, 3000, 2500),
        TurnShape(1200, 900, 0, is_error=True),
        TurnShape(7900, 5000, 2600),
    )
    details = [
        funnel(),
        calm("sess-7c1f11", title="I was charged twice for the March invoice, can you refund the second one?", user_id="u_8841", state="live", errors=1, turns=4, tools=9, tokens=18_200, cost_usd=0.0461, slowest_ms=7900, last_ms=NOW - 12_000, shape=shape),
        calm("sess-19be07", title="Plan a 3-day offsite in Lisbon for 14 people under €9,000", agent="orchestrator", agents=4, user_id="u_2207", state="live", turns=3, tools=21, tokens=96_400, cost_usd=0.4127, slowest_ms=24_100, last_ms=NOW - 48_000),
        calm("sess-c04d00", title="Write the release note for 4.12 in the style of the last three", agent="writer", abandoned_turn=1, tokens=9847, cost_usd=0.0212, slowest_ms=9300, last_ms=NOW - 540_000, shape=(TurnShape(4000, 3800, 0), TurnShape(9300, 9000, 0, is_stopped=True))),
        calm("sess-0b3e00", title="What is the status of order 55-10-2231?", errors=3, last_turn_failed=True, turns=1, tools=3, slowest_ms=30_000, last_ms=NOW - 3_700_000, shape=(TurnShape(30_000, 8000, 22_000, is_error=True),)),
        calm("sess-d41a00", title=None, content_mode="metadata_only", last_ms=NOW - 4_000_000),
        calm("sess-40aa00", title="Translate this to Hebrew: \u05e9\u05dc\u05d5\u05dd, \u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da \u05d4\u05d9\u05d5\u05dd?", agent="writer", is_price_known=False, cost_usd=None, tools=0, last_ms=NOW - 8_000_000),
        calm("sess-f6a200", title="Der Export bricht ab. Was soll ich tun?", negative_feedback=1, last_ms=NOW - 2_000_000),
        calm("../evil/<b>\u202e", title="<script>alert(1)</script> \u202egpj.exe", agent="a\u200bb", user_id="<img src=x>", last_ms=NOW - 9_000_000),
    ]  # fmt: skip
    details += [
        calm(
            f"sess-{n:04x}00",
            last_ms=NOW - 10_000_000 - n * 60_000,
            title=f"Question {n}: how is this done in the new version?",
        )
        for n in range(60)
    ]
    return details
