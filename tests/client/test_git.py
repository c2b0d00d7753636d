"""Which commit ran, on every event: told by the configuration or by what build systems set."""

from __future__ import annotations

from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ContentMode, MemorySink, SessionEnrichments

VARIABLES = {
    "git_sha": ("AMPLITUDE_GIT_SHA", "GIT_SHA", "GITHUB_SHA", "COMMIT_SHA"),
    "git_ref": ("AMPLITUDE_GIT_REF", "GIT_REF", "GITHUB_REF"),
    "git_repo": ("AMPLITUDE_GIT_REPO", "GIT_REPO", "GITHUB_REPOSITORY"),
}
WIRE = {"git_sha": "[Agent] Git SHA", "git_ref": "[Agent] Git Ref", "git_repo": "[Agent] Git Repo"}


@pytest.fixture(autouse=True)
def _built_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


def _events(**settings: Any) -> list[dict[str, Any]]:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(**settings))
    with ai.agent("bot").session(user_id="ann") as session:
        session.track_user_message("x")
        session.track_ai_message("x")
        session.track_tool_call("t")
        session.track_embedding("e")
        session.track_span("s")
        session.score("good", 1, "m-1")
        session.track_session_enrichment(SessionEnrichments())
    found = [event["event_properties"] for event in sink]
    assert len(found) == 8
    return [{name: event.get(wire) for name, wire in WIRE.items()} for event in found]


@pytest.mark.parametrize("mode", list(ContentMode))
def test_the_configuration_tells(mode: ContentMode) -> None:
    commit = {"git_sha": "4b825dc6", "git_ref": "refs/heads/main", "git_repo": "acme/bot"}
    assert _events(content_mode=mode, **commit) == [commit] * 8


@pytest.mark.parametrize("field", VARIABLES)
def test_build_systems_tell_the_nearest_first(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    for name in reversed(VARIABLES[field]):
        monkeypatch.setenv(name, f"from {name}")
        assert getattr(AIConfig(), field) == f"from {name}"
    assert _events(**{field: "explicit"})[0][field] == "explicit"
    assert _events()[0][field] == f"from {VARIABLES[field][0]}"


def test_otherwise_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys(WIRE)
    assert _events() == [nothing] * 8
    for names in VARIABLES.values():
        monkeypatch.setenv(names[0], "")
    assert _events() == [nothing] * 8


def test_nobody_else_can_say_it() -> None:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(git_sha="4b825dc6"))
    ai.track_span("ann", "x", git_sha="forged", event_properties={"[Agent] Git SHA": "forged"})  # type: ignore[call-arg]
    assert sink.events[0]["event_properties"]["[Agent] Git SHA"] == "4b825dc6"
