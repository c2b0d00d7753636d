"""A value that cannot be sent as it is costs no other event anything, and its own event little."""

from __future__ import annotations

import pytest

from tests.fakes.faults_answers import ok, status
from tests.fakes.faults_plan import Reply, Request, Step

from .programs_poison import HUGE, poisons
from .running import Run
from .waiting import until


@pytest.mark.parametrize("program", ["in_properties", "in_a_hook"])
def test_every_event_arrives_the_poisoned_ones_too(run: Run, program: str) -> None:
    process = run.start(f"poison.{program}")
    process.until_ready()
    run.until_all_arrived()
    process.go_on()
    assert process.end() == 0, process.said
    assert run.missing() == []
    assert set(poisons()) <= set(run.arrived())
    assert run.duplicates() == 0
    assert process.report["status"]["swallowed"] == {}
    value = {name: run.arrived()[name]["event_properties"]["value"] for name in poisons()}
    assert value["nan"] is value["infinity"] is None
    assert value["surrogate"] == "a ? b"
    assert value["number keys"] == {"1": 2, "(3, 4)": 5}
    assert value["separators"] == poisons()["separators"]
    assert value["unreadable"] == "[unreadable Unreadable: RuntimeError]"


def test_a_text_too_long_for_one_request_goes_alone_and_one_too_long_for_any_is_dead(run: Run) -> None:
    process = run.start("poison.in_texts")
    process.until_ready()
    until(lambda: len(run.server.events) == 101 and len(run.dead()) == 1)
    process.go_on()
    assert process.end() == 0, process.said
    assert run.missing() == []
    assert run.server.paths["/batch"] == 1
    long_ones = [
        event for event in run.server.events.values() if event["event_type"] == "[Agent] User Message"
    ]
    assert [len(event["event_properties"]["$llm_message"]["text"]) for event in long_ones] == [HUGE]
    (letter,) = run.dead()
    assert "MB" in letter["reason"]
    assert letter["event"]["event_properties"]["[Agent] Message ID"] == "longest"


def bad_alone(request: Request) -> Reply:
    """Refuse any request with a bad event in it, and do not say which it is."""
    is_bad = any(event["user_id"] == "bad" for event in request.events)
    return status(400)(request) if is_bad else ok(request)


def test_a_server_that_does_not_say_which_event_it_refuses_takes_all_others(run: Run) -> None:
    run.server.plan(Step(bad_alone))
    process = run.start("poison.one_bad")
    process.until_ready()
    until(lambda: len(run.dead()) == 1)
    process.go_on()
    assert process.end() == 0, process.said
    assert run.missing() == ["bad-0"]
    (letter,) = run.dead()
    assert (letter["event"]["user_id"], letter["status"]) == ("bad", 400)
