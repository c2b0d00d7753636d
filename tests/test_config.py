"""Settings come from arguments, then the environment, then defaults; wrong ones are said at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, ContentMode, MemorySink

FLAGS = ["redact_pii", "debug", "dry_run", "validate", "enabled", "propagate_context", "review_mode",
         "capture_stack_trace", "strict_cost", "follow_threads", "use_batch", "durable"]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), (" On ", True), ("off", False)])
@pytest.mark.parametrize("flag", FLAGS)
def test_flags_of_the_environment(monkeypatch: pytest.MonkeyPatch, flag: str, text: str, value: bool) -> None:
    default = getattr(AIConfig(), flag)
    monkeypatch.setenv(f"AMPLITUDE_AI_{flag.upper()}", text)
    assert getattr(AIConfig(), flag) is value
    assert getattr(AIConfig(**{flag: not value}), flag) is not value
    monkeypatch.setenv(f"AMPLITUDE_AI_{flag.upper()}", "")
    assert getattr(AIConfig(), flag) is default


@pytest.mark.parametrize("text", ["ture", "y", "enabled"])
@pytest.mark.parametrize("flag", FLAGS)
def test_a_mistyped_flag_is_no_flag(monkeypatch: pytest.MonkeyPatch, flag: str, text: str) -> None:
    monkeypatch.setenv(f"AMPLITUDE_AI_{flag.upper()}", text)
    with pytest.raises(
        ConfigurationError, match=f"AMPLITUDE_AI_{flag.upper()} is '{text}'; use 'true' or 'false'"
    ):
        AIConfig()


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", ["false", 1, 0, None, []])
def test_a_flag_is_true_or_false(flag: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{flag} is .*; it must be True or False"):
        AIConfig(**{flag: value})


class HasNoTake:
    take = 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"content_mode": "fool"}, "content_mode is 'fool'; use one of 'full', 'metadata_only'"),
        ({"content_mode": None}, "content_mode is None; use one of"),
        ({"content_mode": ["full"]}, "content_mode is \\['full'\\]; use one of"),
        ({"server_url": "localhost:8320"}, "server_url is 'localhost:8320'"),
        ({"server_url": "http://[half"}, "server_url is 'http://\\[half'; use a URL such as"),
        ({"server_url": 8320}, "server_url is 8320; use a URL such as"),
        ({"server_url": b"http://127.0.0.1"}, "use a URL such as"),
        ({"server_url": ""}, "server_url is ''; use a URL such as"),
        ({"server_zone": "MARS"}, "use 'US' or 'EU'"),
        ({"server_zone": None}, "use 'US' or 'EU'"),
        ({"server_zone": ["US"]}, "use 'US' or 'EU'"),
        ({"before_send": "x"}, "before_send must be callable, not str"),
        ({"custom_redaction_fn": 5}, "custom_redaction_fn must be callable, not int"),
        ({"on_event_callback": []}, "on_event_callback must be callable, not list"),
        ({"turn_counter": HasNoTake()}, "turn_counter must have a method take"),
        ({"custom_redaction_patterns": "abc"}, "custom_redaction_patterns is .*; give a list"),
        ({"custom_redaction_patterns": ["("]}, r"redaction pattern '\(' does not compile"),
        ({"custom_redaction_patterns": [("a", r"\1")]}, "redaction pattern .* does not compile"),
        ({"custom_redaction_patterns": [("a", 5)]}, "redaction pattern .* does not compile"),
        ({"custom_redaction_patterns": [("a",)]}, "is neither a text nor a pair of texts"),
        ({"custom_redaction_patterns": [5]}, "redaction pattern 5 is neither a text nor a pair of texts"),
        ({"custom_redaction_patterns": [None]}, "redaction pattern None is neither"),
        ({"context_keys": "variant"}, "context_keys is .*; give a list"),
    ],
)
def test_wrong_settings_get_one_sentence(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        AIConfig(**settings)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("given", [("order-\\d+", "[order]"), ["order-\\d+", "[order]"], "order-\\d+"])
def test_patterns_are_texts_or_pairs(given: Any) -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(custom_redaction_patterns=[given]))
    ai.track_user_message("ann", "Where is order-4711?")
    text = sink.events[0]["event_properties"]["$llm_message"]["text"]
    assert text == f"Where is {'[REDACTED]' if isinstance(given, str) else '[order]'}?"


def test_the_content_mode_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_CONTENT_MODE", "metadata_only")
    assert AIConfig().content_mode is ContentMode.METADATA_ONLY
    assert AIConfig(content_mode="full").content_mode is ContentMode.FULL  # type: ignore[arg-type]


def test_the_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", "http://127.0.0.1:8320")
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_ZONE", "eu")
    assert (AIConfig().server_url, AIConfig().server_zone) == ("http://127.0.0.1:8320", "EU")


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        AIConfig().debug = True  # type: ignore[misc]
    assert dataclasses.replace(AIConfig(), debug=True).debug is True


@pytest.mark.parametrize("spool", [5, True, ["x"]])
def test_a_spool_is_a_folder(spool: Any) -> None:
    with pytest.raises(ConfigurationError, match="name a folder, or say 'off'"):
        AIConfig(spool=spool)
