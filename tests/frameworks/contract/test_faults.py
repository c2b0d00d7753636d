"""Each function of ours that a run passes is made to raise in turn; what the program gets stays the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI

from ...faults import ROOT, functions_passed, raising
from .framework import REFUSAL, Framework, Place

pytestmark = [pytest.mark.usefixtures("swallowing"), pytest.mark.filterwarnings("ignore")]

ASKED = 'call:get_weather{"city":"Paris"} call:book_table{"restaurant":"Chez Nous"} echo:Done.'
# What other tests make raise: events on their way, and sessions.
ROOMS = ("runs", "frameworks", "calls")


def test_no_fault_of_ours_reaches_the_program(framework: Framework, ai: AmplitudeAI) -> None:
    fake = framework.serve()
    place = Place(fake, framework.door(ai))

    async def run() -> list[Any]:
        place.http = openai.DefaultAsyncHttpxClient()
        try:
            async with ai.agent().session():
                whole = await framework.ask(place, ASKED)
                streamed = await framework.stream(place, "echo:One two.")
                try:
                    failed: Any = await framework.ask(place, "error500")
                except Exception as error:  # noqa: BLE001 - the framework's, whichever it has
                    failed = type(error)
                return [whole, streamed, failed]
        finally:
            await place.http.aclose()

    def go() -> list[Any]:
        return asyncio.run(run())

    as_ever = go()
    assert as_ever[:2] == ["Done.", "One two."]
    assert REFUSAL in str(fake.requests)
    found = functions_passed(go, framework.doors, framework.everywhere)
    passed = [functions for functions in found if _is_ours(functions[0])]
    assert len(passed) > 30
    for functions in passed:
        fake.requests.clear()
        with raising(functions):
            assert go() == as_ever, functions[0].__qualname__
        assert REFUSAL in str(fake.requests), functions[0].__qualname__
    framework.close(place.door)
    fake.stop()


def _is_ours(function: Any) -> bool:
    path = Path(function.__code__.co_filename)
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS
