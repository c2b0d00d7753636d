"""Invocations: whatever a model's maker writes, and however far a body is read."""

from __future__ import annotations

import contextlib
import gc
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError

from amplitude_ai_integrations import AmplitudeAI, MemorySink
from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.providers import bedrock_bodies

from ..fakes.bedrock_server import TEXT, THOUGHT, BedrockServer
from .contract.bedrock import BEDROCK, NOVA, WAYS, invoke_arguments
from .contract.provider import Ask
from .expected import Event, answer, counted, kinds, of_kind, seen

CLAUDE = "eu.anthropic.claude-3-haiku-20240307-v1:0"
Call = Callable[..., Any]


def _prompt(words: str, **more: Any) -> dict[str, Any]:
    return {"prompt": words, **more}


def _messages(words: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": words}], **more}


def _claude(words: str) -> dict[str, Any]:
    return _messages(words, anthropic_version="bedrock-2023-05-31", max_tokens=9)


# The body that each maker's models take, and how they say that they are done.
MAKERS: dict[str, tuple[Call, str]] = {
    CLAUDE: (_claude, "end_turn"),
    NOVA: (lambda words: {"messages": [{"role": "user", "content": [{"text": words}]}]}, "end_turn"),
    "amazon.titan-text-express-v1": (lambda words: {"inputText": words}, "FINISH"),
    "us.meta.llama3-1-8b-instruct-v1:0": (_prompt, "stop"),
    "mistral.mistral-7b-instruct-v0:2": (_prompt, "stop"),
    "cohere.command-text-v14": (_prompt, "COMPLETE"),
    "cohere.command-r-v1:0": (lambda words: {"message": words, "chat_history": []}, "COMPLETE"),
    "openai.gpt-oss-20b-1:0": (_messages, "stop"),
}
CACHING = {CLAUDE, NOVA}

every_maker = pytest.mark.parametrize("model", MAKERS)


@pytest.fixture(scope="module")
def _server() -> Iterator[BedrockServer]:
    server = BEDROCK.serve()
    yield server
    BEDROCK.stop()
    server.stop()


@pytest.fixture
def fake(_server: BedrockServer) -> Iterator[BedrockServer]:
    """Bedrock's runtime; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture
def client(fake: BedrockServer, ai: AmplitudeAI) -> Any:
    """An observed client whose events `sink` keeps."""
    return BEDROCK.swap(fake, "sync", ai)


@pytest.fixture
def run(client: Any, ai: AmplitudeAI, sink: MemorySink, session_id: str) -> Call:
    """Do something with a client in a session, and return the events that are there at once."""

    def use(read: Call, **given: Any) -> list[Event]:
        with ai.agent(user_id="u").session(session_id=session_id, track_session_end=False):
            read(client, **given)
            return seen(sink)

    gc.disable()
    yield use
    gc.enable()


def _given(model: str, words: str) -> dict[str, Any]:
    return {"modelId": model, "body": json.dumps(MAKERS[model][0](words))}


def _answer(model: str, **changes: Any) -> Event:
    tokens = Tokens(20, 7, 8, 2) if model in CACHING else Tokens(20, 7)
    says = {"model_name": model, "provider": "aws", "finish_reason": MAKERS[model][1]}
    told = {**says, "system_prompt": None, "system_prompt_length": None, "provider_request_id": "req_1"}
    if model == CLAUDE:
        told["max_output_tokens"] = 9
    return answer(**{**told, **counted(model, "aws", tokens), **changes})


def _tier(event: Event) -> Event:
    return {"model_tier": event["model_tier"]}


def _whole(client: Any, **given: Any) -> None:
    json.load(client.invoke_model(**given)["body"])


def _streamed(client: Any, **given: Any) -> None:
    for _event in client.invoke_model_with_response_stream(**given)["body"]:
        pass


@every_maker
def test_each_makers_answer_is_understood(model: str, run: Call) -> None:
    asked, told = run(_whole, **_given(model, "Hi"))
    assert asked["llm_message"] == {"text": "Hi"}
    assert told == _answer(model, **_tier(told))


@every_maker
def test_each_makers_stream_is_understood(model: str, run: Call) -> None:
    asked, told = run(_streamed, **_given(model, "Hi"))
    assert asked["llm_message"] == {"text": "Hi"}
    assert told == _answer(model, is_streaming=True, ttfb_ms="<ms>", **_tier(told))


@every_maker
def test_a_stream_that_is_left_keeps_what_came(model: str, run: Call) -> None:
    def read_two(client: Any, **given: Any) -> None:
        seen_pieces = 0
        stream = client.invoke_model_with_response_stream(**given)["body"]
        with contextlib.closing(stream):
            for event in stream:
                seen_pieces += any(f'"{word}' in str(event) for word in ("One ", "two "))
                if seen_pieces == 2:
                    break

    _asked, told = run(read_two, **_given(model, "Hi"))
    assert told["llm_message"] == {"text": "One two "}
    assert (told["stream_abandoned"], told["is_error"]) == (True, False)
    assert told.get("usage_estimated", False) is ("llama" not in model)  # which counts as it goes
    assert told["total_tokens"] > 2


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_claude_thinks_and_asks_for_tools(is_streaming: bool, run: Call) -> None:
    _asked, told = run(_streamed if is_streaming else _whole, **_given(CLAUDE, "think tool"))
    assert told["reasoning_content"] == THOUGHT
    assert told["finish_reason"] == "tool_use"
    assert json.loads(told["tool_calls"]) == [
        {
            "type": "function",
            "id": "call_1",
            "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
        }
    ]


def test_a_stream_of_which_all_has_come_is_not_left(client: Any, sink: MemorySink) -> None:
    stream = client.invoke_model_with_response_stream(**_given(CLAUDE, "Hi"))["body"]
    for event in stream:
        if b"message_stop" in event["chunk"]["bytes"]:
            break
    stream.close()
    (told,) = of_kind("answer", sink)
    assert "stream_abandoned" not in told
    assert told["llm_message"] == {"text": TEXT}


def test_an_unknown_model_gives_what_the_service_counts(run: Call) -> None:
    given = {"modelId": "stability.stable-image-v1:0", "body": json.dumps({"prompt": "a cat"})}
    asked, told = run(_whole, **given)
    assert asked["llm_message"] == {"text": "a cat"}
    assert (told["model_name"], told["total_tokens"], "llm_message" in told) == (given["modelId"], 27, False)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("arn:aws:bedrock:us-east-1::foundation-model/" + NOVA, NOVA),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + NOVA, "us." + NOVA),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/nova1",
            "application-inference-profile/nova1",
        ),
    ],
)
def test_an_arn_is_told_without_its_account(model: str, name: str, client: Any, sink: MemorySink) -> None:
    _whole(client, **{**invoke_arguments(Ask()), "modelId": model})
    client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
    assert [event["model_name"] for event in of_kind("answer", sink)] == [name, name]
    assert "123456789012" not in str([*sink])


def test_an_accounts_own_model_is_named_by_its_answer(client: Any, sink: MemorySink) -> None:
    model = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"
    for read in (_whole, _streamed):
        read(client, modelId=model, body=json.dumps(_claude("Hi")))
    assert [event["model_name"] for event in of_kind("answer", sink)] == ["claude-3-haiku"] * 2


@pytest.mark.parametrize(
    "body",
    [
        lambda text: text,
        lambda text: text.encode(),
        lambda text: bytearray(text.encode()),
        lambda text: io.BytesIO(text.encode()),
    ],
    ids=["text", "bytes", "bytearray", "file"],
)
def test_a_body_may_be_given_in_any_form(
    body: Callable[[str], Any], client: Any, sink: MemorySink, fake: BedrockServer
) -> None:
    text = json.dumps(_prompt("Hi"))
    client.invoke_model(modelId="cohere.command-text-v14", body=body(text))["body"].read()
    assert [event["llm_message"]["text"] for event in of_kind("user", sink)] == ["Hi"]
    assert fake.requests[0]["body"] == _prompt("Hi")


def test_a_body_that_is_no_json_is_the_vendors_to_refuse(
    client: Any, sink: MemorySink, swallowing: None
) -> None:
    for body in (b"\xff\xfe", "[1]", "nothing", b""):
        with contextlib.suppress(Exception):
            client.invoke_model(modelId=NOVA, body=body)
    assert kinds(sink) == ["answer"] * 4


@pytest.mark.parametrize("model", ["amazon.titan-embed-text-v2:0", "cohere.embed-english-v3"])
def test_an_embedding_is_one_event(model: str, run: Call) -> None:
    body = {"texts": ["Hi"], "input_type": "search_query"} if "cohere" in model else {"inputText": "Hi"}
    (event,) = run(_whole, modelId=model, body=json.dumps(body))
    assert event == {
        "user_id": "u",
        "kind": "embedding",
        "session_id": "s",
        "trace_id": "<id>",
        "content_mode": "full",
        "sdk_version": event["sdk_version"],
        "runtime": "python",
        "component_type": "embedding",
        "span_id": "<id>",
        "model_name": model,
        "provider": "aws",
        "latency_ms": "<ms>",
        "is_error": False,
        "input_tokens": 20 if "cohere" in model else 5,
        "embedding_dimensions": 3,
        **({"cost_usd": event["cost_usd"]} if "cost_usd" in event else {}),
    }


def _drop(client: Any, **given: Any) -> None:
    client.invoke_model(**given)


def _close(client: Any, **given: Any) -> None:
    client.invoke_model(**given)["body"].close()


def _close_early(client: Any, **given: Any) -> None:
    with contextlib.closing(client.invoke_model(**given)["body"]) as body:
        body.read(7)


def _leave(client: Any, **given: Any) -> None:
    with client.invoke_model(**given)["body"] as inner:
        inner.read(7)


def _raise(client: Any, **given: Any) -> None:
    def read() -> None:
        with client.invoke_model(**given)["body"]:
            raise LookupError

    with pytest.raises(LookupError):
        read()


@pytest.mark.parametrize("read", [_drop, _close, _close_early, _leave, _raise])
def test_a_body_that_nobody_reads_is_an_answer_with_what_the_service_counts(read: Call, run: Call) -> None:
    _asked, told = run(read, **_given(CLAUDE, "Hi"))
    unread = {"llm_message": None, "finish_reason": None}
    assert told == _answer(CLAUDE, **unread, **counted(CLAUDE, "aws", Tokens(20, 7)))


def test_a_body_counts_once_that_is_read_both_ways(client: Any, bare: Any, sink: MemorySink) -> None:
    def read(one: Any) -> Any:
        with one.invoke_model(**_given(CLAUDE, "Hi"))["body"] as inner:
            return inner.read(7), inner.read(amt=3), inner.readline(), inner.read()

    def read_mixed(one: Any) -> Any:
        body = one.invoke_model(**_given(CLAUDE, "Hi"))["body"]
        with body as inner:
            return inner.read(7), body.read(3), inner.read(), body.tell(), "read" in vars(inner)

    assert read(client) == read(bare)
    assert read_mixed(client)[:4] == read_mixed(bare)[:4]
    assert [event["llm_message"]["text"] for event in of_kind("answer", sink)] == [TEXT, TEXT]


@pytest.fixture
def bare(fake: BedrockServer) -> Any:
    """The vendor's own client."""
    return BEDROCK.bare(fake, "sync")


def test_a_body_too_long_to_keep_leaves_what_the_service_counts(
    client: Any, bare: Any, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bedrock_bodies, "_MOST", 50)
    ours, theirs = ([*one.invoke_model(**_given(CLAUDE, "Hi"))["body"]] for one in (client, bare))
    assert ours == theirs
    assert [event["total_tokens"] for event in of_kind("answer", sink)] == [27]
    assert "llm_message" not in of_kind("answer", sink)[0]


def test_a_body_cut_by_the_server_is_one_failed_answer(client: Any, sink: MemorySink) -> None:
    body = client.invoke_model(**_given("cohere.command-text-v14", "half"))["body"]
    with pytest.raises(ResponseStreamingError) as caught:
        body.read()
    (told,) = of_kind("answer", sink)
    assert (told["is_error"], told["error_type"]) == (True, "ResponseStreamingError")
    assert told["error_message"] == str(caught.value)


def test_a_closed_body_reads_as_it_would_without_us(client: Any, bare: Any) -> None:
    def errors(one: Any) -> list[Any]:
        body = one.invoke_model(**_given(CLAUDE, "Hi"))["body"]
        body.read()
        after = body.read(), body.read(5), [*body.iter_chunks()]
        body.close()
        return [*after, body.read()]

    assert errors(client) == errors(bare)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_shows_what_the_bare_client_shows(
    way: str, client: Any, bare: Any, sink: MemorySink
) -> None:
    arguments = BEDROCK.apis[WAYS[way].api].arguments(Ask("think"))
    assert WAYS[way].run(client, **arguments) == WAYS[way].run(bare, **arguments)
    assert kinds(sink) == ["user", "answer"]
    assert of_kind("answer", sink)[0]["llm_message"] == {"text": TEXT}
