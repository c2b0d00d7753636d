"""Amazon Bedrock's doors: what is observed, what is not, and that a client stays what it was."""

from __future__ import annotations

import gc
import io
import pickle
import weakref
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.config import PrivacyConfig
from amplitude_ai_integrations.exceptions import AmplitudeAIWrapError, ConfigurationError
from amplitude_ai_integrations.providers.bedrock import Bedrock, patch_bedrock, wrap_client

from ..fakes.bedrock_server import TEXT, BedrockServer, arguments
from .contract.bedrock import BEDROCK, MODEL, converse_arguments, invoke_arguments
from .contract.provider import Ask
from .expected import fields, kinds, of_kind


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
def bare(fake: BedrockServer) -> Any:
    """The vendor's own client."""
    return BEDROCK.bare(fake, "sync")


@pytest.fixture
def client(fake: BedrockServer, ai: AmplitudeAI) -> Any:
    """An observed client whose events `sink` keeps."""
    return BEDROCK.swap(fake, "sync", ai)


def _ask(words: str = "Hi", **more: Any) -> dict[str, Any]:
    return {**converse_arguments(Ask(words)), **more}


def test_a_call_as_the_quick_start_makes_it_is_one_exchange(client: Any, sink: MemorySink) -> None:
    said = [{"role": "user", "content": [{"text": "Explain funnels"}]}]
    client.converse(modelId=MODEL, messages=said, amplitude_user_id="user-1")
    assert [(event["user_id"], fields(event).get("llm_message")) for event in sink] == [
        ("user-1", {"text": "Explain funnels"}),
        ("user-1", {"text": TEXT}),
    ]


def test_a_facade_has_all_that_its_client_has(client: Any) -> None:
    assert client.meta.region_name == "us-east-1"
    assert client.can_paginate("converse") is False
    assert issubclass(client.exceptions.ThrottlingException, client.exceptions.ClientError)
    assert {"converse", "invoke_model", "meta"} <= {*dir(client)}
    with pytest.raises(AttributeError):
        _ = client.no_such_thing
    with pytest.raises(AttributeError):
        _ = Bedrock.__new__(Bedrock).converse


