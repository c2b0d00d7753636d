"""What Anthropic's clients have that the contract of all providers does not ask for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.providers.anthropic import Anthropic, AsyncAnthropic, patch_anthropic

from ..fakes.anthropic_server import AnthropicServer
from .contract.anthropic import MODEL, connections, tls
from .expected import kinds, of_kind

ASKED: dict[str, Any] = {"model": MODEL, "max_tokens": 99}
Make = Callable[..., Any]


def said(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a message."""
    return {**ASKED, "messages": [{"role": "user", "content": words}], **more}


@pytest.fixture(scope="module")
def _server() -> Iterator[AnthropicServer]:
    server = AnthropicServer()
    yield server
    server.stop()


@pytest.fixture
def fake(_server: AnthropicServer) -> Iterator[AnthropicServer]:
    """Anthropic's API; what it received is forgotten after each test."""
    yield _server
    _server.release()


@pytest.fixture
def connect(fake: AnthropicServer) -> Make:
    """Make clients of the fake: `connect(anthropic.Anthropic)`; an asynchronous one is to be closed."""

    def make(kind: Any, **options: Any) -> Any:
        is_async = hasattr(kind, "__aenter__")
        http = anthropic.DefaultAsyncHttpxClient(verify=tls()) if is_async else connections()
        given = {"api_key": "k", "base_url": fake.address, "max_retries": 0, "http_client": http, **options}
        return kind(**{name: value for name, value in given.items() if value is not None})

    return make


@pytest.fixture
def client(connect: Make, ai: AmplitudeAI) -> Anthropic:
    """An observed client whose events `sink` keeps."""
    observed: Anthropic = connect(Anthropic, amplitude=ai)
    return observed


CLOUDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "AnthropicBedrock": (
        "aws",
        "",
        {"aws_access_key": "a", "aws_secret_key": "b", "aws_region": "r", "api_key": None},
    ),
    "AnthropicVertex": (
        "google",
        "/v1",
        {"region": "r", "project_id": "p", "access_token": "t", "api_key": None},
    ),
    "AnthropicBedrockMantle": ("aws", "", {"aws_region": "r"}),
    "AnthropicAWS": ("aws", "", {"aws_region": "r", "workspace_id": "w"}),
    "AnthropicFoundry": ("azure", "", {}),
}
HERE = [name for name in CLOUDS if hasattr(anthropic, name)]  # older versions have the first two
DOORS = ("wrap", "patch")

every_cloud = pytest.mark.parametrize("name", HERE)
every_door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture
def in_the_cloud(connect: Make, fake: AnthropicServer, ai: AmplitudeAI) -> Iterator[Make]:
    """Make clients of a cloud's API, observed by either of the ways there are."""
    undos: list[Any] = []

    def make(name: str, door: str) -> Any:
        _provider, path, options = CLOUDS[name.removeprefix("Async")]
        if door == "patch":
            undos.extend(patch_anthropic(Reporting(ai)))
        made = connect(getattr(anthropic, name), base_url=fake.address + path, **options)
        return made if door == "patch" else wrap(made, ai)

    yield make
    undo_all(undos)


def _told(sink: MemorySink) -> list[tuple[Any, ...]]:
    """Return of each answer who gave it, what it says, and whether it was left."""
    return [
        (event["provider"], event["llm_message"]["text"], event.get("stream_abandoned"))
        for event in of_kind("answer", sink)
    ]


def _each_way(client: Any) -> None:
    create = client.messages.create
    create(**said("Hi"))
    list(create(stream=True, **said("Hi")))
    with create(stream=True, **said("stall")) as stream:
        for event in stream:
            if getattr(getattr(event, "delta", None), "text", "") == "two ":
                break
    client.beta.messages.create(**said("Hi"))
    create_raw = client.messages.with_streaming_response.create
    with create_raw(stream=True, **said("Hi")) as response:
        for _piece in response.iter_bytes():
            pass
    client.copy(max_retries=1, http_client=connections()).messages.create(**said("Hi"))


@every_door
@every_cloud
def test_the_clients_of_the_clouds_are_observed(
    name: str, door: str, in_the_cloud: Make, sink: MemorySink
) -> None:
    _each_way(in_the_cloud(name, door))
    provider = CLOUDS[name][0]
    whole = (provider, "One two three four.", None)
    assert _told(sink) == [whole, whole, (provider, "One two ", True), whole, whole, whole]


