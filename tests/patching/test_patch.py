"""One line observes every client of a process: those that exist, those to come, and under any name."""

from __future__ import annotations

import logging
import threading
from typing import Any
from weakref import WeakSet

import openai
import pytest
from amplitude import Amplitude, EventPlugin
from amplitude.constants import PluginType
from openai import OpenAI as ImportedBefore

import amplitude_ai_integrations
from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    ConfigurationError,
    MemorySink,
    MockAmplitudeAI,
    patch,
    patch_async_openai,
    patch_azure_openai,
    patch_openai,
    unpatch,
    unpatch_openai,
)
from amplitude_ai_integrations.client import default

from ..fakes.openai_server import TEXT, OpenAIServer
from ..providers.expected import fields, kinds, of_kind, seen
from .calling import exchange, say
from .conftest import Connect

ALL = ["openai", "anthropic", "gemini", "mistral", "bedrock"]


def test_all_that_is_installed_is_patched_and_told(ai: AmplitudeAI) -> None:
    assert patch(ai) == ALL
    assert ai.status()["patched_providers"] == sorted(ALL)
    unpatch()
    assert ai.status()["patched_providers"] == []


def test_a_call_without_anybody_becomes_events_of_a_device(
    ai: AmplitudeAI, sink: MemorySink, connect: Connect
) -> None:
    patch(ai)
    assert say(connect(openai.OpenAI)).choices[0].message.content == TEXT
    assert seen(sink) == exchange()


def test_clients_that_exist_and_names_imported_before_are_observed(
    ai: AmplitudeAI, sink: MemorySink, client: Any, connect: Connect
) -> None:
    patch(ai)
    assert type(client) is ImportedBefore is openai.OpenAI
    say(client)
    say(connect(ImportedBefore))
    say(client.with_options(timeout=9))
    assert kinds(sink) == ["user", "answer"] * 3


@pytest.mark.parametrize(
    ("only", "kind", "provider"),
    [
        (patch_openai, openai.OpenAI, "openai"),
        (patch_async_openai, openai.AsyncOpenAI, "openai"),
        (patch_azure_openai, openai.AzureOpenAI, "azure"),
        (patch_azure_openai, openai.AsyncAzureOpenAI, "azure"),
    ],
)
async def test_each_kind_of_client_has_its_own_line(
    ai: AmplitudeAI, sink: MemorySink, connect: Connect, only: Any, kind: Any, provider: str
) -> None:
    others = {openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI} - {kind}
    if only is patch_azure_openai:
        others -= {openai.AzureOpenAI, openai.AsyncAzureOpenAI}

    async def all_say(kinds_: Any) -> None:
        for one in kinds_:
            client = connect(one)
            if issubclass(one, openai.AsyncOpenAI):
                async with client:
                    await say(client)
            else:
                say(client)

    only(ai, "user-1")
    await all_say(others)
    assert kinds(sink) == []
    await all_say([kind])
    assert seen(sink) == exchange(user_id="user-1", device_id=None, provider=provider)


def test_what_is_said_once_for_all_calls_gives_way_to_the_call_and_to_a_session(
    ai: AmplitudeAI, sink: MemorySink, client: Any
) -> None:
    patch(ai, user_id="user-1", device_id="device-1", agent_id="bot", env="test")
    say(client)
    say(client, amplitude_user_id="user-2")
    with ai.agent("other").session(user_id="user-3"):
        say(client)
    told = [
        (event.get("user_id"), fields(event).get("agent_id")) for event in sink if "Response" in str(event)
    ]
    assert told == [("user-1", "bot"), ("user-2", "bot"), ("user-3", "other")]


def test_patching_again_only_changes_where_to_report(client: Any) -> None:
    first, second = MockAmplitudeAI(), MockAmplitudeAI()
    patch(first, user_id="user-1")
    before = vars(openai.OpenAI)["request"]
    assert patch(second) == ALL
    patch_openai(second)
    assert vars(openai.OpenAI)["request"] is before
    say(client)
    assert first.events == []
    assert seen(second.events) == exchange()


def test_a_client_that_is_observed_by_itself_is_seen_once_and_where_it_says(connect: Connect) -> None:
    own, all_ = MockAmplitudeAI(), MockAmplitudeAI()
    client = amplitude_ai_integrations.wrap(connect(openai.OpenAI), own)
    patch(all_)
    say(client)
    assert (kinds(own.events), all_.events) == (["user", "answer"], [])
    unpatch()
    say(client)
    assert kinds(own.events) == ["user", "answer"] * 2


def test_after_unpatch_nothing_is_seen_but_a_stream_begun_before(
    ai: AmplitudeAI, sink: MemorySink, client: Any
) -> None:
    patch(ai)
    stream = say(client, stream=True)
    next(stream)
    unpatch()
    say(client)
    assert kinds(sink) == ["user"]
    for _chunk in stream:
        pass
    assert kinds(sink) == ["user", "answer"]
    with pytest.raises(TypeError, match="amplitude_user_id"):
        say(client, amplitude_user_id="user-1")


