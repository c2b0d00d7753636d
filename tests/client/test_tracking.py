"""Each method gives one whole event, on the client, on agents and in sessions alike."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    ConfigurationError,
    ContentMode,
    EvidenceQuote,
    MemorySink,
    MessageLabel,
    RubricScore,
    SessionEnrichments,
    TopicClassification,
    ValidationError,
    __version__,
)
from tests.events import one, told, types


def test_user_message_with_everything(ai: AmplitudeAI, sink: MemorySink) -> None:
    given = ai.track_user_message(
        "user-1",
        "How do I set up a funnel? mail bob@example.com",
        "sess-1",
        trace_id="trace-1",
        turn_id=7,
        message_id="msg-1",
        agent_id="support",
        parent_agent_id="orchestrator",
        customer_org_id="acme",
        agent_version="v4.2",
        description="Handles support",
        context={"variant": "b", "nested": {"k": ["v"]}},
        env="production",
        locale="en-US",
        is_regeneration=True,
        is_edit=True,
        edited_message_id="msg-0",
        idle_timeout_minutes=240,
        attachments=[
            {"type": "pdf", "name": "b.pdf", "size_bytes": "unknown"},
            {"type": "image", "name": "a.png", "size_bytes": 1200},
        ],
        labels=[MessageLabel("intent", "how_to", 0.94)],
        event_properties={"plan": "pro"},
        groups={"company": "acme"},
        device_id="device-1",
        browser_session_id="1700000000000",
    )
    assert given == "msg-1"
    (event,) = sink.events
    assert set(event) == {
        "event_type", "insert_id", "time", "user_id", "device_id", "session_id", "groups", "event_properties",
    }  # fmt: skip
    assert event["event_properties"]["[Agent] SDK Version"] == __version__
    assert event["event_properties"]["[Agent] Runtime"] == "python"
    assert event["event_properties"]["[Agent] Content Mode"] == "full"
    assert told([event]) == [
        {
            "type": "User Message",
            "user_id": "user-1",
            "device_id": "device-1",
            "session_id": 1700000000000,
            "groups": {"company": "acme"},
            "plan": "pro",
            "Session ID": "sess-1",
            "Trace ID": "trace-1",
            "Turn ID": 7,
            "Agent ID": "support",
            "Parent Agent ID": "orchestrator",
            "Customer Org ID": "acme",
            "Agent Version": "v4.2",
            "Agent Description": "Handles support",
            "Context": '{"variant":"b","nested":{"k":["v"]}}',
            "Env": "production",
            "Locale": "en-US",
            "[Amplitude] Session Replay ID": "device-1/1700000000000",
            "Has Attachments": True,
            "Attachment Types": ["image", "pdf"],
            "Attachment Count": 2,
            "Total Attachment Size Bytes": 1200,
            "Attachments": '[{"type":"pdf","name":"b.pdf","size_bytes":"unknown"},'
            '{"type":"image","name":"a.png","size_bytes":1200}]',
            "Message Labels": '[{"key":"intent","value":"how_to","confidence":0.94}]',
            "Message Label Map": '{"intent":"how_to"}',
            "$llm_message": {"text": "How do I set up a funnel? mail [email]"},
            "Message ID": "msg-1",
            "Component Type": "user_input",
            "Is Regeneration": True,
            "Is Edit": True,
            "Edited Message ID": "msg-0",
            "Message Source": "agent",
            "Session Idle Timeout Minutes": 240,
        }
    ]


def test_ai_message_with_everything(ai: AmplitudeAI, sink: MemorySink) -> None:
    tools = [{"type": "function", "function": {"name": "b", "parameters": {"x": 1}}}, {"name": "a"}]
    given = ai.track_ai_message(
        "user-1",
        "To create a funnel...",
        "sess-2",
        "claude-sonnet-4-20250514",
        "anthropic",
        800.5,
        input_tokens=5000,
        output_tokens=200,
        cache_read_tokens=4500,
        cache_creation_tokens=500,
        reasoning_tokens=20,
        reasoning_content="Let me think.",
        system_prompt="Be kind.",
        tool_definitions=tools,
        tool_calls=[{"type": "function", "id": "call_1", "function": {"name": "b", "arguments": '{"x":1}'}}],
        finish_reason="end_turn",
        temperature=0.7,
        top_p=0.9,
        max_output_tokens=100,
        is_streaming=True,
        ttfb_ms=85.0,
        prompt_id="p-7",
        was_copied=True,
        provider_request_id="req_1",
    )
    event = one(sink, "AI Response")
    assert event["[Agent] Message ID"] == given
    assert told(sink) == [
        {
            "type": "AI Response",
            "user_id": "user-1",
            "Session ID": "sess-2",
            "Turn ID": 1,
            "$llm_message": {"text": "To create a funnel..."},
            "Message ID": "id-1",
            "Component Type": "llm",
            "Model Name": "claude-sonnet-4-20250514",
            "Provider": "anthropic",
            "Latency Ms": 800.5,
            "TTFB Ms": 85.0,
            "Is Error": False,
            "Input Tokens": 5000,
            "Output Tokens": 200,
            "Total Tokens": 5200,
            "Reasoning Tokens": 20,
            "Cache Read Tokens": 4500,
            "Cache Creation Tokens": 500,
            "Cost USD": 0.006225,
            "Finish Reason": "end_turn",
            "Tool Calls": '[{"type":"function","id":"call_1","function":{"name":"b","arguments":"{\\"x\\":1}"}}]',
            "Has Reasoning": True,
            "Reasoning Content": "Let me think.",
            "System Prompt": "Be kind.",
            "System Prompt Length": 8,
            "Tool Definitions": '[{"name":"b","parameters":{"x":1}},{"name":"a"}]',
            "Tool Definitions Count": 2,
            "Tool Definitions Hash": event["[Agent] Tool Definitions Hash"],
            "Temperature": 0.7,
            "Max Output Tokens": 100,
            "Top P": 0.9,
            "Is Streaming": True,
            "Prompt ID": "p-7",
            "Was Copied": True,
            "Model Tier": "standard",
            "Provider Request ID": "req_1",
        }
    ]


def test_tool_definitions_hash_knows_no_order(ai: AmplitudeAI, sink: MemorySink) -> None:
    for tools in ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], [{"name": "a"}]):
        ai.track_ai_message("user-1", "x", "s", "m", "p", tool_definitions=tools)
    hashes = [event["event_properties"]["[Agent] Tool Definitions Hash"] for event in sink]
    assert hashes[0] == hashes[1] != hashes[2]
    assert [len(value) for value in hashes] == [16, 16, 16]


def test_the_other_six(ai: AmplitudeAI, sink: MemorySink) -> None:
    who: dict[str, Any] = {"session_id": "s-six"}
    ai.track_tool_call("user-1", "search", 85.0, True, input={"q": "x"}, output=[1], invocation_id="i-1",
                       parent_message_id="m-1", **who)  # fmt: skip
    ai.track_tool_call("user-1", "search", 1.0, error_message="no answer", error_type="Timeout",
                       invocation_id="i-2", **who)  # fmt: skip
    ai.track_embedding("user-1", "text-embedding-3-small", "openai", 25.0, input_tokens=45000, dimensions=3,
                       span_id="e-1", **who)  # fmt: skip
    ai.track_span("user-1", "rerank", "t-1", 12.5, parent_span_id="e-1", input_state={"k": 1}, output_state="ok",
                  span_id="p-1", **who)  # fmt: skip
    ai.score("user-1", "helpful", 1, "m-1", comment="mail a@b.io", **who)
    ai.track_session_enrichment("user-1", "s-six", SessionEnrichments(quality_score=0.5))
    ai.track_session_end("user-1", "s-six", abandonment_turn=1)
    common = {"user_id": "user-1", "Session ID": "s-six"}
    tool = {**common, "type": "Tool Call", "Component Type": "tool", "Tool Name": "search"}
    flags = '"has_task_failure":false,"has_negative_feedback":false,'
    flags += '"has_data_quality_issues":false,"has_technical_failure":false,'
    assert told(sink) == [
        {**tool, "Turn ID": 1, "Is Error": False, "Invocation ID": "i-1", "Tool Success": True, "Latency Ms": 85.0,
         "Tool Input": '{"q":"x"}', "Tool Output": "[1]", "Parent Message ID": "m-1"},
        {**tool, "Turn ID": 2, "Is Error": True, "Invocation ID": "i-2", "Tool Success": False, "Latency Ms": 1.0,
         "Error Message": "no answer", "Error Type": "Timeout"},
        {**common, "type": "Embedding", "Is Error": False, "Component Type": "embedding", "Span ID": "e-1",
         "Model Name": "text-embedding-3-small", "Provider": "openai", "Latency Ms": 25.0, "Input Tokens": 45000,
         "Embedding Dimensions": 3, "Cost USD": 0.0009},
        {**common, "type": "Span", "Trace ID": "t-1", "Is Error": False, "Span ID": "p-1", "Span Name": "rerank",
         "Latency Ms": 12.5, "Parent Span ID": "e-1", "Input State": '{"k":1}', "Output State": "ok"},
        {**common, "type": "Score", "Score Name": "helpful", "Score Value": 1, "Target ID": "m-1",
         "Target Type": "message", "Evaluation Source": "user", "Comment": "mail [email]"},
        {**common, "type": "Session Enrichment",
         "Enrichments": '{"quality_score":0.5,' + flags + '"schema_version":"2.0"}'},
        {**common, "type": "Session End", "Abandonment Turn": 1},
    ]  # fmt: skip


def test_agents_and_sessions_say_what_the_client_says(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("bot", user_id="user-1", env="dev", context={"a": 1}, session_id="s-1", trace_id="t-1")
    for door in (agent, agent.session("s-2", user_id="user-1")):
        door.track_user_message("hi", trace_id="t-1", turn_id=1, message_id="m-1")
    first, second = told(sink)
    assert first == {**second, "Session ID": "s-1"}
    assert first["Agent ID"] == "bot"
    assert first["Env"] == "dev"
    assert first["Context"] == '{"a":1}'


def test_explicit_arguments_win_over_bound_ones(ai: AmplitudeAI, sink: MemorySink) -> None:
    agent = ai.agent("bot", user_id="user-1", session_id="s-1")
    agent.track_ai_message("x", "m", "p", agent_id="other", user_id="user-2", session_id="s-9")
    event = told(sink)[0]
    assert (event["Agent ID"], event["user_id"], event["Session ID"]) == ("other", "user-2", "s-9")


def test_returned_ids_link_events(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="user-1") as session:
        asked = session.track_user_message("hi")
        session.track_tool_call("t", 1.0, True, parent_message_id=asked)
        answered = session.track_ai_message("hello", "m", "p", 1.0)
        session.score("good", 1, answered)
        outer = session.track_span("rag", 2.0)
        session.track_span("search", 1.0, parent_span_id=outer)
    events = {event["type"]: event for event in told(sink)}
    spans = [event for event in told(sink) if event["type"] == "Span"]
    assert events["Tool Call"]["Parent Message ID"] == events["User Message"]["Message ID"]
    assert events["Score"]["Target ID"] == events["AI Response"]["Message ID"]
    assert spans[1]["Parent Span ID"] == spans[0]["Span ID"]
    assert types(sink)[-1] == "Session End"


def test_arguments_are_taken_as_they_were(ai: AmplitudeAI, sink: MemorySink) -> None:
    state = {"items": [1]}
    ai.track_span("user-1", "x", input_state=state)
    state["items"].append(2)
    assert one(sink, "Span")["[Agent] Input State"] == '{"items":[1]}'


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ai: ai.track_user_message("", "hi"), "user_id is empty"),
        (lambda ai: ai.track_ai_message("u", "x", "s", "m", "p", -1), "latency_ms is -1"),
        (lambda ai: ai.track_ai_message("u", "x", "s", "m", "p", "fast"), "latency_ms is 'fast'"),
        (lambda ai: ai.score("u", "good", "high", "m-1"), "value is 'high'"),
        (lambda ai: ai.score("u", "good", float("nan"), "m-1"), "value is nan"),
        (lambda ai: ai.track_user_message("u", "hi", colour="red"), "takes no 'colour'"),
        (lambda ai: ai.track_tool_call("u", 7), "tool_name is 7"),
        (lambda ai: ai.track_ai_message("u", "x", "s", "m", "p", is_error="no"), "is_error is 'no'"),
    ],
)
def test_validate_raises_on_bad_arguments(call: Any, words: str) -> None:
    strict = AmplitudeAI(config=AIConfig(validate=True), sink=MemorySink())
    with pytest.raises(ValidationError, match=words):
        call(strict)


def test_without_validate_bad_arguments_lose_nothing_else(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("user-1", "x", "s", "m", "p", "fast", input_tokens="many", output_tokens=3)  # type: ignore[arg-type]
    event = one(sink, "AI Response")
    assert event["[Agent] Latency Ms"] == 0
    assert "[Agent] Input Tokens" not in event
    assert event["[Agent] Output Tokens"] == 3


def test_cost_is_absent_where_the_price_is_unknown(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("user-1", "x", "s", "acme-7b", "acme", input_tokens=5, output_tokens=5)
    assert "[Agent] Cost USD" not in one(sink, "AI Response")


def test_an_answer_from_a_cache_costs_nothing(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("user-1", "x", "s", "gpt-4o", "openai", input_tokens=5, was_cached=True)
    assert one(sink, "AI Response")["[Agent] Cost USD"] == 0


def test_usage_as_one_mapping(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("user-1", "x", "s", "gpt-4o", "openai", usage={"input_tokens": 5, "output_tokens": 2})
    assert one(sink, "AI Response")["[Agent] Total Tokens"] == 7


def test_disabled_emits_nothing_and_still_returns_ids() -> None:
    sink = MemorySink()
    off = AmplitudeAI(config=AIConfig(enabled=False), sink=sink)
    with off.agent("bot").session(user_id="user-1") as session:
        assert session.track_user_message("hi")
    assert sink.events == []


def test_tracking_disabled_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_TRACKING_DISABLED", "true")
    assert AmplitudeAI().status()["enabled"] is False


def test_nowhere_to_send_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="AMPLITUDE_AI_API_KEY"):
        AmplitudeAI()


def test_session_enrichments_travel_with_the_end(ai: AmplitudeAI, sink: MemorySink) -> None:
    found = SessionEnrichments(
        topic_classifications={"intent": TopicClassification(l1="how_to")},
        rubrics=[RubricScore("done", 0.9, evidence=[EvidenceQuote("call 415-555-1234", 1)])],
    )
    with ai.agent("bot").session(user_id="user-1") as session:
        session.set_enrichments(found)
    sent = one(sink, "Session End")["[Agent] Enrichments"]
    assert '"topic_classifications":{"intent":{"l1":"how_to"}}' in sent
    assert '"quote":"call [phone]"' in sent


@pytest.mark.parametrize("mode", list(ContentMode))
def test_every_event_says_its_content_mode(mode: ContentMode) -> None:
    sink = MemorySink()
    AmplitudeAI(config=AIConfig(content_mode=mode), sink=sink).track_span("user-1", "x")
    assert one(sink, "Span")["[Agent] Content Mode"] == mode.value
