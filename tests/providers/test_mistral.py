"""What is Mistral's own: resources that come to be late, one client for both kinds of calls, its other APIs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from pydantic import BaseModel

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.providers.mistral import Mistral, patch_mistral

from ..fakes.mistral_server import TEXT, MistralServer
from .contract.mistral import ERRORS, MISTRAL, piece
from .contract.mistral_ways import CLIENT, HTTP, MODEL, MODELS, STREAM, library
from .expected import fields, kinds, of_kind, seen

MakeClient = Callable[..., Any]
CHAT = library("chat").Chat


@pytest.fixture(scope="module")
def _server() -> Iterator[MistralServer]:
    server = MistralServer()
    yield server
    MISTRAL.stop()
    server.stop()


@pytest.fixture
def fake(_server: MistralServer) -> Iterator[MistralServer]:
    yield _server
    _server.release()


@pytest.fixture
def bare(fake: MistralServer) -> Any:
    """The vendor's own client."""
    return MISTRAL.bare(fake, "sync")


@pytest.fixture
def client(fake: MistralServer, ai: AmplitudeAI) -> Any:
    """An observed client whose events `sink` keeps."""
    return MISTRAL.swap(fake, "sync", ai)


@pytest.fixture
def patched(ai: AmplitudeAI) -> Iterator[None]:
    """All clients are observed."""
    undos = patch_mistral(Reporting(ai))
    yield
    undo_all(undos)


def said(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], **more}


def texts(kind: str, sink: MemorySink) -> list[str]:
    """Return the texts of the events of one kind."""
    return [event["llm_message"]["text"] for event in of_kind(kind, sink)]


