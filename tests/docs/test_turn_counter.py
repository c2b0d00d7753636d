"""The shared turn counter of the guide counts as it says, with a stand-in for Redis."""

from __future__ import annotations

from typing import Any

from amplitude_ai_integrations import AIConfig, MockAmplitudeAI

from .blocks import ROOT, blocks_of


class Redis:
    """The three commands of Redis that the guide uses."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[str, float]] = {}
        self.seconds: dict[str, int] = {}

    def zincrby(self, key: str, by: int, member: str) -> float:
        members = self.sets.setdefault(key, {})
        members[member] = members.get(member, 0.0) + by
        return members[member]

    def zadd(self, key: str, scores: dict[str, float], *, gt: bool) -> None:
        assert gt
        members = self.sets.setdefault(key, {})
        members.update({name: max(score, members.get(name, score)) for name, score in scores.items()})

    def expire(self, key: str, seconds: int) -> None:
        self.seconds[key] = seconds


def test_two_processes_share_the_turns_of_a_session() -> None:
    (block,) = [block for block in blocks_of(ROOT / "docs/sessions.md") if "class RedisTurns" in block.code]
    names: dict[str, Any] = {}
    block.run(names)
    redis = Redis()
    config = AIConfig(turn_counter=names["RedisTurns"](redis))
    here, there = MockAmplitudeAI(config), MockAmplitudeAI(config)
    here.track_user_message("user-1", "Hi", "s-1")
    there.track_ai_message("user-1", "Hello", "s-1", "gpt-4o", "openai", 1.0, turn_id=7)
    here.track_user_message("user-1", "Bye", "s-1")
    there.track_user_message("user-1", "Hi", "s-2")
    turns = [event["event_properties"]["[Agent] Turn ID"] for event in (*here.events, *there.events)]
    assert turns == [1, 8, 7, 1]
    assert redis.seconds.keys() == {"turns:s-1", "turns:s-2"}
