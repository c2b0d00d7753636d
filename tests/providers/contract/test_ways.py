"""Every public way to make a call is one exchange, with keywords, without tracking and under validation."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations import AIConfig, AmplitudeAI

from ...fakes.model_server import TEXT
from ..expected import fields, kinds, of_kind, user, with_changes
from .answers import read, whole
from .cells import over, ways, ways_of
from .conftest import Stand
from .provider import Ask, Way


def _way(stand: Stand, kind: str, name: str) -> Way:
    return ways_of(stand.provider, kind)[name]


def _given(stand: Stand, way: Way, words: str = "Hi", **more: Any) -> dict[str, Any]:
    return {**stand.api(way.api).arguments(Ask(words)), **more}


@over("provider way kind door", ways())
def test_every_way_is_one_whole_exchange(provider: str, way: str, kind: str, door: str, stand: Stand) -> None:
    known = _way(stand, kind, way)
    given = _given(stand, known)
    _shown, events = stand.run(kind, door, lambda client: known.run(client, **given))
    api = stand.api(known.api)
    answered = read(api, Ask("Hi"), TEXT) if known.is_streaming else whole(api)
    assert events == [user("Hi"), with_changes(answered, known.says)]


@over("provider way kind door", ways("keywords", doors=["swap", "patch"]))
def test_every_way_takes_keywords(provider: str, way: str, kind: str, door: str, stand: Stand) -> None:
    known = _way(stand, kind, way)
    given = _given(stand, known, amplitude_user_id="mary", amplitude_conversation_id="c")
    stand.run(kind, door, lambda client: known.run(client, **given))
    assert [(event.get("user_id"), fields(event)["session_id"]) for event in stand.sink] == [
        ("mary", "c"),
        ("mary", "c"),
    ]
    assert "amplitude" not in str(stand.fake.requests).lower()


@over("provider way kind door", ways(doors=["swap", "patch"]))
def test_a_disabled_client_tracks_nothing_and_sends_no_keyword(
    provider: str, way: str, kind: str, door: str, stand: Stand
) -> None:
    known = _way(stand, kind, way)
    keywords = {} if "keywords" in known.lacks else {"amplitude_user_id": "mary"}
    stand.ai = AmplitudeAI(sink=stand.sink, config=AIConfig(enabled=False))
    stand.run(kind, door, lambda client: known.run(client, **_given(stand, known, **keywords)))
    assert kinds(stand.sink) == []
    assert len(stand.fake.requests) == 1
    assert "mary" not in str(stand.fake.requests)


@over("provider way kind door", ways("keywords", doors=["swap"]))
def test_every_way_passes_validation(provider: str, way: str, kind: str, door: str, stand: Stand) -> None:
    known = _way(stand, kind, way)
    stand.ai = AmplitudeAI(sink=stand.sink, config=AIConfig(validate=True))
    given = _given(stand, known, "think tool", amplitude_message_id="m")
    stand.run(kind, door, lambda client: known.run(client, **given))
    assert [event["message_id"] for event in of_kind("answer", stand.sink)] == ["m"]


@over("provider way kind door", ways("retries", doors=["swap"]))
def test_several_attempts_are_one_call(provider: str, way: str, kind: str, door: str, stand: Stand) -> None:
    known = _way(stand, kind, way)
    given = _given(stand, known, "error500x2")
    stand.run(kind, door, lambda client: known.run(client, **given), retries=2)
    assert len(stand.fake.requests) == 3
    assert [(event["is_error"], event["llm_message"]["text"]) for event in of_kind("answer", stand.sink)] == [
        (False, TEXT)
    ]
