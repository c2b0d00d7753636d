"""No error and no call is lost between a session and its conversation."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.testclient import TestClient

from amplitude_ai_integrations.analytics.model import Message, SessionDetail, Step
from amplitude_ai_integrations.analytics.pages.actions import ActionView
from amplitude_ai_integrations.analytics.pages.thread import thread

from .app import make_app
from .sample import Reader, Script, calm, session_row


def session_of(*steps: Step, delegated: tuple[Message, ...] = ()) -> SessionDetail:
    script = Script(0.0, "bot")
    script.turn("Hi", list(steps), 1000, delegated=delegated)
    turn = replace(script.turns[0], errors=1)
    return replace(calm("s"), row=session_row("s", agent="bot"), turns=(turn,))


def rows(detail: SessionDetail) -> tuple[ActionView, ...]:
    return thread(detail)[0].parts[0]


def page_of(detail: SessionDetail) -> str:
    return TestClient(make_app(Reader([detail]))).get("/sessions/s").text


def failed(script: Script, name: str, at: float = 5.0, **values: object) -> Step:
    return script.call(name, at, 5, is_error=True, error_message=f"{name} broke", **values)


def test_an_error_inside_a_call_has_its_row() -> None:
    script = Script(0.0, "bot")
    deep = replace(script.call("rerank", 3.0, 10), children=(failed(script, "embed", kind="retrieval"),))
    search = replace(
        script.call("search", 1.0, 20, kind="retrieval"), children=(deep, failed(script, "plan", kind="step"))
    )
    outer = replace(script.call("ask", 0.0, 30), children=(search,))
    shown = [(row.name, row.error, row.inside) for row in rows(session_of(outer))]
    assert shown == [("ask", "", "3 calls inside"), ("embed", "embed broke", ""), ("plan", "plan broke", "")]


def test_an_error_inside_a_call_can_be_walked_to() -> None:
    script = Script(0.0, "bot")
    outer = replace(script.call("ask", 0.0, 30), children=(failed(script, "embed"),))
    html = page_of(session_of(outer))
    assert re.search(
        r'data-error>.*<details id="a\d+" class="act failed" data-kind=tool><summary>.*embed broke',
        html,
        re.DOTALL,
    )


def test_a_reply_from_inside_a_call_is_still_the_reply() -> None:
    script = Script(0.0, "bot")
    outer = replace(script.call("ask", 0.0, 30), children=(script.model(1.0, 5, text="From inside."),))
    assert thread(session_of(outer))[0].parts[-1].step.text == "From inside."


def test_calls_inside_folded_calls_are_counted() -> None:
    script = Script(0.0, "bot")
    calls = [
        replace(script.call("fetch", 10.0 * n, 10), children=(script.call("get", 10.0 * n, 1),) * 7)
        for n in range(100)
    ]
    [row] = rows(session_of(*calls))
    assert (row.name, len(row.steps), row.inside) == ("fetch", 100, "700 calls inside")
    html = page_of(session_of(*calls))
    assert "<span class=inside>700 calls inside</span>" in html
    assert "and 80 more calls, see the Turns tab" in html


def test_rows_beyond_the_most_are_counted_and_errors_among_them_shown() -> None:
    script = Script(0.0, "bot")
    calls = [script.call(f"look {n}", 10.0 * n, 10) for n in range(300)]
    calls += [
        script.call("fetch", 4000.0, 1),
        script.call("fetch", 4001.0, 1),
        failed(script, "late", 5000.0),
    ]
    shown = rows(session_of(*calls))
    assert [row.name for row in shown[199:]] == ["look 199", "and 102 more steps, see the Turns tab", "late"]
    assert len({row.key for row in shown}) == 202


def agents(script: Script) -> Step:
    """An agent that only hands over to another, as the store wraps them."""
    answer = script.model(5.0, 5, agent="writer", parent_agent="editor", text="Dear all", output_tokens=9)
    writer = Step(
        answer.event_id, "agent-x", "agent", "writer", "writer", "editor", 5.0, 5.0, children=(answer,)
    )
    return Step(
        answer.event_id, "agent-agent-x", "agent", "editor", "editor", "bot", 5.0, 5.0, children=(writer,)
    )


def test_a_sub_agents_answer_is_one_answer() -> None:
    script = Script(0.0, "bot")
    detail = session_of(agents(script), script.model(20.0, 5, text="Here you are."))
    shown = [(row.name, len(row.steps)) for row in rows(detail)]
    assert shown == [("bot \u2192 editor", 1), ("editor \u2192 writer", 1), ("writer answered", 1)]
    ids = re.findall(r'id="(a[\d-]+)"', page_of(detail))
    assert len(set(ids)) == len(ids) == 3


def test_hand_offs_stand_where_they_happened() -> None:
    script = Script(0.0, "bot")
    asked = tuple(Message(900 + n, None, f"Task {n}", at, "agent") for n, at in ((2, 25), (1, 15), (3, 90)))
    calls = (script.call("one", 10.0, 1), script.call("two", 20.0, 1), script.call("three", 30.0, 1))
    shown = [row.preview or row.name for row in rows(session_of(*calls, delegated=asked))]
    assert shown == ["one", "Task 1", "two", "Task 2", "three", "Task 3"]


def test_hand_offs_are_taken_away_too() -> None:
    script = Script(0.0, "bot")
    asked = (Message(900, None, "Read the log", 15, "agent"), Message(901, None, None, 99, "agent"))
    detail = session_of(script.call("one", 10.0, 1), script.call("two", 20.0, 1), delegated=asked)
    text = TestClient(make_app(Reader([detail]))).get("/sessions/s?as=markdown").text
    assert text.split("**User:** Hi\n\n")[1] == (
        "- one  ->\n\n**Hand-off:** Read the log\n\n- two  ->\n\n**Hand-off:** (content not recorded)\n"
    )