@every_door
@every_cloud
def test_the_asynchronous_clients_of_the_clouds_are_observed(
    name: str, door: str, in_the_cloud: Make, sink: MemorySink
) -> None:
    async def call() -> None:
        async with in_the_cloud(f"Async{name}", door) as client:
            await client.messages.create(**said("Hi"))
            async for _event in await client.messages.create(stream=True, **said("Hi")):
                pass
            async with client.copy(max_retries=1) as copied:
                await copied.beta.messages.create(**said("Hi"))

    asyncio.run(call())
    assert _told(sink) == [(CLOUDS[name][0], "One two three four.", None)] * 3


@every_cloud
def test_a_patch_goes_back_all_the_way(name: str, ai: AmplitudeAI) -> None:
    client, messages = getattr(anthropic, name), anthropic.resources.messages.Messages
    before = (client.request, client.__dict__.get("request"), messages.create)
    undo_all(patch_anthropic(Reporting(ai)))
    assert (client.request, client.__dict__.get("request"), messages.create) == before


def test_a_client_that_is_wrapped_under_a_patch_is_observed_once(
    connect: Make, ai: AmplitudeAI, sink: MemorySink
) -> None:
    undos = patch_anthropic(Reporting(ai))
    try:
        wrap(connect(anthropic.Anthropic), ai).messages.create(**said("Hi"))
        connect(Anthropic, amplitude=ai).copy().messages.create(**said("Hi"))
    finally:
        undo_all(undos)
    assert kinds(sink) == ["user", "answer"] * 2


class _Own(anthropic.Anthropic):
    """A program's own class, whose constructor takes less than the vendor's."""

    def __init__(self, base_url: str, http_client: Any = None, **_others: Any) -> None:
        super().__init__(api_key="k", base_url=base_url, http_client=http_client, max_retries=0)


class _Ours(Anthropic):
    """A program's own class made of ours."""

    def __init__(self, reports_to: Any = None, **options: Any) -> None:
        super().__init__(amplitude=reports_to, **options)


