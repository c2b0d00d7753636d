"""What people and models wrote leaves the process only where it may."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink

from .framework import INSTRUCTIONS, REFUSAL, RESEARCH, TOOLS, WEATHER, Framework, Place

WRITTEN = ("Paris", "Chez Nous", "Museums", "All done.", INSTRUCTIONS, REFUSAL, RESEARCH, WEATHER)


async def run(framework: Framework, place: Place, mode: str) -> str:
    sink = MemorySink()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    framework.close(place.door)
    place.door = framework.door(ai)
    async with ai.agent().session():
        await framework.ask(place, TOOLS)
    assert len(sink.events) > 10
    return str(sink.events)


@pytest.mark.parametrize("mode", ["metadata_only", "customer_enriched"])
@pytest.mark.parametrize("observed", [False], indirect=True, ids=["alone"])
async def test_nothing_written_leaves(framework: Framework, place: Place, mode: str) -> None:
    told = await run(framework, place, mode)
    assert [words for words in WRITTEN if words in told] == []


@pytest.mark.parametrize("observed", [False], indirect=True, ids=["alone"])
async def test_all_of_it_leaves_where_it_may(framework: Framework, place: Place) -> None:
    told = await run(framework, place, "full")
    assert [words for words in WRITTEN if words not in told] == []