def test_a_client_that_is_wrapped_stays_what_it_was(bare: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    chat, complete = bare.chat, bare.chat.complete
    assert wrap(bare, ai) is bare
    assert isinstance(bare, CLIENT)
    assert isinstance(bare, Mistral)
    assert bare.chat is chat
    assert (type(chat).__name__, type(chat).__module__) == ("Chat", CHAT.__module__)
    assert bare.chat.complete.__name__ == complete.__name__
    chat.complete(**said("made before"))
    bare.agents.complete(agent_id="ag-1", messages=[{"role": "user", "content": "made after"}])
    assert texts("user", sink) == ["made before", "made after"]


def test_a_class_made_of_the_vendors_is_wrapped_as_itself(
    fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    class Own(CLIENT):  # type: ignore[misc]
        pass

    own = Own(api_key="k", server_url=fake.address, client=HTTP.Client(), async_client=HTTP.AsyncClient())
    for _time in range(2):
        wrap(own, ai)
        own.chat.complete(**said("Hi"))
    own.sdk_configuration.client.close()
    assert isinstance(own, Own)
    assert type(own).__mro__[1] is Own
    assert kinds(sink) == ["user", "answer"] * 2


def test_a_client_that_exists_is_taken(bare: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    assert Mistral(ai, client=bare) is bare
    bare.chat.complete(**said("Hi"))
    assert kinds(sink) == ["user", "answer"]


def test_whoever_answers_can_be_named(
    bare: Any, fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    Mistral(ai, client=bare, provider_name="hosted").chat.complete(**said("a"))
    MISTRAL.swap(fake, "sync", ai, provider_name="mine").chat.complete(**said("b"))
    assert [event["provider"] for event in of_kind("answer", sink)] == ["hosted", "mine"]


def test_a_client_says_what_of_its_calls_is_told(
    fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    MISTRAL.swap(fake, "sync", ai, content_mode="metadata_only").chat.complete(**said("Hi"))
    assert ["llm_message" in fields(event) for event in sink] == [False, False]


def test_nothing_to_report_to_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="amplitude="):
        Mistral(amplitude="key")


def test_a_patch_sees_clients_made_before_and_is_taken_back(
    fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    before, early = dict(vars(CHAT)), MISTRAL.bare(fake, "sync")
    chat = early.chat
    undos = patch_mistral(Reporting(ai))
    chat.complete(**said("early"))
    MISTRAL.bare(fake, "sync").chat.complete(**said("late", amplitude_user_id="u"))
    undo_all(undos)
    chat.complete(**said("after"))
    assert texts("user", sink) == ["early", "late"]
    assert dict(vars(CHAT)) == before


@pytest.mark.usefixtures("patched")
def test_a_client_observed_by_itself_is_not_seen_by_a_patch_too(
    client: Any, bare: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client.chat.complete(**said("Hi", amplitude_user_id="u"))
    for _event in wrap(bare, ai).chat.stream(**said("Hi", amplitude_user_id="u")):
        pass
    assert kinds(sink) == ["user", "answer"] * 2


@pytest.mark.parametrize("name", ["amplitude_session_id", "amplitude_conversation_id"])
def test_a_conversation_has_either_name(
    name: str, client: Any, sink: MemorySink, fake: MistralServer
) -> None:
    client.chat.complete(**said("Hi", amplitude_user_id="mary", **{name: "c"}))
    assert [(event["user_id"], fields(event)["session_id"]) for event in sink] == [("mary", "c")] * 2
    assert "mary" not in str(fake.requests)


def test_messages_that_can_be_read_only_once_are_sent_and_told(
    client: Any, fake: MistralServer, sink: MemorySink
) -> None:
    messages = said("Hi")["messages"]
    client.chat.complete(model=MODEL, messages=iter(messages))
    assert fake.requests[0]["body"]["messages"] == messages
    assert texts("user", sink) == ["Hi"]


if hasattr(CHAT, "parse"):

    class Answer(BaseModel):
        text: str

    def test_a_parsed_answer_is_one_event(client: Any, sink: MemorySink) -> None:
        words = 'echo:{"text":"Hi"}'
        parsed = client.chat.parse(Answer, **said(words, amplitude_user_id="u"))
        assert parsed.choices[0].message.parsed == Answer(text="Hi")
        assert texts("answer", sink) == ['{"text":"Hi"}']

    async def test_a_parsed_answer_is_one_event_later_too(
        fake: MistralServer, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        client = MISTRAL.swap(fake, "async", ai)
        await client.chat.parse_async(Answer, **said('echo:{"text":"Hi"}', amplitude_user_id="u"))
        await MISTRAL.aclose(client)
        assert texts("answer", sink) == ['{"text":"Hi"}']


def test_an_embedding_is_one_event(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent("bot", user_id="u").session(session_id="s", track_session_end=False):
        client.embeddings.create(model="mistral-embed", inputs=["a", "b"])
    (event,) = seen(sink)
    assert event == {
        "user_id": "u",
        "kind": "embedding",
        "session_id": "s",
        "trace_id": "<id>",
        "agent_id": "bot",
        "content_mode": "full",
        "sdk_version": event["sdk_version"],
        "runtime": "python",
        "component_type": "embedding",
        "span_id": "<id>",
        "model_name": "mistral-embed",
        "provider": "mistral",
        "latency_ms": "<ms>",
        "is_error": False,
        "input_tokens": 5,
        "embedding_dimensions": 3,
        "cost_usd": 5e-07,
    }


async def test_embeddings_are_told_later_too(fake: MistralServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    client = MISTRAL.swap(fake, "async", ai)
    await client.embeddings.create_async(model="mistral-embed", inputs="a")
    with pytest.raises(ERRORS.SDKError):
        await client.embeddings.create_async(model="mistral-embed", inputs="error429")
    await MISTRAL.aclose(client)
    told = [(event.get("embedding_dimensions"), event["is_error"]) for event in of_kind("embedding", sink)]
    assert told == [(3, False), (None, True)]


def test_an_agent_stands_where_its_model_would_until_it_answers(client: Any, sink: MemorySink) -> None:
    with pytest.raises(ERRORS.SDKError):
        client.agents.complete(agent_id="ag-1", messages=[{"role": "user", "content": "error429"}])
    client.agents.complete(agent_id="ag-1", messages=[{"role": "user", "content": "Hi"}])
    assert [event["model_name"] for event in of_kind("answer", sink)] == ["ag-1", "mistral-large-latest"]


def test_the_code_after_a_gap_counts_as_sent(client: Any, sink: MemorySink) -> None:
    def tokens_sent(suffix: str | None) -> int:
        client.fim.complete(model=MODEL, prompt="nousage", suffix=suffix)
        return int(of_kind("answer", sink.events[-1:])[0]["input_tokens"])

    assert tokens_sent("return two and three") > tokens_sent(None)
    assert texts("user", sink) == ["nousage", "nousage"]


if find_spec("mistralai.azure") is not None:

    def test_a_client_of_azures_is_wrapped(fake: MistralServer, ai: AmplitudeAI, sink: MemorySink) -> None:
        kind: Any = import_module("mistralai.azure.client").MistralAzure
        client = wrap(kind(api_key="k", server_url=fake.address), ai)
        client.chat.complete(**said("Hi", amplitude_user_id="u"))
        client.sdk_configuration.client.close()
        assert isinstance(client, kind)
        assert texts("answer", sink) == [TEXT]


def test_other_requests_are_no_answers(client: Any, sink: MemorySink) -> None:
    with pytest.raises((ERRORS.SDKError, HTTP.HTTPError)):
        client.models.list()
    assert kinds(sink) == []


if STREAM:

    def test_a_loop_that_is_left_can_be_taken_up_again(client: Any, sink: MemorySink) -> None:
        stream = client.chat.stream(**said("Hi"))
        for event in stream:
            if piece(event) == "two ":
                break
        rest = [piece(event) for event in stream]
        assert rest == ["three ", "four.", ""]
        assert texts("answer", sink) == [TEXT]

    def test_a_stream_that_is_left_ends_when_nothing_holds_it(client: Any, sink: MemorySink) -> None:
        gc.disable()
        stream = client.chat.stream(**said("Hi"))
        for event in stream:
            if piece(event) == "two ":
                break
        assert kinds(sink) == ["user"]
        del stream
        gc.enable()
        (answer,) = of_kind("answer", sink)
        assert (answer["llm_message"]["text"], answer["stream_abandoned"]) == ("One two ", True)

    def test_a_stream_that_is_dropped_gives_its_connection_back_as_it_would(client: Any, bare: Any) -> None:
        def is_given_back(opened: Any) -> bool:
            stream = opened.chat.stream(**said("Hi"))
            next(stream)
            response = stream.response
            del stream
            return bool(response.is_closed)

        gc.disable()
        ours, theirs = is_given_back(client), is_given_back(bare)
        gc.enable()
        assert ours == theirs

    def test_a_stream_closed_in_its_loop_ends_it_as_it_would(
        client: Any, bare: Any, sink: MemorySink
    ) -> None:
        def closing(opened: Any) -> list[Any]:
            pieces = []
            stream = opened.chat.stream(**said("stall"))
            try:
                for event in stream:
                    pieces.append(piece(event))
                    if pieces[-1] == "two ":
                        MISTRAL.close_stream(stream)
            except (HTTP.StreamError, HTTP.HTTPError) as error:  # older versions go on reading
                pieces.append(type(error))
            return pieces

        assert closing(client) == closing(bare)
        (answer,) = of_kind("answer", sink)
        assert (answer["llm_message"]["text"], answer["stream_abandoned"]) == ("One two ", True)


def _takes_headers() -> bool:
    return "http_headers" in CHAT.complete.__kwdefaults__


if _takes_headers():

    def test_calls_carry_the_context_where_that_is_wanted(fake: MistralServer, sink: MemorySink) -> None:
        ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=True))
        client = MISTRAL.swap(fake, "sync", ai)
        with ai.agent("bot", user_id="u").session(session_id="s-1"):
            client.chat.complete(**said("a", http_headers={"x-mine": "1"}))
            client.chat.complete(**said("b", http_headers={"x-amplitude-session-id": "mine"}))
        first, second = (
            {name.lower(): text for name, text in one["headers"].items()} for one in fake.requests
        )
        assert (first["x-amplitude-session-id"], first["x-amplitude-agent-id"], first["x-mine"]) == (
            "s-1",
            "bot",
            "1",
        )
        assert second["x-amplitude-session-id"] == "mine"


def test_models_of_the_vendors_are_read_as_dictionaries_are(client: Any, sink: MemorySink) -> None:
    function = MODELS.Function(name="get_weather", description="Tells.", parameters={"type": "object"})
    call = MODELS.ToolCall(id="call_9", function=MODELS.FunctionCall(name="get_weather", arguments={"a": 1}))
    messages = [
        MODELS.SystemMessage(content="Be brief."),
        MODELS.UserMessage(content=[MODELS.TextChunk(text="Hi")]),
        MODELS.AssistantMessage(content="", tool_calls=[call]),
        MODELS.ToolMessage(content="sunny", tool_call_id="call_9", name="get_weather"),
    ]
    tools = [MODELS.Tool(function=function)]
    client.chat.complete(model=MODEL, messages=messages, tools=tools, temperature=0.5, max_tokens=9)
    assert kinds(sink) == ["tool", "answer"]
    (tool,), (answer,) = of_kind("tool", sink), of_kind("answer", sink)
    assert (tool["tool_name"], tool["tool_input"], tool["tool_output"]) == ("get_weather", '{"a":1}', "sunny")
    assert (answer["system_prompt"], answer["temperature"], answer["max_output_tokens"]) == (
        "Be brief.",
        0.5,
        9,
    )
    assert answer["tool_definitions"] == (
        '[{"name":"get_weather","description":"Tells.","parameters":{"type":"object"}}]'
    )
