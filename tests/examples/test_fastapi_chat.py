"""The travel guide through its HTTP interface, its model server through the real client, and its demo."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
import uvicorn
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations.schema.names import wire_name
from amplitude_ai_integrations.version import __version__
from example_apps.fastapi_chat.processes import Child, DemoError, choose_port, signals_held
from example_apps.fastapi_chat.scripted_conversation import count_turns
from example_apps.fastapi_chat.scripted_model import scripted_model
from example_apps.fastapi_chat.scripted_replies import NOT_IN_THE_SCRIPT, PACKING, QUESTIONS, SIGHTS
from example_apps.fastapi_chat.trains import FIND_TRAINS, find_trains, run_find_trains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from starlette.requests import Request

SEE, TRAINS, PACK = QUESTIONS
ARGUMENTS = '{"origin": "Berlin", "destination": "Prague"}'
DEPARTURES = (
    "Direct trains today: EC 171 at 06:16, arriving 10:25, EC 173 at 08:16, arriving 12:25, "
    "EC 177 at 12:16, arriving 16:25. The first leaves you the whole afternoon."
)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Run an ASGI application on a real server and yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def started_with(events_url: str, running: ExitStack) -> dict[str, str]:
    """Return the settings of an example whose events go to a test, and whose model answers at once."""
    model_url = running.enter_context(serving(scripted_model(seconds_per_word=0)))
    return {
        "AMPLITUDE_AI_SERVER_URL": events_url,
        "OPENAI_API_KEY": "scripted",
        "OPENAI_BASE_URL": f"{model_url}/v1",
    }


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with serving(scripted_model(seconds_per_word=0)) as url:
        yield f"{url}/v1"


@pytest.fixture
def client(model_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=model_url, max_retries=0) as client:
        yield client


def asked(question: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": question}], **more}


ROLE_REFUSED = (
    "Invalid value for 'messages[0].role': "
    "Input should be 'system', 'developer', 'user', 'assistant' or 'tool'."
)
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 47,
    "total_tokens": 67,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


class TestScriptedModel:
    def test_a_whole_answer_is_a_chat_completion(self, client: openai.OpenAI) -> None:
        completion = client.chat.completions.create(**asked(PACK)).to_dict()
        assert ChatCompletion.model_validate(completion).model_extra == {}
        assert completion == {
            "id": completion["id"],
            "object": "chat.completion",
            "created": completion["created"],
            "model": "gpt-4o-mini",
            "service_tier": "default",
            "system_fingerprint": "fp_scripted",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": PACKING, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": USAGE,
        }

    def test_a_whole_tool_call_stops_for_it(self, client: openai.OpenAI) -> None:
        [choice] = client.chat.completions.create(**asked(TRAINS, tools=[FIND_TRAINS])).choices
        [call] = choice.message.tool_calls or []
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content is None
        assert call.to_dict() == {
            "id": call.id,
            "type": "function",
            "function": {"name": "find_trains", "arguments": ARGUMENTS},
        }

    def test_without_tools_it_says_that_it_is_a_script(self, client: openai.OpenAI) -> None:
        [choice] = client.chat.completions.create(**asked(TRAINS)).choices
        assert choice.message.content == NOT_IN_THE_SCRIPT

    async def test_a_stream_comes_word_by_word(self, model_url: str) -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=model_url, max_retries=0) as client:
            stream = await client.chat.completions.create(**asked(SEE), stream=True)
            chunks = [chunk async for chunk in stream]
        first, *words, last = [chunk.choices[0] for chunk in chunks]
        assert first.delta.to_dict() == {"role": "assistant", "content": "", "refusal": None}
        assert "".join(word.delta.content or "" for word in words) == SIGHTS
        assert len(words) == len(SIGHTS.split())
        assert (last.delta.to_dict(), last.finish_reason) == ({}, "stop")
        assert {(chunk.id, chunk.created) for chunk in chunks} == {(chunks[0].id, chunks[0].created)}
        assert not any("usage" in chunk.to_dict() for chunk in chunks)

    def test_usage_ends_a_stream_that_asked_for_it(self, client: openai.OpenAI) -> None:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        *chunks, last = client.chat.completions.create(**asked(PACK, **options))
        assert [chunk.to_dict()["usage"] for chunk in chunks] == [None] * len(chunks)
        assert (last.choices, last.usage and last.usage.to_dict()) == ([], USAGE)

    def test_a_tool_call_is_streamed_in_pieces(self, client: openai.OpenAI) -> None:
        chunks = list(client.chat.completions.create(**asked(TRAINS, tools=[FIND_TRAINS], stream=True)))
        first, *pieces, last = [chunk.choices[0] for chunk in chunks]
        [opening] = first.delta.tool_calls or []
        assert opening.to_dict() == {
            "index": 0,
            "id": opening.id,
            "type": "function",
            "function": {"name": "find_trains", "arguments": ""},
        }
        arguments = [call.function.arguments for piece in pieces for call in piece.delta.tool_calls]
        assert len(arguments) > 3
        assert "".join(arguments) == ARGUMENTS
        assert last.finish_reason == "tool_calls"

    @pytest.mark.parametrize("question", [SEE, TRAINS])
    def test_every_chunk_is_one_of_the_vendors(self, model_url: str, question: str) -> None:
        body = asked(question, tools=[FIND_TRAINS], stream=True, stream_options={"include_usage": True})
        response = post(f"{model_url}/chat/completions", body)
        *events, done, rest = response.text.split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        for event in events:
            assert ChatCompletionChunk.model_validate_json(event.removeprefix("data: ")).model_extra == {}

    @pytest.mark.parametrize(
        ("change", "message", "param", "code"),
        [
            (
                {"messages": [{"role": "robot", "content": "x"}]},
                ROLE_REFUSED,
                "messages[0].role",
                "invalid_value",
            ),
            (
                {"stream_options": {"include_usage": True}},
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                None,
                None,
            ),
            (
                {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "[]"}]},
                "messages with role 'tool' must be a response to a preceding 'tool_calls'.",
                None,
                None,
            ),
            (
                {"messages": [{"role": "assistant", "tool_calls": [{"id": "call_1"}]}, {"role": "user"}]},
                "An assistant message with 'tool_calls' lacks answers to: call_1",
                None,
                None,
            ),
        ],
    )
    def test_a_bad_request_is_refused_in_the_vendors_words(
        self, client: openai.OpenAI, change: dict[str, Any], message: str, param: str | None, code: str | None
    ) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**{**asked(SEE), **change})
        expected = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        assert refused.value.body == expected

    def test_what_is_missing_is_named(self, model_url: str) -> None:
        response = post(f"{model_url}/chat/completions", {"model": "gpt-4o-mini"})
        assert response.status_code == 400
        assert response.json()["error"] == {
            "message": "Missing required parameter: 'messages'.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "missing_required_parameter",
        }

    def test_the_refusals_before_the_body_counts(self, model_url: str, client: openai.OpenAI) -> None:
        headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
        broken = httpx2.post(f"{model_url}/chat/completions", content="{", headers=headers)
        keyless = httpx2.post(f"{model_url}/chat/completions", json=asked(SEE))
        assert (broken.status_code, keyless.status_code) == (400, 401)
        assert broken.json()["error"]["message"] == "We could not parse the JSON body of your request."
        with pytest.raises(openai.NotFoundError, match="Invalid URL \\(POST /v1/embeddings\\)"):
            client.embeddings.create(model="m", input="x")


def post(url: str, body: dict[str, Any]) -> httpx2.Response:
    return httpx2.post(url, json=body, headers={"Authorization": "Bearer k"})


class TestTool:
    @pytest.mark.parametrize("arguments", ["", "[]", '{"origin": 1, "destination": 2}', '{"from": "Berlin"}'])
    def test_wrong_arguments_go_back_to_the_model(self, arguments: str) -> None:
        assert list(json.loads(run_find_trains(arguments))) == ["error"]

    def test_cities_are_found_however_they_are_written(self) -> None:
        assert find_trains(" vienna", "PRAGUE") == [
            {"train": "RJ 78", "departs": "10:10", "arrives": "14:19", "changes": 0}
        ]
        assert find_trains("Berlin", "Atlantis") == []


@contextmanager
def imported_app(model_url: str, events_url: str) -> Iterator[ModuleType]:
    """The application as a server imports it: configured by its environment alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "scripted")
        patch.setenv("OPENAI_BASE_URL", model_url)
        patch.delenv("OPENAI_MODEL", raising=False)
        patch.setenv("AMPLITUDE_AI_SERVER_URL", events_url)
        patch.delenv("AMPLITUDE_AI_API_KEY", raising=False)
        patch.delitem(sys.modules, "example_apps.fastapi_chat.app", raising=False)
        yield importlib.import_module("example_apps.fastapi_chat.app")


