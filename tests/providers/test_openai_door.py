"""One door's own privacy and headers: what it says of itself, and what a session says around it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink, wrap
from amplitude_ai_integrations.calls.replacing import undo_all
from amplitude_ai_integrations.calls.reporting import Reporting
from amplitude_ai_integrations.client.default import _clients
from amplitude_ai_integrations.config import ContentMode, PrivacyConfig
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.providers.openai import (
    AsyncOpenAI,
    AzureOpenAI,
    OpenAI,
    patch_openai,
)

from ..fakes.azure_server import AzureServer
from ..fakes.model_server import ModelServer
from ..fakes.openai_server import OpenAIServer
from .conftest import MakeClient
from .expected import fields, kinds, of_kind
from .ways import chat

CANARY = "canary7"
PRIVATE: list[dict[str, Any]] = [
    {"content_mode": "metadata_only"},
    {"privacy_mode": True},
    {"privacy_mode": True, "content_mode": "full"},
    {"privacy_config": PrivacyConfig(privacy_mode=True)},
    {"privacy_config": PrivacyConfig(content_mode="metadata_only")},
    {"privacy_config": PrivacyConfig(content_mode="full"), "content_mode": ContentMode.METADATA_ONLY},
]

Make = Callable[..., Any]


def _own_class(connect: MakeClient, ai: AmplitudeAI, **settings: Any) -> Any:
    return connect(OpenAI, amplitude=ai, **settings)


def _wrapped(connect: MakeClient, ai: AmplitudeAI, **settings: Any) -> Any:
    return wrap(connect(openai.OpenAI), ai, **settings)


def _copied(connect: MakeClient, ai: AmplitudeAI, **settings: Any) -> Any:
    return connect(OpenAI, amplitude=ai, **settings).with_options(timeout=9)


MAKES = pytest.mark.parametrize("make", [_own_class, _wrapped, _copied])


def _words(events: Any) -> int:
    return json.dumps([*events]).count(CANARY)


@MAKES
@pytest.mark.parametrize("settings", PRIVATE, ids=str)
def test_a_private_door_lets_no_word_out(
    settings: dict[str, Any], make: Make, connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = make(connect, ai, **settings)
    client.chat.completions.create(**chat(f"{CANARY} echo:{CANARY}", amplitude_user_id="u"))
    assert kinds(sink) == ["user", "answer"]
    assert _words(sink) == 0
    assert {fields(event)["content_mode"] for event in sink} == {"metadata_only"}
    ai.track_user_message("u", CANARY)
    assert _words(sink) == 1


@MAKES
def test_a_private_door_is_private_inside_a_session_too(
    make: Make, connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    client = make(connect, ai, content_mode="metadata_only")
    with ai.agent(user_id="u").session(track_session_end=False) as session:
        client.chat.completions.create(**chat(CANARY))
        stream = client.chat.completions.create(**chat(CANARY, stream=True))
    for _chunk in stream:
        pass
    assert kinds(sink) == ["user", "answer", "answer"]
    assert _words(sink) == 0
    session.track_user_message(CANARY)
    assert _words(sink) == 1


@MAKES
def test_no_door_lets_out_what_its_session_keeps_back(
    make: Make, connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    settings = PrivacyConfig(content_mode="full", redact_pii=False, capture_stack_trace=True)
    client = make(connect, ai, privacy_config=settings)
    private = MemorySink()
    owner = AmplitudeAI(sink=private, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    with owner.agent(user_id="u").session(track_session_end=False):
        client.chat.completions.create(**chat(CANARY))
    assert sink.events == []
    assert (kinds(private), _words(private)) == (["user", "answer"], 0)


def test_a_door_may_be_more_open_than_its_client_outside_sessions(
    connect: MakeClient, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode.METADATA_ONLY))
    connect(OpenAI, amplitude=ai, content_mode="full").chat.completions.create(**chat(CANARY))
    assert _words(sink) == 1


def test_patterns_and_functions_are_added_to_those_of_the_client(
    connect: MakeClient, sink: MemorySink
) -> None:
    own = AIConfig(custom_redaction_patterns=["alpha"], custom_redaction_fn=lambda text: text + "!")
    settings = PrivacyConfig(
        custom_redaction_patterns=[("beta", "B")],
        custom_redaction_fn=lambda text: text + "?",
        redact_pii=False,
    )
    client = connect(OpenAI, amplitude=AmplitudeAI(sink=sink, config=own), privacy_config=settings)
    client.chat.completions.create(**chat("alpha beta a@b.io"))
    assert of_kind("user", sink)[0]["llm_message"] == {"text": "[REDACTED] B a@b.io!?"}


def test_a_door_prints_its_events_where_it_is_told_to(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(OpenAI, amplitude=ai).chat.completions.create(**chat("Hi"))
    client = wrap(connect(openai.OpenAI), ai, debug=True)
    client.chat.completions.create(**chat("Hi"))
    with ai.agent(user_id="u").session(track_session_end=False):
        client.chat.completions.create(**chat("Hi"))
    printed = capsys.readouterr().err.splitlines()
    assert [line.partition(" | ")[0] for line in printed] == [
        "[amplitude-ai] [Agent] User Message",
        "[amplitude-ai] [Agent] AI Response",
    ] * 2
    assert len(sink.events) == 6


def test_a_patch_may_be_private(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink) -> None:
    undos = patch_openai(Reporting(ai, None, {"content_mode": "metadata_only"}))
    try:
        connect(openai.OpenAI).chat.completions.create(**chat(CANARY))
    finally:
        undo_all(undos)
    assert (kinds(sink), _words(sink)) == (["user", "answer"], 0)


def test_a_door_of_its_own_is_no_client_of_its_own(connect: MakeClient) -> None:
    before = {*_clients}
    ai = AmplitudeAI(sink=MemorySink())
    connect(OpenAI, amplitude=ai, privacy_mode=True).chat.completions.create(**chat("Hi"))
    assert {*_clients} - before == {ai}


@pytest.mark.parametrize(
    "settings",
    [
        {"content_mode": "most"},
        {"privacy_config": {"privacy_mode": True}},
        {"privacy_config": AIConfig()},
        {"propagate_context": "yes"},
    ],
    ids=str,
)
@MAKES
def test_a_setting_that_is_none_is_refused_at_once(
    settings: dict[str, Any], make: Make, connect: MakeClient, ai: AmplitudeAI
) -> None:
    with pytest.raises(ConfigurationError):
        make(connect, ai, **settings)


@pytest.mark.parametrize(
    "given",
    [
        {"privacy_mode": "yes"},
        {"redact_pii": 1},
        {"custom_redaction_patterns": "x"},
        {"custom_redaction_patterns": ["("]},
        {"custom_redaction_fn": 7},
        {"content_mode": "most"},
        {"debug": "no"},
    ],
    ids=str,
)
def test_a_privacy_config_says_what_is_wrong(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="|".join([*given, "redaction pattern"])):
        PrivacyConfig(**given)


def test_what_a_privacy_config_does_not_say_stays() -> None:
    config = AIConfig(content_mode=ContentMode.CUSTOMER_ENRICHED, redact_pii=False, context_keys=["a"])
    same = PrivacyConfig().over(config)
    assert dataclasses.replace(same, custom_redaction_patterns=()) == config
    assert PrivacyConfig(content_mode="full", redact_pii=True).within(config) == dataclasses.replace(
        same, redact_pii=True
    )


HEADERS = ("traceparent", "x-amplitude-session-id", "x-amplitude-agent-id")


def _sent(fake: ModelServer) -> list[dict[str, str]]:
    return [{name.lower(): value for name, value in request["headers"].items()} for request in fake.requests]


@pytest.mark.parametrize(("of_client", "of_door", "is_sent"), [
    (False, None, False), (True, None, True), (False, True, True), (True, False, False),
])  # fmt: skip
def test_context_travels_where_the_door_or_else_the_client_says_so(
    of_client: bool,
    of_door: bool | None,
    is_sent: bool,
    connect: MakeClient,
    fake: OpenAIServer,
    sink: MemorySink,
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(propagate_context=of_client))
    clients = [
        connect(OpenAI, amplitude=ai, propagate_context=of_door),
        wrap(connect(openai.OpenAI), ai, propagate_context=of_door),
    ]
    with ai.agent("bot", user_id="secret-user").session(session_id="s-1", track_session_end=False) as session:
        for client in clients:
            client.chat.completions.create(**chat("Hi"))
        hexadecimal = session.trace_id.replace("-", "")
    for sent in _sent(fake):
        assert [name in sent for name in HEADERS] == [is_sent] * 3
        assert "secret-user" not in json.dumps(sent)
        if is_sent:
            assert (sent["x-amplitude-session-id"], sent["x-amplitude-agent-id"]) == ("s-1", "bot")
            assert sent["traceparent"].split("-")[1] == hexadecimal
    assert len(fake.requests) == 2


def test_context_travels_to_azure(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink) -> None:
    azure = AzureServer()
    try:
        there: Any = {"azure_endpoint": azure.address, "base_url": None, "api_version": "2024-10-21"}
        client = connect(AzureOpenAI, amplitude=ai, propagate_context=True, **there)
        with ai.agent("bot", user_id="secret-user").session(session_id="s-1", track_session_end=False):
            client.chat.completions.create(**chat("Hi"))
        (sent,) = _sent(azure)
    finally:
        azure.stop()
    assert (sent["x-amplitude-session-id"], sent["x-amplitude-agent-id"]) == ("s-1", "bot")
    assert "secret-user" not in json.dumps(sent)
    assert [answer["provider"] for answer in of_kind("answer", sink)] == ["azure"]


TRACEPARENT = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.mark.parametrize("name", ["traceparent", "Traceparent"])
@pytest.mark.parametrize("is_of_client", [True, False])
def test_a_traceparent_of_the_callers_stays(
    name: str, is_of_client: bool, connect: MakeClient, fake: OpenAIServer, ai: AmplitudeAI
) -> None:
    headers = {name: TRACEPARENT}
    client = connect(
        OpenAI, amplitude=ai, propagate_context=True, default_headers=headers if is_of_client else None
    )
    with ai.agent("bot", user_id="u").session(session_id="s-1", track_session_end=False):
        client.chat.completions.create(**chat("Hi", **({} if is_of_client else {"extra_headers": headers})))
    (sent,) = _sent(fake)
    assert (sent["traceparent"], sent["x-amplitude-session-id"]) == (TRACEPARENT, "s-1")
    assert "tracestate" not in sent
    assert headers == {name: TRACEPARENT}


async def test_context_of_a_retry_is_that_of_the_call(
    connect: MakeClient, fake: OpenAIServer, ai: AmplitudeAI
) -> None:
    async with connect(AsyncOpenAI, amplitude=ai, propagate_context=True, max_retries=2) as client:
        with ai.agent("bot", user_id="u").session(session_id="s-1", track_session_end=False):
            await client.chat.completions.create(**chat("error500x2 Hi"))
    sent = [{name: headers[name] for name in HEADERS} for headers in _sent(fake)]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]


def test_outside_a_session_nothing_travels(connect: MakeClient, fake: OpenAIServer, ai: AmplitudeAI) -> None:
    connect(OpenAI, amplitude=ai, propagate_context=True).chat.completions.create(**chat("Hi"))
    (sent,) = _sent(fake)
    assert not any(name in sent for name in HEADERS)
