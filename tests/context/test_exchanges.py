"""What a session's end says of an unanswered user, and what tells a question asked again."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import openai
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amplitude_ai_integrations import AmplitudeAI, MemorySink, OpenAI, Session
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import Serve
from tests.events import one
from tests.fakes.openai_server import OpenAIServer

MODEL = "gpt-4o-mini"
TOOL_CALLS = [{"id": "call_1", "type": "function", "function": {"name": "t", "arguments": "{}"}}]


def _asks(session: Session) -> None:
    session.track_user_message("?")


def _answers(session: Session) -> None:
    session.track_ai_message("!", "m", "p", 1.0)


def _fails(session: Session) -> None:
    session.track_ai_message("", "m", "p", 1.0, is_error=True, error_type="Timeout")


def _wants_a_tool(session: Session) -> None:
    session.track_ai_message("", "m", "p", 1.0, tool_calls=TOOL_CALLS)


def _runs_it(session: Session) -> None:
    session.track_tool_call("t", 1.0, True)


def _delegates(session: Session) -> None:
    session.track_user_message("?", message_source="agent")


def _embeds(session: Session) -> None:
    session.track_embedding("e", "p", 1.0)


def _is_told_numbers_only(session: Session) -> None:
    session.track_ai_message(model="m", provider="p", latency_ms=1.0)


ENDINGS: dict[str, tuple[list[Any], int | None]] = {
    "nothing said": ([], None),
    "answered": ([_asks, _answers], None),
    "answered each time": ([_asks, _answers] * 3, None),
    "no answer at all": ([_asks], 0),
    "no answer to any": ([_asks] * 3, 0),
    "the first answered": ([_asks, _answers, _asks], 1),
    "two answered": ([_asks, _answers, _asks, _answers, _asks], 2),
    "asked twice, answered once": ([_asks, _asks, _answers], None),
    "asked twice before leaving": ([_asks, _answers, _asks, _asks], 1),
    "several answers": ([_asks, _answers, _answers, _answers, _asks], 1),
    "a failed answer": ([_asks, _answers, _asks, _fails], 1),
    "failed, then answered": ([_asks, _fails, _answers], None),
    "a tool and no answer": ([_asks, _answers, _asks, _wants_a_tool, _runs_it], 1),
    "a tool and an answer": ([_asks, _wants_a_tool, _runs_it, _answers], None),
    "a delegated message": ([_asks, _answers, _delegates], None),
    "only delegated": ([_delegates], None),
    "steps are no answers": ([_asks, _embeds, _runs_it], 0),
    "answers without words": ([_asks, _is_told_numbers_only], None),
    "an answer to nothing": ([_answers], None),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_where_a_user_left(ai: AmplitudeAI, sink: MemorySink, ending: str) -> None:
    steps, expected = ENDINGS[ending]
    with ai.agent("bot").session(user_id="ann") as session:
        for step in steps:
            step(session)
    assert one(sink, "Session End").get("[Agent] Abandonment Turn") == expected


@pytest.mark.parametrize("explicit", [0, 3])
def test_what_is_said_of_it_wins(ai: AmplitudeAI, sink: MemorySink, explicit: int) -> None:
    session = ai.agent("bot").session(user_id="ann")
    _asks(session)
    session.track_session_end(abandonment_turn=explicit)
    assert one(sink, "Session End")["[Agent] Abandonment Turn"] == explicit


def test_the_requests_of_a_conversation_count_together(ai: AmplitudeAI, sink: MemorySink) -> None:
    session_id = ai.agent("bot").session().session_id
    for steps in ([_asks, _answers], [_asks, _answers], [_asks]):
        for step in steps:
            step(ai.agent("bot").session(session_id, user_id="ann"))
    ai.track_session_end("ann", session_id)
    assert one(sink, "Session End")["[Agent] Abandonment Turn"] == 2


def test_an_agent_at_work_in_the_session_answers_for_it(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("router").session(user_id="ann") as session:
        _asks(session)
        with session.run_as(ai.agent("specialist")) as inside:
            _answers(inside)
    assert "[Agent] Abandonment Turn" not in one(sink, "Session End")


def test_parallel_requests_count_every_exchange(ai: AmplitudeAI, sink: MemorySink) -> None:
    session = ai.agent("bot").session(user_id="ann")
    _asks(session)
    _answers(session)
    threads = [threading.Thread(target=lambda: [_asks(session) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    session.track_session_end()
    _answers(session)
    _asks(session)
    session.track_session_end()
    ends = [event["event_properties"] for event in sink if event["event_type"] == "[Agent] Session End"]
    assert [end["[Agent] Abandonment Turn"] for end in ends] == [1, 201]


@pytest.fixture
def model(ai: AmplitudeAI) -> Any:
    server = OpenAIServer()
    with OpenAI(amplitude=ai, api_key="k", base_url=server.url, max_retries=0) as client:
        yield client
    server.release()
    server.stop()


def _say(words: str, *before: str, **more: Any) -> dict[str, Any]:
    """Return a chat request: what was said before, the user first, and the words said now."""
    roles = ("user", "assistant")
    history = [{"role": roles[place % 2], "content": text} for place, text in enumerate(before)]
    return {"model": MODEL, "messages": [*history, {"role": "user", "content": words}], **more}


def test_an_observed_answer_counts_and_a_failed_one_does_not(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot").session(user_id="ann"):
        model.chat.completions.create(**_say("Hi"))
        with pytest.raises(openai.InternalServerError):
            model.chat.completions.create(**_say("error500", "Hi", "Hello"))
    assert one(sink, "Session End")["[Agent] Abandonment Turn"] == 1


def test_while_an_answer_is_streamed_nobody_has_left(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot").session(user_id="ann"):
        stream = model.chat.completions.create(**_say("Hi", stream=True))
    for _chunk in stream:
        pass
    kinds = [event["event_type"] for event in sink]
    assert kinds == ["[Agent] User Message", "[Agent] Session End", "[Agent] AI Response"]
    assert "[Agent] Abandonment Turn" not in one(sink, "Session End")


def _regenerations(sink: MemorySink) -> list[Any]:
    said = [event["event_properties"] for event in sink if event["event_type"] == "[Agent] User Message"]
    return [message.get("[Agent] Is Regeneration") for message in said]


def test_the_same_question_in_a_later_trace_is_asked_again(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        for _ in range(3):
            model.chat.completions.create(**_say("Which?", "Hi", "Hello"))
            session.new_trace()
        model.chat.completions.create(**_say("Which one?", "Hi", "Hello"))
    assert _regenerations(sink) == [None, True, True, None]


def test_a_call_tried_again_is_not_asked_again(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        with pytest.raises(openai.InternalServerError):
            model.chat.completions.create(**_say("error500x1"))
        model.chat.completions.create(**_say("error500x1"))
        session.new_trace()
        model.chat.completions.create(**_say("error500x1"))
    assert _regenerations(sink) == [None, True]


def test_yes_and_yes_again_are_two_answers(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    said = ["Book it?", "Sure?"]
    with ai.agent("bot").session(user_id="ann") as session:
        for _ in range(3):
            model.chat.completions.create(**_say("yes", *said))
            session.new_trace()
            said += ["yes", "Really sure?"]
    assert _regenerations(sink) == [None, None, None]


def test_the_responses_api_asks_again_too(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        for previous in ("resp_1", "resp_1", "resp_2"):
            model.responses.create(model=MODEL, input="Which?", previous_response_id=previous)
            session.new_trace()
        for _ in range(2):
            model.responses.create(model=MODEL, input=[{"role": "user", "content": "From the start?"}])
            session.new_trace()
    assert _regenerations(sink) == [None, True, None, None, True]


@pytest.mark.parametrize("explicit", [False, True])
def test_the_keyword_wins(model: OpenAI, ai: AmplitudeAI, sink: MemorySink, explicit: bool) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        for _ in range(2):
            model.chat.completions.create(**_say("Which?"), amplitude_is_regeneration=explicit)
            session.new_trace()
    assert _regenerations(sink) == [explicit, explicit]


def test_another_session_has_not_asked_yet(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    for _ in range(2):
        with ai.agent("bot").session(user_id="ann"):
            model.chat.completions.create(**_say("Which?"))
    assert _regenerations(sink) == [None, None]


def test_requests_of_one_conversation_remember(model: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    session_id = ai.agent("bot").session().session_id
    for _ in range(2):
        with ai.agent("bot").session(session_id, user_id="ann", track_session_end=False):
            model.chat.completions.create(**_say("Which?"))
    assert _regenerations(sink) == [None, True]


def test_an_agent_that_repeats_itself_asks_nobody_again(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    agent = ai.agent("boss")
    with agent.session(user_id="ann") as session:
        for _ in range(2):
            with session.run_as(agent.child("helper")):
                model.chat.completions.create(**_say("Summarise the page"))
            session.new_trace()
    assert _regenerations(sink) == [None, None]


def test_by_hand_nothing_is_guessed(ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        session.track_user_message("Which?")
        session.track_user_message("Which?")
        session.track_user_message("Which?", is_regeneration=True)
    assert _regenerations(sink) == [None, None, True]


def test_a_request_that_learns_late_whose_it_is_remembers_too(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink, serve: Serve
) -> None:
    session_id = ai.agent("bot").session().session_id

    async def thread_of(_request: Any) -> str:
        return session_id

    def handle(_request: Request) -> PlainTextResponse:
        model.chat.completions.create(**_say("Which?"))
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", handle)])
    url = serve(
        AmplitudeAIMiddleware(app, amplitude_ai=ai, user_id_resolver=None, session_id_resolver=thread_of)
    )
    for _ in range(2):
        assert httpx.get(url).text == "ok"
    deadline = time.monotonic() + 5
    while len(_regenerations(sink)) < 2 and time.monotonic() < deadline:  # resolvers hold up no response
        time.sleep(0.005)
    assert _regenerations(sink) == [None, True]


def test_only_the_questions_asked_last_are_remembered(
    model: OpenAI, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot").session(user_id="ann") as session:
        for number in [*range(65), 1, 0]:
            model.chat.completions.create(**_say(f"Question {number}?"))
            session.new_trace()
    assert _regenerations(sink) == [None] * 65 + [True, None]
