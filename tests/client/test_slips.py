"""What people write by mistake gets a sentence, or does no harm."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from queue import Queue
from typing import Any
from weakref import WeakSet

import pytest
from openai.types.chat import ChatCompletionMessage

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    ConfigurationError,
    ContentMode,
    EvidenceQuote,
    MemorySink,
    OpenAI,
    RubricScore,
    SessionEnrichments,
    ValidationError,
    calculate_cost,
    extract_context,
    infer_provider,
    keep_session,
)
from amplitude_ai_integrations.context import unfollow_threads
from tests.events import one, told, types

CANARY = "canary in a sentence"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"amplitude": AIConfig()}, "amplitude= is AIConfig; pass an Amplitude client"),
        ({"amplitude": "key"}, "amplitude= is str"),
        ({"api_key": 5}, "api_key= is int"),
        ({"config": {"debug": True}}, "config= is dict; pass an AIConfig"),
    ],
)
def test_what_stands_in_the_wrong_place_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        AmplitudeAI(**arguments)


@pytest.mark.parametrize(("clients", "words"), [(0, "no AmplitudeAI yet"), (2, "several AmplitudeAI")])
def test_a_client_that_cannot_tell_where_to_report_says_so(
    monkeypatch: pytest.MonkeyPatch, clients: int, words: str
) -> None:
    monkeypatch.setattr("amplitude_ai_integrations.client.default._clients", WeakSet())
    kept = [AmplitudeAI(sink=MemorySink()) for _ in range(clients)]
    with pytest.raises(ConfigurationError, match=rf"^OpenAI\(\) cannot tell .* {words}: pass amplitude=\.$"):
        OpenAI(api_key="k")
    assert len(kept) == clients


@pytest.mark.parametrize("flag", ["redact_pii", "debug", "enabled"])
@pytest.mark.parametrize("value", [None, "false", 1])
def test_a_flag_is_true_or_false(flag: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{flag} is {value!r}; it must be True or False"):
        AIConfig(**{flag: value})


def test_the_variable_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_DEBUG", "maybe")
    with pytest.raises(ConfigurationError, match="AMPLITUDE_AI_DEBUG is 'maybe'; use 'true' or 'false'"):
        AIConfig()


@pytest.mark.parametrize("agent", ["name", None, 5])
def test_only_an_agent_can_be_delegated_to(ai: AmplitudeAI, agent: Any) -> None:
    with (
        ai.agent("bot").session() as session,
        pytest.raises(ConfigurationError, match=r"takes what ai\.agent"),
    ):
        session.run_as(agent)


def test_a_vendors_message_is_a_message(ai: AmplitudeAI, sink: MemorySink) -> None:
    answer = ChatCompletionMessage(role="assistant", content="Hello")
    asked: Any = {"role": "user", "content": "Hi"}
    ids = ai.track_conversation([asked, answer], user_id="u", session_id="of-a-vendor", model="gpt-4o")
    assert len(ids) == 2
    assert [(event["type"], event["$llm_message"]["text"]) for event in told(sink)] == [
        ("User Message", "Hi"),
        ("AI Response", "Hello"),
    ]
    assert told(sink)[1]["Model Name"] == "gpt-4o"


@dataclass
class Noted(SessionEnrichments):
    """An enrichment with a field of the customer's own, which says nothing of what it holds."""

    notes: str | None = None


@pytest.mark.parametrize("mode", [ContentMode.METADATA_ONLY, ContentMode.CUSTOMER_ENRICHED])
@pytest.mark.parametrize(
    "found",
    [
        Noted(notes=CANARY),
        SessionEnrichments(custom_metadata={"x": deque([EvidenceQuote(CANARY, 0)])}),
        SessionEnrichments(rubrics=[RubricScore("q", 0.5, evidence=[CANARY])]),  # type: ignore[list-item]
        SessionEnrichments(rubrics=[RubricScore("q", 0.5, evidence=[EvidenceQuote("x", CANARY)])]),  # type: ignore[arg-type]
        SessionEnrichments(rubrics=[CANARY]),  # type: ignore[list-item]
        SessionEnrichments(rubrics=CANARY),  # type: ignore[arg-type]
        SessionEnrichments(quality_score=CANARY, has_task_failure=CANARY),  # type: ignore[arg-type]
        SessionEnrichments(rubrics=[RubricScore("q", 1.0, evidence=[EvidenceQuote(CANARY, 1)])]).to_dict(),
    ],
)
def test_words_in_the_wrong_field_stay(mode: ContentMode, found: Any) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    ai.track_session_enrichment("u", "s", found)
    ai.track_session_end("u", "s", enrichments=found)
    assert types(sink) == ["Session Enrichment", "Session End"]
    assert CANARY not in str(sink.events)


def test_a_sentence_is_no_name_where_no_word_may_leave() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    found = SessionEnrichments(overall_outcome="Ada was angry", request_complexity="simple")
    ai.track_session_enrichment("u", "s", found)
    left = one(sink, "Session Enrichment")["[Agent] Enrichments"]
    assert "Ada" not in left
    assert '"request_complexity":"simple"' in left


