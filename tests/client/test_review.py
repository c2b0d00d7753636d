"""Looking at events without sending any: the review, the line on stderr, what is worth a word."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink, OpenAI
from amplitude_ai_integrations.client.arguments import _warn_json
from amplitude_ai_integrations.delivery.sinks import summary
from tests.conftest import Serve
from tests.events import told, types
from tests.fakes.collector import Collector
from tests.fakes.openai_server import OpenAIServer


@pytest.fixture(autouse=True)
def _said_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AMPLITUDE_AI_REVIEW", "AMPLITUDE_AI_REVIEW_MODE"):
        monkeypatch.delenv(name, raising=False)
    _warn_json.cache_clear()


def test_a_review_sends_nothing_and_shows_what_would_leave(serve: Serve, session_id: str) -> None:
    collector = Collector()
    config = AIConfig(review_mode=True, server_url=serve(collector.app))
    ai = AmplitudeAI(api_key="secret-key", config=config)
    with ai.agent("bot").session(session_id, user_id="ann") as session:
        session.track_user_message("Mail bob@example.com")
    ai.flush().result(5)
    ai.shutdown()
    assert collector.bodies == []
    said, ended = ai.get_review_traffic()
    assert told([said]) == [
        {
            "type": "User Message",
            "user_id": "ann",
            "Session ID": session_id,
            "Trace ID": "id-2",
            "Turn ID": 1,
            "Agent ID": "bot",
            "Component Type": "user_input",
            "Message ID": "id-1",
            "Message Source": "user",
            "$llm_message": {"text": "Mail [email]"},
        }
    ]
    assert types([said, ended]) == ["User Message", "Session End"]
    assert "secret-key" not in repr(ai.get_review_traffic())


def test_a_review_needs_no_key_and_can_be_emptied() -> None:
    ai = AmplitudeAI(config=AIConfig(review_mode=True, content_mode=ContentMode.METADATA_ONLY))
    ai.track_user_message("ann", "secret")
    (event,) = ai.get_review_traffic()
    assert "secret" not in repr(event)
    event["event_properties"].clear()
    assert ai.get_review_traffic()[0]["event_properties"], "what was handed out is a copy"
    ai.clear_review_traffic()
    assert ai.get_review_traffic() == []
    ai.track_span("ann", "x")
    assert types(ai.get_review_traffic()) == ["Span"]


def test_a_review_sees_what_before_send_leaves() -> None:
    def hook(event: dict[str, Any]) -> dict[str, Any] | None:
        return None if event["event_type"] == "[Agent] Span" else {**event, "user_id": "changed"}

    ai = AmplitudeAI(config=AIConfig(review_mode=True, before_send=hook))
    ai.track_span("ann", "x")
    ai.track_user_message("ann", "x")
    assert [event["user_id"] for event in ai.get_review_traffic()] == ["changed"]


def test_the_newest_ten_thousand_are_kept() -> None:
    ai = AmplitudeAI(config=AIConfig(review_mode=True))
    for number in range(10_002):
        ai.track_span("ann", f"{number}")
    events = ai.get_review_traffic()
    names = [event["event_properties"]["[Agent] Span Name"] for event in (events[0], events[-1])]
    assert (len(events), names) == (10_000, ["2", "10001"])


@pytest.mark.parametrize("name", ["AMPLITUDE_AI_REVIEW", "AMPLITUDE_AI_REVIEW_MODE"])
@pytest.mark.parametrize(("value", "is_reviewed"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_environment_asks_for_a_review(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, is_reviewed: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert AIConfig().review_mode is is_reviewed
    assert AIConfig(review_mode=False).review_mode is False


def test_a_review_keeps_events_from_any_sink() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(review_mode=True))
    ai.track_span("ann", "x")
    assert sink.events == []
    assert types(ai.get_review_traffic()) == ["Span"]


def test_without_a_review_nothing_is_kept(ai: AmplitudeAI) -> None:
    ai.track_span("ann", "x")
    assert ai.get_review_traffic() == []


def test_a_review_under_debug_prints_too(capsys: pytest.CaptureFixture[str]) -> None:
    ai = AmplitudeAI(config=AIConfig(review_mode=True, debug=True))
    ai.track_span("ann", "x")
    assert capsys.readouterr().err == "[amplitude-ai] [Agent] Span | user=ann | span=x | latency=0ms\n"
    assert len(ai.get_review_traffic()) == 1


LINES: dict[str, tuple[Any, str]] = {
    "answer": (
        lambda ai: ai.track_ai_message("u1", "x", "a3f8c2d1-0000-4000-8000-000000000000", "gpt-4o", "openai", 1203.4,
                                       input_tokens=1000, output_tokens=247, total_cost_usd=0.0089),
        "[Agent] AI Response | user=u1 | session=a3f8c2d1... | model=gpt-4o | tokens=1,247 | cost=$0.0089 | latency=1,203ms",
    ),
    "short session": (
        lambda ai: ai.track_user_message("u1", "secret", "conv-1", agent_id="bot"),
        "[Agent] User Message | user=u1 | session=conv-1 | agent=bot",
    ),
    "failed tool": (
        lambda ai: ai.track_tool_call("u1", "search", 12, False, error_type="Timeout"),
        "[Agent] Tool Call | user=u1 | tool=search | latency=12ms | error=Timeout",
    ),
    "score": (
        lambda ai: ai.score("u1", "helpful", 0.5, "a message that nobody tracked"),
        "[Agent] Score | user=u1 | score=helpful | value=0.5",
    ),
    "nobody": (lambda ai: ai.track_embedding(None, "e", "p", 2.6), "[Agent] Embedding | model=e | latency=3ms"),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_the_line_of_an_event(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    call, expected = LINES[line]
    call(AmplitudeAI(config=AIConfig(dry_run=True)))
    assert capsys.readouterr().err == f"[amplitude-ai] {expected}\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "is_coloured"), [(None, True), ("NO_COLOR", False)])
def test_the_line_is_coloured_for_people(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, is_coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable:
        monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(sys, "stderr", Terminal())
    AmplitudeAI(config=AIConfig(dry_run=True)).track_span("ann", "x")
    assert ("\033[36m[amplitude-ai] [Agent] Span\033[0m | " in sys.stderr.getvalue()) is is_coloured  # type: ignore[attr-defined]


def test_a_summary_takes_any_event_before_send_may_make() -> None:
    properties = {
        "[Agent] Session ID": 5,
        "[Agent] Cost USD": "free",
        "[Agent] Latency Ms": None,
        "[Agent] Total Tokens": [],
    }
    line = summary({"event_type": "[Agent] Span", "device_id": "d", "event_properties": properties})
    assert line == "[amplitude-ai] [Agent] Span | session=5 | tokens=[] | cost=free"


JSON_TEXT = '{"task": "summarise", "rows": [1, 2]}'


@pytest.mark.parametrize("content", [JSON_TEXT, f"  {JSON_TEXT}\n", "[1, 2]"])
@pytest.mark.parametrize("setting", ["debug", "validate"])
def test_a_json_document_for_a_title_is_said_once(
    caplog: pytest.LogCaptureFixture, setting: str, content: str
) -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(**{setting: True}))
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        for _ in range(3):
            ai.track_user_message("ann", content)
    assert ["JSON document" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize(
    ("settings", "method", "content"),
    [
        ({}, "track_user_message", JSON_TEXT),
        ({"debug": True}, "track_ai_message", JSON_TEXT),
        ({"validate": True}, "track_user_message", "{not json}"),
        ({"validate": True}, "track_user_message", "[citation needed]"),
        ({"validate": True}, "track_user_message", '"just a text"'),
        ({"validate": True}, "track_user_message", "42"),
        ({"validate": True}, "track_user_message", [{"type": "text", "text": "hi"}]),
        ({"validate": True}, "track_user_message", "[" * 100_000),
    ],
)
def test_what_is_no_title_of_json_is_not_said(
    caplog: pytest.LogCaptureFixture, settings: dict[str, Any], method: str, content: Any
) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(**settings))
    with caplog.at_level(logging.WARNING, logger="amplitude_ai_integrations"):
        getattr(ai, method)("ann", content)
    assert caplog.records == []
    assert len(sink.events) == 1


def test_what_an_observer_finds_is_not_said(caplog: pytest.LogCaptureFixture, vendor: OpenAIServer) -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(debug=True))
    caplog.set_level(logging.WARNING, logger="amplitude_ai_integrations")
    with OpenAI(amplitude=ai, api_key="k", base_url=vendor.url) as client:
        question: list[Any] = [{"role": "user", "content": JSON_TEXT}]
        client.chat.completions.create(model="gpt-4o", messages=question, amplitude_user_id="ann")
    assert caplog.records == []