class Collector(Starlette):
    """Takes events as Amplitude's HTTP V2 API does, and keeps them."""

    def __init__(self) -> None:
        super().__init__(routes=[Route("/2/httpapi", self.take, methods=["POST"])])
        self.events: list[dict[str, Any]] = []

    async def take(self, request: Request) -> JSONResponse:
        """Keep a batch."""
        batch = (await request.json())["events"]
        self.events += batch
        return JSONResponse({"code": 200, "events_ingested": len(batch)})


@pytest.fixture(scope="module")
def chat_app(model_url: str) -> Iterator[ModuleType]:
    with serving(Collector()) as events_url, imported_app(model_url, events_url) as module:
        yield module


@pytest.fixture(scope="module")
def chat_url(chat_app: ModuleType) -> Iterator[str]:
    with serving(chat_app.app) as url:
        yield url


@pytest.fixture
def browser(chat_url: str, request: pytest.FixtureRequest) -> Iterator[httpx2.Client]:
    headers = {"X-Conversation-Id": request.node.name}
    with httpx2.Client(base_url=chat_url, headers=headers) as browser:
        browser.get("/").raise_for_status()
        yield browser


def ask(browser: httpx2.Client, text: str) -> list[dict[str, Any]]:
    response = browser.post("/chat", json={"text": text})
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
    return [json.loads(block.removeprefix("data: ")) for block in response.text.split("\n\n") if block]


