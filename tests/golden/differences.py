"""Where our events differ from the recorded ones on purpose, and why."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .comparing import ABSENT, KINDS


class Difference(NamedTuple):
    """What stands at some places (`AI Response 2`) of some scenarios instead of what was recorded.

    An event that was not recorded is there whole; one that we do not send is `ABSENT`.
    """

    scenarios: tuple[str, ...]
    why: str
    ours: dict[str, Any]


_OPENAI: Final = ("openai_chat_in_session", "openai_responses", "openai_error", "openai_async")
_RESTRICTED: Final = {
    "rubrics": [
        {"name": "task_completion", "score": 0.85, "evidence": [{"turn_index": 2, "role": "assistant"}]}
    ],
    "overall_outcome": "response_provided",
    "quality_score": 0.88,
    "sentiment_score": 0.75,
    "has_task_failure": True,
    "has_negative_feedback": False,
    "has_data_quality_issues": False,
    "has_technical_failure": False,
    "task_failure_type": "t",
    "technical_error_count": 2,
    "agent_chain": ["a", "b"],
    "root_agent_name": "a",
    "request_complexity": "moderate",
    "schema_version": "2.0",
}
_TRACE: Final = {"Trace ID": "<Trace ID of User Message 1>"}

# Told of all events at once: values compare as what their JSON says, and this has a test of its own.
COMPACT: Final = "JSON inside a property has no blanks: they say nothing and are paid for with each event."

DIFFERENCES: Final = (
    Difference(
        ("user_message_rich",),
        "Device and browser session make the link to the replay inside a session and outside.",
        {"User Message 1": {"[Amplitude] Session Replay ID": "device-1234/1700000000000"}},
    ),
    Difference(
        ("user_message_labels_lowlevel", "conversation_lowlevel"),
        "Who spoke is known whichever method was called.",
        {"User Message 1": {"Message Source": "user"}},
    ),
    Difference(
        ("user_message_labels_lowlevel",),
        "A label is looked up by its key without a walk through the list.",
        {"User Message 1": {"Message Label Map": {"intent": "how_to", "flow": "onboarding"}}},
    ),
    Difference(
        ("ai_message_rich",),
        "An answer from the caller's own cache was not paid for.",
        {"AI Response 1": {"Cost USD": 0.0}},
    ),
    Difference(
        ("embedding", "agent_session_full"),
        "An embedding can fail, so each one says whether it did.",
        {"Embedding 1": {"Is Error": False}},
    ),
    Difference(
        ("span_replay_id",),
        "A span is no message, and has no message's id.",
        {"Span 1": {"Message ID": ABSENT}},
    ),
    Difference(
        ("span_replay_id",),
        "An id of the caller's is unique in its session and among its kind only, so more is in the insert id.",
        {"Span 1": {"insert_id": KINDS["<uuid>"]}},
    ),
    Difference(
        ("metadata_only_all",),
        "A cost is sent at full precision: what is rounded to a millionth is 0 for small calls.",
        {"AI Response 1": {"Cost USD": 1.25e-05}},
    ),
    Difference(
        ("agent_session_full",),
        "A cost is sent at full precision: what is rounded to a millionth is 0 for small calls.",
        {"AI Response 1": {"Cost USD": 6.25e-05}, "Embedding 1": {"Cost USD": 1e-07}},
    ),
    Difference(
        ("openai_responses",),
        "A cost is sent at full precision: what is rounded to a millionth is 0 for small calls.",
        {"AI Response 1": {"Cost USD": 5.75e-05}},
    ),
    Difference(
        ("metadata_only_all",),
        "Nothing that may hold words leaves in this mode: names, numbers, flags and ids do.",
        {
            "Session End 1": {"Enrichments": _RESTRICTED},
            "Session Enrichment 1": {"Enrichments": _RESTRICTED},
        },
    ),
    Difference(
        ("metadata_only_all",),
        "The user's last message got no answer but an error, and the session's end says so by itself.",
        {"Session End 1": {"Abandonment Turn": 0}},
    ),
    Difference(
        (*_OPENAI, "anthropic_messages", "middleware_request", "propagate_headers"),
        "A flag that is known is sent, so that a chart can tell whole answers from unknown ones.",
        {"AI Response 1": {"Is Streaming": False}},
    ),
    Difference(
        ("anthropic_messages",),
        "Arguments of a tool call are JSON, the vendor's id of the answer is kept, and costs are not rounded.",
        {
            "AI Response 1": {
                "Cost USD": 0.0002475,
                "Provider Request ID": "msg_1",
                "Tool Calls": [
                    {
                        "type": "function",
                        "id": "toolu_1",
                        "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                    }
                ],
            }
        },
    ),
    Difference(
        ("openai_responses",),
        "What the user says in a call of the Responses API is a message too, and begins a trace.",
        {
            "User Message 1": {
                "event_type": "[Agent] User Message",
                "insert_id": KINDS["<uuid>"],
                "library": KINDS["<library>"],
                "time": KINDS["<now>"],
                "user_id": "user-1234",
                "$llm_message": {"text": "hello"},
                "Agent ID": "bot",
                "Component Type": "user_input",
                "Content Mode": "full",
                "Message ID": "<Message ID of User Message 1>",
                "Message Source": "user",
                "Runtime": "python",
                "SDK Version": KINDS["<version>"],
                "Session ID": "s-resp",
                "Turn ID": 1,
                **_TRACE,
            },
            "AI Response 1": {"Turn ID": 2, **_TRACE},
            "Session End 1": _TRACE,
        },
    ),
    Difference(
        ("openai_error",),
        "A call outside any session is no session of its own, and has no turn in one.",
        {
            "User Message 1": {"Session ID": ABSENT, "Turn ID": ABSENT},
            "AI Response 1": {"Session ID": ABSENT, "Turn ID": ABSENT},
        },
    ),
    Difference(
        ("openai_error",),
        "The kind of an error, and who failed, can be counted in every content mode.",
        {"AI Response 1": {"Error Type": "BadRequestError", "Error Source": "provider"}},
    ),
    Difference(
        ("tool_observe_nested",),
        "The kind of an error, and who failed, can be counted in every content mode.",
        {"Tool Call 2": {"Error Type": "ValueError", "Error Source": "tool"}},
    ),
    Difference(
        ("tool_observe_nested",),
        "A turn orders the events of a session, so no two tool calls share one.",
        {"Tool Call 2": {"Turn ID": 2}},
    ),
    Difference(
        ("openai_async",),
        "The same words with the same history, asked again before an exchange is over, are one message.",
        {"User Message 2": ABSENT, "AI Response 2": {"Turn ID": 3}},
    ),
    Difference(
        ("middleware_request",),
        "The trace of another service is taken only where AIConfig(propagate_context=True) trusts it.",
        {"User Message 1": _TRACE, "AI Response 1": _TRACE},
    ),
    Difference(
        ("middleware_request",),
        "A conversation that the application named outlives the request.",
        {"Session End 1": ABSENT},
    ),
    Difference(
        ("conversation_lowlevel",),
        "Turns count what is sent, from 1; the system's message is not.",
        {"User Message 1": {"Turn ID": 1}, "AI Response 1": {"Turn ID": 2}, "Tool Call 1": {"Turn ID": 3}},
    ),
    Difference(
        ("run_cost",),
        "What the caller did not say of the cache is left open.",
        {"AI Response 2": {"Cache Read Tokens": ABSENT, "Cache Creation Tokens": ABSENT}},
    ),
)

# Scenarios without a call: the name that is to come, and what it is.
NOT_YET: Final[dict[str, tuple[str, str]]] = {}