def test_a_coroutine_keeps_its_session_in_another_thread(ai: AmplitudeAI, sink: MemorySink) -> None:
    async def work() -> None:
        ai.track_span(span_name="elsewhere")

    with ai.agent("bot").session("of-a-coroutine", track_session_end=False):
        kept = keep_session(work)
        thread = threading.Thread(target=lambda: asyncio.run(kept()))  # type: ignore[arg-type,func-returns-value]
        thread.start()
        thread.join()
    assert one(sink, "Span")["[Agent] Session ID"] == "of-a-coroutine"


def test_ids_in_bytes_stay_apart(ai: AmplitudeAI, sink: MemorySink) -> None:
    for user_id in (b"ann", b"bob"):
        ai.track_span(user_id, "x")  # type: ignore[arg-type]
    assert [event["user_id"] for event in sink] == ["ann", "bob"]


def test_an_answer_from_a_cache_costs_nothing_also_without_tokens(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.track_ai_message("u", "Hi", model="gpt-4o", provider="openai", was_cached=True)
    assert one(sink, "AI Response")["[Agent] Cost USD"] == 0.0


@pytest.mark.parametrize(("keyword", "value"), [("target_type", "galaxy"), ("source", "martian")])
def test_a_score_is_of_something_and_by_somebody(keyword: str, value: str) -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(validate=True))
    with pytest.raises(ValidationError, match=f"{keyword} is '{value}'; it must be one of"):
        ai.score("u", "n", 1.0, "m", **{keyword: value})  # type: ignore[arg-type]


def test_headers_and_names_of_no_kind_we_know_say_nothing() -> None:
    odd = {"x-amplitude-session-id": ["a"], "x-amplitude-agent-id": 5}
    assert extract_context(odd) == {}
    assert extract_context({"x-amplitude-session-id": "null"}) == {}
    assert infer_provider(None) is None
    assert calculate_cost("gpt-4o", -1, 0) is None


@pytest.mark.parametrize("mode", [ContentMode.METADATA_ONLY, ContentMode.CUSTOMER_ENRICHED])
def test_a_structure_is_no_name(mode: ContentMode) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    ai.track_ai_message("u", "x", finish_reason={"said": CANARY}, attachments=[{"type": {"a": CANARY}}])  # type: ignore[arg-type]
    assert one(sink, "AI Response")["[Agent] Finish Reason"] == "[dict]"
    assert CANARY not in str(sink.events)


def test_numbers_of_yours_are_redacted_where_words_stay_too() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    own = {"card": 4111111111111111, "phone": 4155552671, "bob@example.com": 3, "seats": 5}
    ai.track_user_message("u", "x", event_properties=own)
    left = {name: value for name, value in sink.events[0]["event_properties"].items() if name[0] not in "[$"}
    assert left == {"seats": 5}
    assert sink.events[0]["event_properties"]["[email]"] == 3


@pytest.mark.parametrize("settings", [{"enabled": False}, {"review_mode": True}, {"dry_run": True}])
def test_a_program_that_shares_the_client_goes_on_where_nothing_is_sent(settings: dict[str, Any]) -> None:
    ai = AmplitudeAI(api_key="k", config=AIConfig(**settings))
    ai.amplitude.track({"event_type": "signed up"})
    assert ai.amplitude.flush() == []


@pytest.mark.parametrize("minutes", [10**5_000, float("inf"), float("nan"), -2, True, "30"], ids=range(6))
def test_an_idle_timeout_is_minutes(ai: AmplitudeAI, minutes: Any) -> None:
    with pytest.raises(ConfigurationError):
        ai.agent("bot").session(idle_timeout_minutes=minutes)


def test_a_block_entered_again_without_a_word_ends_nothing_again(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session(user_id="ann")
    with session:
        session.track_user_message("hi")
    with session:
        pass
    assert types(sink) == ["User Message", "Session End"]


def test_a_followed_thread_does_not_outlive_its_session(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(follow_threads=True))
    jobs: Queue[Any] = Queue()

    def work() -> None:
        for job in iter(jobs.get, None):
            ai.track_span(span_name=job, user_id="bob" if job == "later" else None)

    try:
        with ai.agent("bot").session("of-alice", user_id="alice"):
            worker = threading.Thread(target=work)
            worker.start()
            jobs.put("inside")
            while not sink.events:
                pass
        jobs.put("later")
        jobs.put(None)
        worker.join()
    finally:
        unfollow_threads()
    inside, _end, later = told(sink)
    assert (inside["Session ID"], inside["user_id"]) == ("of-alice", "alice")
    assert "Session ID" not in later
    assert later["user_id"] == "bob"


def test_the_parts_of_a_run_are_never_more_than_its_total(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session("of-a-run", user_id="ann")
    threads = [
        threading.Thread(target=session.track_run_cost, args=(1.0, 10, 10), kwargs={"trace_id": "t"})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["Cost USD"] for event in told(sink)] == [1.0]