def said(events: list[dict[str, Any]]) -> str:
    return "".join(event.get("text", "") for event in events)


class TestChat:
    def test_the_page_comes_with_its_files_and_names_its_visitor(self, chat_url: str) -> None:
        with httpx2.Client(base_url=chat_url) as browser:
            page = browser.get("/")
            assert "<title>Travel guide</title>" in page.text
            assert browser.cookies["demo_user"].startswith("guest-")
            assert "set-cookie" not in browser.get("/").headers
            for path in ("chat.css", "chat.js", "icon.svg"):
                assert f"/static/{path}" in page.text
                assert browser.get(f"/static/{path}").status_code == 200

    def test_an_answer_is_streamed_and_ends_with_its_id(self, browser: httpx2.Client) -> None:
        *words, last = ask(browser, SEE)
        assert [list(word) for word in words] == [["text"]] * len(SIGHTS.split())
        assert said(words) == SIGHTS
        assert list(last) == ["reply_id"]

    def test_the_tool_runs_between_two_calls_of_the_model(self, browser: httpx2.Client) -> None:
        tool, *words, last = ask(browser, TRAINS)
        assert tool == {"tool": "find_trains", "arguments": ARGUMENTS}
        assert said(words) == DEPARTURES
        assert list(last) == ["reply_id"]

    def test_a_conversation_is_remembered_for_its_user(
        self, browser: httpx2.Client, chat_app: ModuleType
    ) -> None:
        ask(browser, TRAINS)
        ask(browser, PACK)
        key = (browser.cookies["demo_user"], browser.headers["X-Conversation-Id"])
        call_id = chat_app.conversations[key][1]["tool_calls"][0]["id"]
        call = {
            "id": call_id,
            "type": "function",
            "function": {"name": "find_trains", "arguments": ARGUMENTS},
        }
        found = json.dumps(find_trains("Berlin", "Prague"))
        assert chat_app.conversations[key] == [
            {"role": "user", "content": TRAINS},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": found},
            {"role": "assistant", "content": DEPARTURES},
            {"role": "user", "content": PACK},
            {"role": "assistant", "content": PACKING},
        ]

    def test_a_failed_turn_is_said_and_forgotten(self, browser: httpx2.Client, chat_app: ModuleType) -> None:
        key = (browser.cookies["demo_user"], browser.headers["X-Conversation-Id"])
        chat_app.conversations[key] = [{"role": "robot", "content": "the model server refuses this"}]
        before = list(chat_app.conversations[key])
        assert ask(browser, SEE) == [{"error": "The model did not answer. Ask again."}]
        assert chat_app.conversations[key] == before

    def test_a_model_that_only_calls_tools_is_stopped_and_forgotten(
        self, browser: httpx2.Client, chat_app: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chat_app, "MODEL_CALLS_PER_TURN", 1)
        [tool, stopped] = ask(browser, TRAINS)
        assert tool == {"tool": "find_trains", "arguments": ARGUMENTS}
        assert stopped == {"error": "No answer after 1 model calls. Ask in other words."}
        key = (browser.cookies["demo_user"], browser.headers["X-Conversation-Id"])
        assert chat_app.conversations[key] == []

    def test_a_thumb_is_taken(self, browser: httpx2.Client) -> None:
        [*_, last] = ask(browser, SEE)
        assert browser.post("/feedback", json={**last, "liked": True}).status_code == 204

    @pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 4001}])
    def test_a_question_needs_words(self, browser: httpx2.Client, body: dict[str, str]) -> None:
        assert browser.post("/chat", json=body).status_code == 422

    def test_a_question_needs_a_visitor_and_a_conversation(self, chat_url: str) -> None:
        with httpx2.Client(base_url=chat_url) as stranger:
            answer = stranger.post("/chat", json={"text": SEE})
        assert [error["loc"] for error in answer.json()["detail"]] == [
            ["header", "X-Conversation-Id"],
            ["cookie", "demo_user"],
        ]