def test_one_line_is_taken_back_by_itself(ai: AmplitudeAI, sink: MemorySink, connect: Connect) -> None:
    patch(ai)
    unpatch_openai()
    say(connect(openai.OpenAI))
    assert kinds(sink) == []
    say(connect(openai.AzureOpenAI))
    assert kinds(sink) == ["user", "answer"]
    assert "openai" in ai.status()["patched_providers"]


@pytest.mark.parametrize("mode", ["metadata_only", "customer_enriched"])
def test_the_words_that_leave_can_be_said_where_it_is_patched(
    ai: AmplitudeAI, sink: MemorySink, client: Any, mode: str
) -> None:
    patch(ai, content_mode=mode)
    say(client)
    with ai.agent("a").session():
        say(client)
    assert [fields(event)["content_mode"] for event in sink][:4] == [mode] * 4
    assert TEXT not in str(sink.events)
    assert ai.config.content_mode == "full"


def test_debug_prints_a_line_an_event(
    ai: AmplitudeAI, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    patch(ai, debug=True)
    say(client)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" | ")[0] for line in lines] == [
        "[amplitude-ai] [Agent] User Message", "[amplitude-ai] [Agent] AI Response",
    ]  # fmt: skip
    patch(ai)
    say(client)
    assert capsys.readouterr().err == ""


class Kept(EventPlugin):  # type: ignore[misc]
    """Keeps what an `Amplitude` client is given, and lets nothing leave."""

    def __init__(self) -> None:
        super().__init__(PluginType.ENRICHMENT)
        self.events: list[str] = []

    def track(self, event: Any) -> None:
        self.events.append(event.event_type)


def test_any_kind_of_client_may_be_reported_to(ai: AmplitudeAI, sink: MemorySink, client: Any) -> None:
    raw, kept = Amplitude("k"), Kept()
    raw.add(kept)
    mock = MockAmplitudeAI()
    for given in (ai, ai.amplitude, raw, mock):
        patch(given)
        say(client)
    both = ["[Agent] User Message", "[Agent] AI Response"]
    assert [event["event_type"] for event in sink] == both * 2
    assert [event["event_type"] for event in mock.events] == both
    assert kept.events == both
    raw.shutdown()


def test_the_only_client_need_not_be_named(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "_clients", WeakSet())
    with pytest.raises(ConfigurationError, match=r"^patch\(\) cannot tell .* no AmplitudeAI yet"):
        patch()
    only = MockAmplitudeAI()
    patch()
    say(client)
    assert kinds(only.events) == ["user", "answer"]
    another = MockAmplitudeAI()
    with pytest.raises(ConfigurationError, match=r"^patch_openai\(\) cannot tell .* several AmplitudeAI"):
        patch_openai()
    assert another.events == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amplitude": "key"}, "amplitude= is str"),
        ({"agent": "a"}, "takes no 'agent'"),
        ({"content_mode": "everything"}, "content_mode is 'everything'"),
    ],
)
def test_a_mistake_in_the_line_is_said_at_once(ai: AmplitudeAI, given: Any, words: str) -> None:
    before = ai.status()["patched_providers"]
    for line in (patch, patch_openai):
        with pytest.raises(ConfigurationError, match=words):
            line(**{"amplitude": ai, **given})
    assert ai.status()["patched_providers"] == before


def test_where_tracking_is_off_calls_pass(fake: OpenAIServer, client: Any) -> None:
    patch(AmplitudeAI(config=AIConfig(enabled=False)))
    assert say(client, amplitude_user_id="user-1").choices[0].message.content == TEXT
    assert "amplitude" not in str(fake.requests).lower()


def test_threads_may_call_while_others_patch(client: Any) -> None:
    mock = MockAmplitudeAI()
    swallowed = mock.status()["swallowed"]  # in this process, by other tests
    answers: list[str] = []
    is_over = threading.Event()

    def call() -> None:
        while not is_over.is_set():
            answers.append(say(client).choices[0].message.content)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    turns = 0
    while turns < 100 or len(answers) < 20:
        patch_openai(mock)
        patch_openai(mock)
        unpatch()
        turns += 1
    is_over.set()
    for thread in threads:
        thread.join(10)
    assert set(answers) == {TEXT}
    assert mock.status()["swallowed"] == swallowed
    before = len(mock.events)
    patch_openai(mock)
    say(client)
    assert len(of_kind("answer", mock.events[before:])) == 1


def test_providers_that_are_not_declared_are_said_once_for_each_program(
    ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        patch(ai, expected_providers=[*ALL[1:], "azure_openai"], app_key="whole")
        assert caplog.messages == []
        for _ in range(2):
            patch(ai, expected_providers=["OpenAI", "cohere"], app_key="support-bot")
        patch(ai, expected_providers="openai")
    declared = "the application 'support-bot' declares the providers ['cohere', 'openai'], and"
    assert caplog.messages[0] == (
        f"patch(): {declared} {sorted(ALL)} were patched (unexpected: {sorted(ALL[1:])}; missing: ['cohere']). "
        "The calls of all that were patched become events."
    )
    assert caplog.messages[1].startswith("patch(): this application declares the providers ['openai'], and")
    assert len(caplog.messages) == 2


def test_expected_providers_of_any_kind_raise_nothing(swallowing: None, ai: AmplitudeAI, client: Any) -> None:
    assert patch(ai, expected_providers=7) == ALL  # type: ignore[arg-type]
