"""Settings come from arguments, then the environment, then defaults; wrong ones are said at once."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import AIConfig, ConfigurationError, ContentMode


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("off", False), ("", True)])
def test_flags_of_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_REDACT_PII", text)
    assert AIConfig().redact_pii is value
    assert AIConfig(redact_pii=False).redact_pii is False


@pytest.mark.parametrize("text", ["ture", "y", "enabled"])
def test_a_mistyped_flag_is_no_flag(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_REDACT_PII", text)
    with pytest.raises(ConfigurationError, match=f"{text}.*'true' or 'false'"):
        AIConfig()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"content_mode": "fool"}, "content_mode is 'fool'; use one of 'full', 'metadata_only'"),
        ({"server_url": "localhost:8320"}, "server_url is 'localhost:8320'"),
        ({"server_zone": "MARS"}, "use 'US' or 'EU'"),
        ({"before_send": "x"}, "before_send must be callable, not str"),
    ],
)
def test_wrong_settings_get_one_sentence(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        AIConfig(**settings)  # type: ignore[arg-type]


def test_the_content_mode_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_CONTENT_MODE", "metadata_only")
    assert AIConfig().content_mode is ContentMode.METADATA_ONLY
