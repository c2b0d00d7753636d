"""Saying more of a block, a step or a trace, without OpenTelemetry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink, observe
from amplitude_ai_integrations.context import get_active_context


def _properties(sink: MemorySink) -> list[dict[str, Any]]:
    return [event["event_properties"] for event in sink]


def test_a_block_adds_to_what_holds_around(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("bot", context={"a": 1}, env="test")
    with agent.session("s-1", user_id="user-1", tags=["x"]) as session:
        with (
            ai.using_attributes(tags=["y"], context={"b": 2}, event_properties={"p": 1, "q": 1}),
            ai.using_attributes(event_properties={"q": 2, "r": 2}),
        ):
            session.track_ai_message("in", "gpt-4o", "openai", event_properties={"r": 3})
        session.track_ai_message("out", "gpt-4o", "openai")
    inside, outside, end = _properties(sink)
    assert (inside["[Agent] Tags"], inside["[Agent] Context"]) == ('["x","y"]', '{"a":1,"b":2}')
    assert {name: inside[name] for name in "pqr"} == {"p": 1, "q": 2, "r": 3}
    assert (outside["[Agent] Tags"], outside["[Agent] Context"]) == ('["x"]', '{"a":1}')
    assert not {"p", "q", "r"} & (outside.keys() | end.keys())
    assert inside["[Agent] Env"] == outside["[Agent] Env"] == "test"


def test_another_agent_works_for_the_one_around(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        with ai.using_attributes(agent_id="helper", trace_id="t-9"):
            ai.track_ai_message(content="in", model="gpt-4o", provider="openai")
        session.track_ai_message("out", "gpt-4o", "openai")
    inside, outside, _end = _properties(sink)
    assert (inside["[Agent] Agent ID"], inside["[Agent] Parent Agent ID"]) == ("helper", "bot")
    assert inside["[Agent] Trace ID"] == "t-9" != outside["[Agent] Trace ID"]
    assert outside["[Agent] Agent ID"] == "bot"


def test_outside_any_session_the_block_is_one(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.using_attributes(session_id="s-1", user_id="user-1", agent_id="bot"):
        ai.track_ai_message(content="in", model="gpt-4o", provider="openai")
    with ai.using_attributes(user_id="user-2"):
        ai.track_ai_message(content="in", model="gpt-4o", provider="openai")
        ai.track_ai_message(content="in", model="gpt-4o", provider="openai")
    first, second, third = sink
    assert (first["user_id"], second["user_id"]) == ("user-1", "user-2")
    assert first["event_properties"]["[Agent] Session ID"] == "s-1"
    made = second["event_properties"]["[Agent] Session ID"]
    assert made == third["event_properties"]["[Agent] Session ID"] != "s-1"
    assert get_active_context() is None


def test_a_session_in_a_block_says_it_too(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.using_attributes(event_properties={"p": 1}), ai.agent("bot").session("s-2") as session:
        session.track_user_message("Hi")
    assert [event["p"] for event in _properties(sink)] == [1, 1]


def test_a_blocks_error_is_the_programs(ai: AmplitudeAI) -> None:
    with pytest.raises(KeyError, match="theirs"), ai.using_attributes(user_id="user-1"):
        raise KeyError("theirs")
    assert get_active_context() is None


def test_an_unknown_attribute_is_said(ai: AmplitudeAI) -> None:
    with pytest.raises(ConfigurationError, match="takes no 'colour'"):
        ai.using_attributes(colour="red")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match=r"update_current_trace\(\) takes no 'agent_id'"):
        ai.update_current_trace(agent_id="x")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match=r"update_current_span\(\) takes no 'user_id'"):
        ai.update_current_span(user_id="x")  # type: ignore[call-arg]


def test_a_trace_says_more_until_it_is_over(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot", context={"a": 1}).session("s-3") as session:
        session.track_user_message("One")
        ai.update_current_trace(tags=["x"], user_id="user-3", event_properties={"p": 1})
        ai.update_current_trace(tags=["y"], context={"b": 2}, event_properties={"q": 2})
        session.track_ai_message("in", "gpt-4o", "openai", event_properties={"p": 3})
        session.track_user_message("Two")
    one, two, three, _end = sink
    said = two["event_properties"]
    assert (said["p"], said["q"], said["[Agent] Tags"]) == (3, 2, '["x","y"]')
    assert said["[Agent] Context"] == '{"a":1}', "what is nearer wins"
    assert "user_id" not in one
    assert two["user_id"] == "user-3"
    assert "q" not in three["event_properties"]


def test_a_step_says_more_while_it_is_under_way(ai: AmplitudeAI, sink: MemorySink) -> None:
    @observe
    def inner(number: int) -> int:
        ai.update_current_span(output_state={"rows": number}, event_properties={"n": number})
        ai.update_current_span(event_properties={"m": 0})
        return number

    @observe
    def outer(number: int) -> int:
        return inner(number)

    def run(number: int) -> None:
        with ai.agent("bot").session(f"s-{number}", user_id="user-1"):
            outer(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(20)))
    steps = [event for event in _properties(sink) if "[Agent] Span Name" in event]
    assert len(steps) == 40
    for step in steps:
        number = int(step["[Agent] Session ID"].removeprefix("s-"))
        if step["[Agent] Span Name"] == "inner":
            assert step["[Agent] Output State"] == f'{{"rows":{number}}}'
            assert (step["n"], step["m"]) == (number, 0)
        else:
            assert step["[Agent] Output State"] == f'{{"value":{number}}}'
            assert "n" not in step


def test_where_nothing_is_under_way_it_is_said_once(
    ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
) -> None:
    from amplitude_ai_integrations.client import span_first

    span_first._warn_nowhere.cache_clear()
    for _ in range(2):
        ai.update_current_span(output_state=1)
    assert [record.getMessage() for record in caplog.records] == [
        "update_current_span() was called where nothing is under way that it could say more of."
    ]