def test_a_programs_own_class_and_its_copies_are_observed(
    connect: Make, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = connect(_Own)
    observed = wrap(client, ai)
    assert observed is client
    copied = observed.with_options(timeout=9)
    assert isinstance(copied, _Own)
    for each in (observed, copied, copied.copy()):
        each.messages.create(**said("Hi"))
    assert kinds(sink) == ["user", "answer"] * 3


def test_a_class_made_of_ours_reports_where_its_original_does(
    connect: Make, ai: AmplitudeAI, sink: MemorySink
) -> None:
    AmplitudeAI(sink=MemorySink())  # so that none is the only one
    copied = connect(_Ours, reports_to=ai).copy().with_options(timeout=9)
    assert type(copied) is _Ours
    copied.messages.create(**said("Hi"))
    assert kinds(sink) == ["user", "answer"]


def _credentials(**_given: Any) -> Any:
    from anthropic.lib.credentials import AccessToken

    return AccessToken(token="token", expires_at=None)


if hasattr(anthropic.Anthropic, "with_middleware"):  # older versions know keys alone

    def test_credentials_are_copied_as_the_vendor_does(
        fake: AnthropicServer, ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        given = {"base_url": fake.address, "credentials": _credentials, "http_client": connections()}
        for client in (Anthropic(amplitude=ai, **given), wrap(anthropic.Anthropic(**given), ai)):
            for each in (client, client.copy(), client.with_options(timeout=9)):
                each.messages.create(**said("Hi"))
        sent = [{name.lower(): value for name, value in each["headers"].items()} for each in fake.requests]
        assert [headers.get("authorization") for headers in sent] == ["Bearer token"] * 6

    def test_credentials_are_looked_for_as_the_vendor_does(
        fake: AnthropicServer, ai: AmplitudeAI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        token = tmp_path / "token"
        token.write_text("t")
        monkeypatch.setenv("ANTHROPIC_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("ANTHROPIC_FEDERATION_RULE_ID", "rule")
        monkeypatch.setenv("ANTHROPIC_ORGANIZATION_ID", "organization")
        for name in ("API_KEY", "AUTH_TOKEN", "PROFILE", "CONFIG_DIR"):
            monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
        options = {"base_url": fake.address, "http_client": connections()}
        bare, ours = anthropic.Anthropic(**options), Anthropic(amplitude=ai, **options)
        assert bare.credentials is not None
        assert type(ours.credentials) is type(bare.credentials)


@pytest.mark.parametrize("call", ["count_tokens", "batches"])
def test_what_is_no_call_of_a_model_is_not_counted(call: str, client: Any, sink: MemorySink) -> None:
    if call == "batches":
        client.messages.batches.create(requests=[{"custom_id": "1", "params": said("Hi")}])
        client.beta.messages.batches.create(requests=[{"custom_id": "1", "params": said("Hi")}])
    else:
        counted = client.messages.count_tokens(model=MODEL, messages=said("Hi")["messages"])
        assert counted.input_tokens == 20
        client.beta.messages.count_tokens(model=MODEL, messages=said("Hi")["messages"])
    assert kinds(sink) == []


def test_what_is_sent_as_extra_body_counts(client: Any, sink: MemorySink) -> None:
    client.messages.create(**said("Hi", extra_body={"temperature": 0.5, "speed": "fast"}))
    assert of_kind("answer", sink)[0]["temperature"] == 0.5


def test_a_refusal_is_a_reason_to_stop_and_no_error(client: Any, sink: MemorySink) -> None:
    client.messages.create(**said("refuse"))
    list(client.messages.create(stream=True, **said("refuse")))
    told = [(event["finish_reason"], event["is_error"]) for event in of_kind("answer", sink)]
    assert told == [("refusal", False)] * 2


def test_two_tools_at_once_are_two_tool_calls(client: Any, ai: AmplitudeAI, sink: MemorySink) -> None:
    given = said("tool twice")
    with ai.agent(user_id="u").session(track_session_end=False):
        asked = client.messages.create(**given)
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": [{"type": "text", "text": "sunny"}]}
            for block in asked.content
        ]
        more = [{"role": "assistant", "content": asked.content}, {"role": "user", "content": results}]
        client.messages.create(**{**given, "messages": [*given["messages"], *more]})
    assert kinds(sink) == ["user", "answer", "tool", "tool", "answer"]
    assert [event["tool_output"] for event in of_kind("tool", sink)] == ["sunny", "sunny"]
    assert len(json.loads(of_kind("answer", sink)[0]["tool_calls"])) == 2


def test_the_failure_of_a_request_has_its_id(client: Any, sink: MemorySink) -> None:
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**said("error429"))
    assert of_kind("answer", sink)[0]["provider_request_id"] == "req_1"


def test_context_headers_travel(fake: AnthropicServer, connect: Make) -> None:
    ai = AmplitudeAI(sink=MemorySink(), config=AIConfig(propagate_context=True))
    with ai.agent("bot", user_id="u").session(session_id="s-1"):
        connect(Anthropic, amplitude=ai).messages.create(**said("Hi"))
    headers = {name.lower(): value for name, value in fake.requests[0]["headers"].items()}
    assert (headers["x-amplitude-session-id"], headers["x-amplitude-agent-id"]) == ("s-1", "bot")
    assert headers["traceparent"].startswith("00-")
    assert "u" not in headers.values()


async def test_a_helper_that_is_cancelled_says_so(connect: Make, ai: AmplitudeAI, sink: MemorySink) -> None:
    async with connect(AsyncAnthropic, amplitude=ai) as client:
        begun = asyncio.Event()

        async def read() -> None:
            async with client.messages.stream(**said("stall")) as stream:
                async for text in stream.text_stream:
                    if text == "two ":
                        begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (left,) = of_kind("answer", sink)
        assert (left["llm_message"]["text"], left["error_type"]) == ("One two ", "CancelledError")


HELPERS = ["break", "close", "raise"]


@pytest.mark.parametrize("how", HELPERS)
def test_a_helper_that_is_left_is_told_at_once(how: str, client: Any, sink: MemorySink) -> None:
    def leave(stream: Any) -> None:
        for text in stream.text_stream:
            if text == "two ":
                if how == "raise":
                    raise KeyError(text)
                break
        if how == "close":
            stream.close()
            assert len(of_kind("answer", sink)) == 1

    def read() -> None:
        with client.messages.stream(**said("stall")) as stream:
            leave(stream)

    if how == "raise":
        with pytest.raises(KeyError):
            read()
    else:
        read()
    (left,) = of_kind("answer", sink)
    assert (left["llm_message"]["text"], left["stream_abandoned"]) == ("One two ", True)
    assert left.get("error_type") == ("KeyError" if how == "raise" else None)


def test_a_reader_may_go_on_after_a_break_inside_the_helper(client: Any, sink: MemorySink) -> None:
    with client.messages.stream(**said("Hi")) as stream:
        for _text in stream.text_stream:
            break
        assert stream.get_final_text() == "One two three four."
    (whole,) = of_kind("answer", sink)
    assert (whole["output_tokens"], whole.get("stream_abandoned")) == (7, None)


def test_a_stream_counts_as_one_of_the_vendors(client: Any) -> None:
    with client.messages.create(stream=True, **said("Hi")) as stream:
        found = [isinstance(stream, kind) for kind in (anthropic.Stream, anthropic.AsyncStream)]
    assert found == [True, False]
    assert not isinstance("text", anthropic.Stream)