@pytest.fixture(scope="module")
def conversation(model_url: str) -> Iterator[list[dict[str, Any]]]:
    """The events of the three scripted turns and a thumb, complete: the application has shut down."""
    collector = Collector()
    with serving(collector) as events_url:
        with (
            imported_app(model_url, events_url) as module,
            serving(module.app) as url,
            httpx2.Client(base_url=url, headers={"X-Conversation-Id": "chat-1"}) as browser,
        ):
            browser.cookies.set("demo_user", "ada")
            for question in QUESTIONS:
                [*_, last] = ask(browser, question)
            browser.post("/feedback", json={**last, "liked": True}).raise_for_status()
        yield collector.events


IDS = {
    "trace_id": "trace",
    "message_id": "message",
    "parent_message_id": "message",
    "target_id": "message",
    "invocation_id": "invocation",
    "provider_request_id": "request",
    "tool_definitions_hash": "hash",
}
JSON_FIELDS = ("tool_calls", "tool_definitions", "tool_input", "tool_output")


def settled(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The whole events, ids numbered as they first appear, durations checked, JSON read."""
    numbered: dict[str, list[str]] = {}
    return [
        {
            "event_type": event["event_type"],
            "user_id": event["user_id"],
            "library": event["library"].split("/")[0],
            **{name: settled_value(name, value, numbered) for name, value in properties.items()},
        }
        for event in events
        for properties in (event["event_properties"],)
    ]


def settled_value(name: str, value: Any, numbered: dict[str, list[str]]) -> Any:
    for field, label in IDS.items():
        if name == wire_name(field):
            seen = numbered.setdefault(label, [])
            seen += [value] if value not in seen else []
            return f"{label} {seen.index(value) + 1}"
    if name in map(wire_name, JSON_FIELDS):
        return json.loads(re.sub(r"call_[0-9a-f]{24}", "call", value))
    if name in map(wire_name, ("latency_ms", "ttfb_ms")):
        return "ms" if value > 0 else value
    return value


def event(kind: str, **fields: Any) -> dict[str, Any]:
    common = {
        "session_id": "chat-1",
        "agent_id": "travel-guide",
        "content_mode": "full",
        "sdk_version": __version__,
        "runtime": "python",
    }
    properties = {wire_name(name): value for name, value in {**common, **fields}.items()}
    return {
        "event_type": f"[Agent] {kind}",
        "user_id": "ada",
        "library": "amplitude-ai-integrations",
        **properties,
    }


def user_message(turn: int, trace: int, message: int, text: str) -> dict[str, Any]:
    return event(
        "User Message",
        turn_id=turn,
        trace_id=f"trace {trace}",
        message_id=f"message {message}",
        llm_message={"text": text},
        component_type="user_input",
        message_source="user",
    )


def ai_response(
    turn: int, trace: int, message: int, request: int, tokens: tuple[int, int], **more: Any
) -> dict[str, Any]:
    sent, written = tokens
    reply = {
        "turn_id": turn,
        "trace_id": f"trace {trace}",
        "message_id": f"message {message}",
        "provider_request_id": f"request {request}",
        "component_type": "llm",
        "model_name": "gpt-4o-mini",
        "model_tier": "fast",
        "provider": "openai",
        "is_streaming": True,
        "is_error": False,
        "finish_reason": "stop",
        "latency_ms": "ms",
        "ttfb_ms": "ms",
        "input_tokens": sent,
        "output_tokens": written,
        "total_tokens": sent + written,
        "cache_read_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": pytest.approx((0.15 * sent + 0.60 * written) / 1_000_000),
        "system_prompt": "You are a travel guide. Answer briefly, in plain text without Markdown.",
        "system_prompt_length": 71,
        "tool_definitions": [FIND_TRAINS["function"]],
        "tool_definitions_count": 1,
        "tool_definitions_hash": "hash 1",
    }
    return event("AI Response", **{**reply, **more})


TOOL_CALLS = [{"id": "call", "type": "function", "function": {"name": "find_trains", "arguments": ARGUMENTS}}]
CONVERSATION = [
    user_message(1, trace=1, message=1, text=SEE),
    ai_response(2, trace=1, message=2, request=1, tokens=(145, 74), llm_message={"text": SIGHTS}),
    user_message(3, trace=2, message=3, text=TRAINS),
    ai_response(
        4,
        trace=2,
        message=4,
        request=2,
        tokens=(246, 12),
        finish_reason="tool_calls",
        tool_calls=TOOL_CALLS,
    ),
    event(
        "Tool Call",
        turn_id=5,
        trace_id="trace 2",
        invocation_id="invocation 1",
        parent_message_id="message 4",
        component_type="tool",
        tool_name="find_trains",
        tool_success=True,
        is_error=False,
        latency_ms="ms",
        tool_input={"origin": "Berlin", "destination": "Prague"},
        tool_output=find_trains("Berlin", "Prague"),
    ),
    ai_response(6, trace=2, message=5, request=3, tokens=(385, 41), llm_message={"text": DEPARTURES}),
    user_message(7, trace=3, message=6, text=PACK),
    ai_response(8, trace=3, message=7, request=4, tokens=(454, 47), llm_message={"text": PACKING}),
    event(
        "Score",
        trace_id="trace 3",
        score_name="user-feedback",
        score_value=1.0,
        target_id="message 7",
        target_type="message",
        evaluation_source="user",
    ),
]


class TestEvents:
    def test_three_turns_are_these_events_and_no_others(self, conversation: list[dict[str, Any]]) -> None:
        assert settled(conversation) == CONVERSATION

    def test_each_event_is_told_from_every_other(self, conversation: list[dict[str, Any]]) -> None:
        assert len({event["insert_id"] for event in conversation}) == len(CONVERSATION)
        times = [event["time"] for event in conversation]
        assert times == sorted(times)

    def test_the_first_token_comes_before_the_last(self, conversation: list[dict[str, Any]]) -> None:
        replies = [each["event_properties"] for each in conversation if "AI Response" in each["event_type"]]
        assert len(replies) == 4
        for reply in replies:
            assert 0 < reply[wire_name("ttfb_ms")] < reply[wire_name("latency_ms")]


class TestDemo:
    def child(self, tmp_path: Path, *command: str, port: int = 9) -> Child:
        url = f"http://127.0.0.1:{port}"
        return Child("The child", *command, url=url, env=os.environ, log=tmp_path / "child.log")

    def test_a_taken_port_is_said_and_avoided(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            preferred = taken.getsockname()[1]
            port = choose_port(preferred, "the chat app")
        assert port not in (0, preferred)
        assert capsys.readouterr().out == f"Port {preferred} is taken, so the chat app uses {port}.\n"

    def test_a_free_port_is_taken_silently(self, capsys: pytest.CaptureFixture[str]) -> None:
        port = choose_port(0, "the scripted model")
        assert choose_port(port, "the chat app") == port
        assert capsys.readouterr().out == ""

    def test_a_child_that_dies_is_reported_with_its_last_words(self, tmp_path: Path) -> None:
        with self.child(tmp_path, "no_such_module") as child, pytest.raises(DemoError) as died:
            child.wait_until_it_answers()
        assert str(died.value) == (
            "The child ended early, with exit code 1. Its last lines:\n"
            f"    {sys.executable}: No module named no_such_module"
        )

    def test_a_child_answers_and_ends_with_its_block(self, tmp_path: Path) -> None:
        port = choose_port(0, "the child")
        command = ("http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path))
        with self.child(tmp_path, *command, port=port) as child:
            child.wait_until_it_answers()
            os.kill(child.pid, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)

    def test_an_end_waits_until_the_children_are_known(self) -> None:
        known: list[str] = []

        def start() -> None:
            with signals_held():
                os.kill(os.getpid(), signal.SIGINT)
                known.append("child")

        with pytest.raises(KeyboardInterrupt):
            start()
        assert known == ["child"]

    def test_turns_are_counted_once_each(self) -> None:
        assert count_turns('<a href="#turn-1"><li id="turn-1"><li id="turn-2"><p id="turn-2">') == 2
