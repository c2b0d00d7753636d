"""Gemini's doors: what is observed, what is not, and that a client stays what it was."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from google import genai
from google.genai import errors, models, types

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.exceptions import AmplitudeAIWrapError, ConfigurationError
from amplitude_ai_integrations.providers.gemini import Gemini, patch_gemini, wrap_client

from ..fakes.gemini_server import PICTURE, TEXT, VECTOR, GeminiServer
from .contract.gemini import GEMINI, MODEL, arguments, piece
from .contract.provider import Ask
from .expected import fields, kinds, of_kind

ASK = arguments(Ask("Hi"))
HAS_MORE = "continuation_token" in types.Candidate.model_fields
HAS_REQUESTS = not hasattr(genai.Client, "close")  # as the oldest clients send
HAS_RAW = "should_return_http_response" in types.GenerateContentConfig.model_fields


@pytest.fixture(scope="module")
def _server() -> Iterator[GeminiServer]:
    server = GEMINI.serve()
    yield server
    GEMINI.stop()
    server.stop()


@pytest.fixture
def fake(_server: GeminiServer) -> Iterator[GeminiServer]:
    """Gemini's API; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """An event that only the collector brings about comes too late."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def bare(fake: GeminiServer) -> Any:
    """The vendor's own client."""
    return GEMINI.bare(fake, "sync")


@pytest.fixture
def client(fake: GeminiServer, ai: AmplitudeAI) -> Any:
    """An observed client whose events `sink` keeps."""
    return GEMINI.swap(fake, "sync", ai)


def _told(sink: MemorySink) -> list[tuple[str, Any]]:
    return [(event["model_name"], event["llm_message"]["text"]) for event in of_kind("answer", sink)]


def test_a_model_is_asked_as_in_the_older_package(client: Gemini, sink: MemorySink) -> None:
    answer = client.generate_content("Hi", amplitude_user_id="mary")
    assert piece(answer) == TEXT
    assert kinds(sink) == ["user", "answer"]
    assert {event["user_id"] for event in sink} == {"mary"}
    assert _told(sink) == [(MODEL, TEXT)]


def test_another_model_and_settings_may_be_named(client: Gemini, sink: MemorySink) -> None:
    client.generate_content(["Hi", "you"], model="gemini-2.5-pro", config={"temperature": 0.5})
    (answer,) = of_kind("answer", sink)
    assert (answer["model_name"], answer["temperature"]) == ("gemini-2.5-pro", 0.5)


@pytest.mark.parametrize("how", ["stream", "generate_content_stream"])
def test_a_model_is_asked_for_a_stream(how: str, client: Gemini, sink: MemorySink) -> None:
    if how == "stream":
        chunks = client.generate_content("Hi", stream=True, amplitude_user_id="mary")
    else:
        chunks = client.generate_content_stream("Hi", amplitude_user_id="mary")
    assert inspect.isgenerator(chunks)
    assert "".join(piece(chunk) for chunk in chunks) == TEXT
    assert _told(sink) == [(MODEL, TEXT)]
    assert {event["user_id"] for event in sink} == {"mary"}


