"""The contract of an observed call: {sync, async} x {chat, responses} x {whole, streamed} x every ending."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from .conftest import MakeClient
from .endings import ENDINGS, Ending
from .expected import MODEL, SYSTEM, UNCOUNTED, Event, answer, estimated, seen, user

Call = Callable[..., Any]


def _said(words: str) -> list[Any]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": words}]


def _chat(client: Any, words: str, **options: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=_said(words), **options)


def _responses(client: Any, words: str, **options: Any) -> Any:
    return client.responses.create(model=MODEL, input=_said(words), **options)


APIS: dict[str, tuple[Call, Event]] = {
    "chat": (_chat, {}),
    "responses": (_responses, {"provider_request_id": "resp_1", "finish_reason": "stop"}),
}
FAILURES = {
    "error500": openai.InternalServerError,
    "error429": openai.RateLimitError,
    "error401": openai.AuthenticationError,
}
KINDS = {"sync": OpenAI, "async": AsyncOpenAI}

every_api = pytest.mark.parametrize("api", APIS)
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _no_garbage_collection() -> Iterator[None]:
    """An event that only the collector brings about comes too late."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def observe(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink, session_id: str) -> Call:
    """Make a call in a session, read it, and return the events that are there at once."""

    def run(kind: str, api: str, read: Call, words: str, **options: Any) -> list[Event]:
        timeout = {"timeout": 0.4} if options.pop("is_impatient", False) else {}
        client = connect(KINDS[kind], amplitude=ai, **timeout)
        session = ai.agent(user_id="u").session(session_id=session_id, track_session_end=False)

        def begin() -> Any:
            return APIS[api][0](client, words, **options)

        async def read_in_a_loop() -> list[Event]:
            async with client, session:
                await read(begin)
                return seen(sink)

        if kind == "async":
            return asyncio.run(read_in_a_loop())
        with session:
            read(begin)
            return seen(sink)

    return run


def _streamed(api: str, ending: Ending) -> Event:
    """Return the AI Response that a stream which ended so leaves behind."""
    event = {**answer(), **APIS[api][1], "is_streaming": True, "ttfb_ms": "<ms>"}
    is_whole = ending.text is not None and not ending.changes
    if ending.text is None:
        event.update({**UNCOUNTED, "llm_message": None, "model_name": MODEL, "ttfb_ms": None})
        event["provider_request_id"] = None
    elif not (is_whole and api == "responses"):  # chat counts only where it was asked to
        sent = f"{SYSTEM}\n{ending.words}"
        event.update({**estimated(sent, ending.text), "llm_message": {"text": ending.text}})
    event.update(ending.changes)
    return {name: value for name, value in event.items() if value is not None}


def _reader(ending: Ending, kind: str) -> Any:
    return ending.read if kind == "sync" else ending.read_async


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, ending in ENDINGS.items() for kind in KINDS if _reader(ending, kind)],
)
@every_api
def test_a_stream_is_one_answer_however_it_ends(name: str, api: str, kind: str, observe: Call) -> None:
    ending = ENDINGS[name]
    is_impatient = name == "timeout"
    events = observe(kind, api, _reader(ending, kind), ending.words, stream=True, is_impatient=is_impatient)
    assert events == [user(ending.words), _streamed(api, ending)]


def _catching(error: Any) -> dict[str, Call]:
    def read(begin: Call) -> None:
        with pytest.raises(error):
            _finish(begin())

    async def read_async(begin: Call) -> None:
        with pytest.raises(error):
            await _finish_async(await begin())

    return {"sync": read, "async": read_async}


def _finish(result: Any) -> None:
    if isinstance(result, openai.Stream):
        for _chunk in result:
            pass


async def _finish_async(result: Any) -> None:
    if isinstance(result, openai.AsyncStream):
        async for _chunk in result:
            pass


def _call(begin: Call) -> None:
    begin()


async def _await(begin: Call) -> None:
    await begin()


@every_kind
@every_api
def test_a_whole_answer_is_one_event(api: str, kind: str, observe: Call) -> None:
    assert observe(kind, api, _await if kind == "async" else _call, "Hi") == [
        user("Hi"),
        answer(**APIS[api][1]),
    ]


@every_kind
@every_api
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("words", FAILURES)
def test_a_refused_request_is_one_failed_answer(
    words: str, is_streaming: bool, api: str, kind: str, observe: Call
) -> None:
    error, message = FAILURES[words], f"Error code: {words[-3:]} - refused: {words}"
    events = observe(kind, api, _catching(error)[kind], words, stream=is_streaming)
    failed = _failed(error, message, is_streaming, provider_request_id="req_1")
    assert events == [user(words), failed]


@every_kind
@every_api
def test_a_whole_answer_that_times_out_is_one_failed_answer(api: str, kind: str, observe: Call) -> None:
    read = _catching(openai.APITimeoutError)[kind]
    events = observe(kind, api, read, "stall", is_impatient=True)
    failed = _failed(openai.APITimeoutError, "Request timed out.", is_streaming=False)
    assert events == [user("stall"), failed]


@every_kind
@every_api
def test_a_whole_answer_cut_by_the_server_is_one_failed_answer(api: str, kind: str, observe: Call) -> None:
    events = observe(kind, api, _catching(openai.APIConnectionError)[kind], "cut")
    failed = _failed(openai.APIConnectionError, "Connection error.", is_streaming=False)
    assert events == [user("cut"), failed]


@every_api
def test_a_cancelled_request_is_no_error(api: str, observe: Call) -> None:
    async def cancel(begin: Call) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(begin(), 0.1)

    cancelled = answer(
        **UNCOUNTED,
        llm_message=None,
        finish_reason=None,
        error_type="CancelledError",
        provider_request_id=None,
    )
    assert observe("async", api, cancel, "stall") == [user("stall"), cancelled]


@every_kind
def test_a_chat_stream_that_fails_inside_is_one_failed_answer(kind: str, observe: Call) -> None:
    events = observe(kind, "chat", _catching(openai.APIError)[kind], "fail", stream=True)
    failed = answer(
        **estimated(f"{SYSTEM}\nfail", "One two "),
        llm_message={"text": "One two "},
        is_streaming=True,
        ttfb_ms="<ms>",
        is_error=True,
        error_source="provider",
        error_type="APIError",
        error_message="broken: fail",
        finish_reason=None,
    )
    assert events == [user("fail"), failed]


@every_kind
def test_a_failed_response_keeps_what_was_said(kind: str, observe: Call) -> None:
    read = _reader(ENDINGS["read to the end"], kind)
    failed = answer(
        **estimated(f"{SYSTEM}\nfail", "One two three four."),
        is_streaming=True,
        ttfb_ms="<ms>",
        is_error=True,
        error_source="provider",
        error_type="server_error",
        error_message="fail",
        finish_reason="failed",
        provider_request_id="resp_1",
    )
    assert observe(kind, "responses", read, "fail", stream=True) == [user("fail"), failed]


def _failed(error: type[Exception], message: str, is_streaming: bool, **more: Any) -> Event:
    failed = answer(
        **UNCOUNTED,
        llm_message=None,
        is_streaming=is_streaming,
        is_error=True,
        error_source="provider",
        error_type=error.__name__,
        error_message=message,
        finish_reason=None,
        provider_request_id=None,
    )
    return {**failed, **more}