def test_a_facade_stands_before_a_client_that_exists(bare: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    Bedrock(ai, client=bare).converse(**_ask())
    bare.converse(**_ask("again"))
    assert kinds(sink) == ["user", "answer"] * 2


def test_a_facade_refuses_what_is_no_client_of_the_service(ai: AmplitudeAI) -> None:
    for other in ("bedrock-runtime", boto3.client("sts", region_name="us-east-1")):
        with pytest.raises(ConfigurationError, match=r'pass what boto3.client\("bedrock-runtime"\) returns'):
            Bedrock(ai, client=other)


def test_a_facade_hands_its_arguments_to_boto3(fake: BedrockServer, ai: AmplitudeAI) -> None:
    facade = Bedrock(ai, **arguments(fake, region_name="eu-central-1", aws_session_token="t", verify=False))
    assert facade.meta.region_name == "eu-central-1"
    assert facade.meta.endpoint_url == arguments(fake)["endpoint_url"]
    facade.converse(**_ask())
    facade.close()
    assert fake.requests[0]["headers"]["X-Amz-Security-Token"] == "t"


def test_a_client_that_is_wrapped_stays_what_it_was(bare: Any, ai: AmplitudeAI) -> None:
    kind, held = type(bare), dict(vars(bare))
    assert wrap(bare, ai) is bare
    assert isinstance(bare, kind)
    assert (type(bare).__name__, type(bare).__module__) == (kind.__name__, kind.__module__)
    assert {name: value for name, value in vars(bare).items() if name in held} == held


def test_a_client_that_is_wrapped_is_let_go_of_when_it_is_dropped(
    fake: BedrockServer, ai: AmplitudeAI
) -> None:
    client = wrap(boto3.client("bedrock-runtime", **arguments(fake)), ai)
    dropped = weakref.ref(client)
    gc.disable()
    del client
    gc.enable()
    assert dropped() is None


def test_wrapping_twice_only_changes_where_to_report(bare: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    other = MemorySink()
    wrap(wrap(bare, ai), AmplitudeAI(sink=other))
    bare.converse(**_ask())
    assert (kinds(sink), kinds(other)) == ([], ["user", "answer"])


@pytest.mark.parametrize("service", ["s3", "bedrock", "bedrock-agent-runtime"])
def test_clients_of_other_services_are_not_ours(service: str, ai: AmplitudeAI) -> None:
    other = boto3.client(service, region_name="us-east-1")
    assert wrap_client(other, ai, {}) is False
    with pytest.raises(AmplitudeAIWrapError, match="botocore"):
        wrap(other, ai)


def test_a_patch_holds_for_clients_that_exist_and_those_to_come_until_it_is_undone(
    bare: Any, fake: BedrockServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    before = botocore.client.BaseClient._make_api_call
    undos = patch_bedrock(Reporting(ai))
    bare.converse(**_ask("a", amplitude_user_id="u"))
    BEDROCK.bare(fake, "sync").converse(**_ask("b", amplitude_user_id="u"))
    undo_all(undos)
    bare.converse(**_ask("c"))
    assert [event["llm_message"]["text"] for event in of_kind("user", sink)] == ["a", "b"]
    assert botocore.client.BaseClient._make_api_call is before
    with pytest.raises(ParamValidationError, match="amplitude_user_id"):
        bare.converse(**_ask(amplitude_user_id="u"))


def test_a_patch_leaves_alone_clients_that_are_observed_by_themselves(
    client: Any, ai: AmplitudeAI, sink: MemorySink
) -> None:
    other = MemorySink()
    undos = patch_bedrock(Reporting(AmplitudeAI(sink=other)))
    client.converse(**_ask(amplitude_user_id="u"))
    undo_all(undos)
    assert (kinds(sink), kinds(other)) == (["user", "answer"], [])


def test_a_patch_touches_no_other_service(ai: AmplitudeAI, sink: MemorySink) -> None:
    undos = patch_bedrock(Reporting(ai))
    other = boto3.client("sts", region_name="us-east-1")
    with pytest.raises(ParamValidationError, match="amplitude_user_id"):
        other.get_caller_identity(amplitude_user_id="u")
    undo_all(undos)
    assert kinds(sink) == []


def test_a_call_that_is_none_of_a_model_is_no_answer(client: Any, sink: MemorySink) -> None:
    others = {"apply_guardrail", "count_tokens", "list_async_invokes"} & {*dir(client)}  # the oldest has none
    for name in others:
        with pytest.raises(ParamValidationError, match="amplitude_user_id"):
            getattr(client, name)(amplitude_user_id="u")
    assert kinds(sink) == []


@pytest.mark.parametrize("door", ["swap", "wrap", "patch"])
@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_keywords_never_reach_the_vendor(
    door: str, is_on: bool, fake: BedrockServer, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(enabled=is_on, validate=True))
    undos = BEDROCK.patch(Reporting(ai)) if door == "patch" else []
    made = {"swap": BEDROCK.swap, "wrap": BEDROCK.wrap}.get(door)
    client = made(fake, "sync", ai) if made else BEDROCK.bare(fake, "sync")
    given = {"amplitude_user_id": "mary", "amplitude_conversation_id": "c", "amplitude_message_id": "m"}
    client.converse(**_ask(**given))
    [*client.converse_stream(**_ask(**given))["stream"]]
    client.invoke_model(**invoke_arguments(Ask()), **given)["body"].read()
    [*client.invoke_model_with_response_stream(**invoke_arguments(Ask()), **given)["body"]]
    undo_all(undos)
    said = [(event["user_id"], fields(event)["session_id"]) for event in sink]
    assert said == ([("mary", "c")] * 8 if is_on else [])
    assert len(fake.requests) == 4
    assert "amplitude" not in str(fake.requests).lower()
    assert "mary" not in str(fake.requests)


def test_the_callers_own_arguments_stay_as_they_are(client: Any) -> None:
    given = _ask(amplitude_user_id="u")
    before = pickle.dumps(given)
    client._client._make_api_call("Converse", given)
    assert pickle.dumps(given) == before


@pytest.mark.parametrize("propagates", [True, False])
def test_a_call_carries_the_session_only_if_that_is_asked_for(
    propagates: bool, fake: BedrockServer, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=propagates))
    client = BEDROCK.swap(fake, "sync", ai, retries=1)
    with ai.agent("bot", user_id="mary").session(session_id="s-1") as session:
        client.converse(**_ask("error500x1"))
        trace = session.trace_id
    client.converse(**_ask("outside"))
    *inside, outside = [request["headers"] for request in fake.requests]
    ids = [(head.get("x-amplitude-session-id"), head.get("x-amplitude-agent-id")) for head in inside]
    assert ids == [("s-1", "bot") if propagates else (None, None)] * 2
    for head in inside:
        assert (trace.replace("-", "") in head.get("traceparent", "")) is propagates
        assert "x-amplitude" not in head["Authorization"]
    assert "x-amplitude-session-id" not in outside
    assert "mary" not in str(fake.requests)


def test_several_attempts_are_one_call(fake: BedrockServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    client = BEDROCK.swap(fake, "sync", ai, retries=2)
    client.converse(**_ask("error500x2"))
    assert len(fake.requests) == 3
    assert [(event["is_error"], event["llm_message"]["text"]) for event in of_kind("answer", sink)] == [
        (False, TEXT)
    ]


def test_a_call_that_the_vendors_client_refuses_is_one_failed_answer(client: Any, sink: MemorySink) -> None:
    with pytest.raises(ParamValidationError):
        client.converse(modelId=MODEL, messages="Hi")
    (event,) = of_kind("answer", sink)
    assert (event["is_error"], event["error_type"]) == (True, "ParamValidationError")


def test_what_a_call_returns_is_of_the_vendors_types(client: Any, bare: Any) -> None:
    for one in (client, bare):
        stream = one.converse_stream(**_ask())["stream"]
        assert isinstance(stream, EventStream)
        assert type(iter(stream)).__name__ == "generator"
        stream.close()
        body = one.invoke_model(**invoke_arguments(Ask()))["body"]
        assert isinstance(body, StreamingBody)
        assert (body.readable(), body.tell()) == (True, 0)
        body.read()


def test_a_stream_that_is_dropped_is_seen_at_once(client: Any, sink: MemorySink) -> None:
    gc.disable()
    BEDROCK.apis["converse"].streamed(client, **_ask())
    BEDROCK.apis["invoke"].streamed(client, **invoke_arguments(Ask()))
    gc.enable()
    assert [event["stream_abandoned"] for event in of_kind("answer", sink)] == [True, True]


def test_what_a_facade_says_of_privacy_holds(fake: BedrockServer, ai: AmplitudeAI, sink: MemorySink) -> None:
    clients = [
        Bedrock(ai, content_mode="metadata_only", **arguments(fake)),
        Bedrock(ai, PrivacyConfig(content_mode="metadata_only"), **arguments(fake)),
    ]
    for client in clients:
        client.converse(**_ask("a secret"))
        client.close()
    assert kinds(sink) == ["user", "answer"] * 2
    assert "secret" not in str([*sink])


def test_defaults_of_a_facade_hold_outside_any_session(
    fake: BedrockServer, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = Bedrock(ai, amplitude_defaults={"user_id": "batch"}, **arguments(fake))
    client.converse(**_ask())
    with ai.agent(user_id="u").session(track_session_end=False):
        client.converse(**_ask())
    client.close()
    assert [event["user_id"] for event in sink] == ["batch", "batch", "u", "u"]


def test_answers_of_a_stub_are_answers(client: Any, sink: MemorySink) -> None:
    stub = Stubber(client._client)
    said = {"message": {"role": "assistant", "content": [{"text": "Yes."}]}}
    usage = {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}
    counted = {"stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
    stub.add_response("converse", {"output": said, **counted})
    text = b'{"outputs": [{"text": "Yes."}]}'
    bodies = [StreamingBody(io.BytesIO(text), len(text)), StreamingBody(_Raw(text), None), text]
    for body in bodies:
        stub.add_response("invoke_model", {"body": body, "contentType": "application/json"})
    given = {"modelId": "mistral.mistral-7b-instruct-v0:2", "body": '{"prompt": "more"}'}
    with stub:
        client.converse(**_ask())
        for _body in bodies[:2]:
            with client.invoke_model(**given)["body"] as inner:
                assert inner.read() == text
        assert client.invoke_model(**given)["body"] is text
    first, second, *others = of_kind("answer", sink)
    assert (first["llm_message"], first["total_tokens"]) == ({"text": "Yes."}, 4)
    assert (second["llm_message"], second["usage_estimated"]) == ({"text": "Yes."}, True)
    assert [event.get("llm_message") for event in others] == [None, {"text": "Yes."}]


class _Raw:
    """An inner stream to which nothing can be added."""

    __slots__ = ("_text",)

    def __init__(self, text: bytes) -> None:
        self._text = text

    def read(self) -> bytes:
        return self._text

    def close(self) -> None:
        """There is nothing to close."""