def test_a_model_is_asked_in_a_coroutine(fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    async def ask() -> None:
        client = GEMINI.swap(fake, "async", ai)
        answer = await client.generate_content_async("Hi")
        assert piece(answer) == TEXT
        chunks = await client.generate_content_async("Hi", stream=True)
        assert inspect.isasyncgen(chunks)
        assert "".join([piece(chunk) async for chunk in chunks]) == TEXT
        await GEMINI.aclose(client)

    asyncio.run(ask())
    assert _told(sink) == 2 * [(MODEL, TEXT)]


def test_a_facade_has_all_that_its_client_has(bare: genai.Client, ai: AmplitudeAI) -> None:
    client = Gemini(ai, client=bare)
    assert client.models is bare.models
    assert client.aio is bare.aio
    assert {*dir(bare)} <= {*dir(client)}
    with pytest.raises(AttributeError, match="no_such"):
        client.no_such  # noqa: B018 - to be asked for is what is tested


def test_a_facade_keeps_its_client_until_its_block_ends(fake: GeminiServer, ai: AmplitudeAI) -> None:
    with Gemini(ai, "k", http_options=fake.options) as client:
        assert piece(client.generate_content("Hi")) == TEXT
    assert piece(Gemini(ai, "k", http_options=fake.options).generate_content("Hi")) == TEXT


def test_a_facade_refuses_what_is_no_client(ai: AmplitudeAI) -> None:
    with pytest.raises(
        ConfigurationError, match=r"client= is builtins\.dict; pass a google\.genai\.Client\."
    ):
        Gemini(ai, client={})  # type: ignore[arg-type]


def test_wrapping_leaves_a_client_what_it_was(bare: genai.Client, ai: AmplitudeAI) -> None:
    parts = (bare.models, bare.aio, bare.aio.models)
    assert wrap(bare, ai) is bare
    assert wrap(bare, ai) is bare
    assert type(bare).__qualname__ == "Client"
    assert isinstance(bare, genai.Client)
    assert isinstance(bare.models, models.Models)
    assert (bare.models, bare.aio, bare.aio.models) == parts
    assert not wrap_client(bare.models, ai, {})
    with pytest.raises(AmplitudeAIWrapError):
        wrap(bare.models, ai)


def test_a_client_that_is_wrapped_twice_reports_once(
    bare: genai.Client, ai: AmplitudeAI, sink: MemorySink
) -> None:
    other = MemorySink()
    wrap(wrap(bare, AmplitudeAI(sink=other)), ai).models.generate_content(**ASK)
    assert kinds(sink) == ["user", "answer"]
    assert other.events == []


def test_the_asynchronous_half_of_a_client_is_wrapped_by_itself(
    fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def ask() -> None:
        client = GEMINI.bare(fake, "async")
        half = wrap(client.aio, ai)
        assert half is client.aio
        await half.models.generate_content(**ASK)
        client.models.generate_content(**ASK)
        await GEMINI.aclose(client)

    asyncio.run(ask())
    assert kinds(sink) == ["user", "answer"]


def test_patching_observes_clients_that_exist_and_can_be_undone(
    bare: genai.Client, ai: AmplitudeAI, sink: MemorySink
) -> None:
    before = {name: vars(models.Models).get(name) for name in dir(models.Models)}
    chat = bare.chats.create(model=MODEL)
    undos = patch_gemini(Reporting(ai))
    bare.models.generate_content(**ASK)
    chat.send_message("You", amplitude_user_id="mary")
    assert kinds(sink) == ["user", "answer", "user", "answer"]
    undo_all(undos)
    assert {name: vars(models.Models).get(name) for name in dir(models.Models)} == before
    bare.models.generate_content(**ASK)
    assert len(sink.events) == 4


@pytest.mark.parametrize("is_wrapped_first", [True, False])
def test_a_client_that_is_observed_by_itself_is_not_observed_again_by_a_patch(
    is_wrapped_first: bool, bare: genai.Client, ai: AmplitudeAI, sink: MemorySink
) -> None:
    other = MemorySink()
    doors = [lambda: wrap(bare, ai), lambda: undos.extend(patch_gemini(Reporting(AmplitudeAI(sink=other))))]
    undos: list[Any] = []
    for door in doors if is_wrapped_first else reversed(doors):
        door()
    bare.models.generate_content(**ASK, amplitude_user_id="mary")
    undo_all(undos)
    bare.models.generate_content(**ASK, amplitude_user_id="mary")
    assert kinds(sink) == 2 * ["user", "answer"]
    assert other.events == []


def test_counting_tokens_is_no_call(client: Gemini, sink: MemorySink) -> None:
    assert client.models.count_tokens(model=MODEL, contents="Hi").total_tokens == 20
    assert sink.events == []


def test_an_embedding_is_one_event(client: Gemini, sink: MemorySink) -> None:
    answer = client.models.embed_content(model="e", contents=["Hi", "you"], amplitude_user_id="mary")
    assert [len(one.values) for one in answer.embeddings] == [len(VECTOR), len(VECTOR)]
    assert [event["user_id"] for event in sink] == ["mary"]
    ((told,),) = ([*of_kind("embedding", sink)],)
    assert (told["model_name"], told["provider"], told["embedding_dimensions"]) == ("e", "google", 3)


def test_an_embedding_in_a_coroutine_is_one_event(
    fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    async def ask() -> None:
        client = GEMINI.swap(fake, "async", ai)
        await client.aio.models.embed_content(model="e", contents="Hi", amplitude_user_id="mary")
        await GEMINI.aclose(client)

    asyncio.run(ask())
    assert kinds(sink) == ["embedding"]


def test_google_answers_at_vertex_too(fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    client = Gemini(ai, "k", vertexai=True, http_options=fake.options)
    client.generate_content("Hi")
    client.models.embed_content(model="text-embedding-005", contents="Hi")
    (answer,), (embedding,) = of_kind("answer", sink), of_kind("embedding", sink)
    assert (answer["model_name"], answer["provider"], answer["llm_message"]) == (
        MODEL,
        "google",
        {"text": TEXT},
    )
    assert (embedding["provider"], embedding["input_tokens"]) == ("google", 2)
    assert "/publishers/google/models/" in fake.requests[0]["path"]


def test_a_prompt_that_is_blocked_is_a_failed_answer(client: Gemini, sink: MemorySink) -> None:
    client.generate_content("blocked")
    list(client.generate_content_stream("blocked"))
    for told in of_kind("answer", sink):
        assert (told["is_error"], told["error_source"]) == (True, "provider")
        assert (told["error_type"], told["finish_reason"]) == ("PROHIBITED_CONTENT", "PROHIBITED_CONTENT")
        assert (told["input_tokens"], told["output_tokens"]) == (20, 0)


def test_results_of_the_vendors_own_tools_are_sent_too(client: Gemini, sink: MemorySink) -> None:
    client.generate_content("search")
    (told,) = of_kind("answer", sink)
    counts = [told[f"{name}_tokens"] for name in ("input", "output", "total")]
    known = "tool_use_prompt_token_count" in types.GenerateContentResponseUsageMetadata.model_fields
    assert counts == ([25, 7, 32] if known else [20, 12, 32])


def test_a_picture_that_is_made_is_told_by_its_kind_and_size(client: Gemini, sink: MemorySink) -> None:
    client.generate_content("draw")
    (told,) = of_kind("answer", sink)
    assert told["attachment_types"] == ["image"]
    assert told["total_attachment_size_bytes"] == 8
    assert PICTURE not in str(sink.events)


@pytest.mark.parametrize("how", ["wrap", "patch"])
def test_ids_go_along_where_they_are_asked_for(
    how: str, bare: genai.Client, fake: GeminiServer, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))
    undos = patch_gemini(Reporting(ai)) if how == "patch" else []
    if how == "wrap":
        wrap(bare, ai)
    own = types.HttpOptions(headers={"x-own": "1"})
    with ai.agent("bot", user_id="u").session(session_id="of-u"):
        for config in (
            None,
            {"temperature": 0.5},
            {"http_options": own},
            types.GenerateContentConfig(temperature=0.5, http_options=own),
        ):
            bare.models.generate_content(model=MODEL, contents="Hi", config=config)
        list(bare.models.generate_content_stream(model=MODEL, contents="Hi"))
    undo_all(undos)
    headers = [
        {name.lower(): value for name, value in request["headers"].items()} for request in fake.requests
    ]
    assert [one["x-amplitude-session-id"] for one in headers] == 5 * ["of-u"]
    assert [one.get("x-own") for one in headers] == [None, None, "1", "1", None]
    assert own.headers == {"x-own": "1"}


def test_a_stream_takes_its_keywords_and_its_session_along(
    client: Gemini, ai: AmplitudeAI, sink: MemorySink
) -> None:
    with ai.agent("bot", user_id="ann").session(session_id="of-ann", track_session_end=False):
        chunks = client.generate_content_stream("Hi", amplitude_message_id="m1")
    with ai.agent(user_id="bob").session(session_id="of-bob", track_session_end=False):
        assert len(list(chunks)) == 4
    told = [(event["user_id"], fields(event)["session_id"], fields(event)["trace_id"]) for event in sink]
    assert {told[:2] for told in told} == {("ann", "of-ann")}
    assert len({trace for _user, _session, trace in told}) == 1
    assert fields(sink.events[1])["message_id"] == "m1"


def test_a_stream_that_fails_before_it_is_sent_is_a_failed_answer(client: Gemini, sink: MemorySink) -> None:
    with pytest.raises(ValueError, match="model") as raised:
        list(client.models.generate_content_stream(model="", contents="Hi"))
    (told,) = of_kind("answer", sink)
    assert (told["is_error"], told["error_type"]) == (True, type(raised.value).__name__)


def test_a_wrong_argument_is_the_vendors_to_refuse(client: Gemini, bare: genai.Client) -> None:
    with pytest.raises(TypeError) as theirs:
        bare.models.generate_content_stream(MODEL, "Hi")  # type: ignore[misc]
    with pytest.raises(TypeError) as ours:
        client.models.generate_content_stream(MODEL, "Hi")
    assert str(ours.value) == str(theirs.value)


def test_signatures_are_still_the_vendors(client: Gemini, bare: genai.Client) -> None:
    for name in ("generate_content", "generate_content_stream", "embed_content"):
        ours, theirs = getattr(client.models, name), getattr(bare.models, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert inspect.iscoroutinefunction(getattr(client.aio.models, name))


def test_an_error_is_told_with_its_source(client: Gemini, sink: MemorySink) -> None:
    with pytest.raises(errors.ClientError):
        client.generate_content("error429")
    (told,) = of_kind("answer", sink)
    assert (told["error_type"], told["error_source"]) == ("ClientError", "provider")


if HAS_RAW:

    def test_an_answer_that_is_taken_as_it_came_is_told(client: Gemini, sink: MemorySink) -> None:
        answer = client.generate_content("Hi", config={"should_return_http_response": True})
        assert answer.candidates is None
        (told,) = of_kind("answer", sink)
        assert (told["llm_message"], told["input_tokens"]) == ({"text": TEXT}, 20)


if HAS_MORE:

    @pytest.mark.parametrize("streams", [False, True])
    def test_an_answer_that_goes_on_in_a_second_request_is_one_answer_a_request(
        streams: bool, client: Gemini, sink: MemorySink
    ) -> None:
        if streams:
            assert len(list(client.generate_content_stream("more"))) == 8
        else:
            assert client.generate_content("more").usage_metadata.prompt_token_count == 40
        assert kinds(sink) == ["user", "answer", "answer"]
        told = [(event["finish_reason"], event["input_tokens"]) for event in of_kind("answer", sink)]
        assert told == [("CONTINUATION", 20), ("STOP", 20)]


if find_spec("aiohttp") and not HAS_REQUESTS:  # which such clients prefer to what the other tests use

    @pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
    @pytest.mark.usefixtures("no_garbage_collection")
    @pytest.mark.parametrize("is_left", [False, True])
    def test_streams_of_aiohttp_are_told(
        is_left: bool, fake: GeminiServer, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        async def read() -> list[str]:
            client = Gemini(ai, "k", http_options=fake.options)
            async for chunk in await client.generate_content_async("Hi", stream=True):
                if is_left and piece(chunk) == "two ":
                    break
            seen = kinds(sink)
            await client.aio.aclose()
            return seen

        assert asyncio.run(read()) == ["user", "answer"]
        (told,) = of_kind("answer", sink)
        assert told["llm_message"] == {"text": "One two " if is_left else TEXT}
        assert told.get("stream_abandoned") == (True if is_left else None)
