"""Tool calls from both sides: asked for in an answer, answered in the next request."""

from __future__ import annotations

import time
import uuid
from typing import Any
from unittest.mock import ANY

import pytest

from amplitude_ai_integrations.calls import tools
from amplitude_ai_integrations.calls.tools import answer, note_asked
from amplitude_ai_integrations.context.recent import Recent


@pytest.fixture
def call_id() -> str:
    """An id that no other test asks for."""
    return str(uuid.uuid4())


def call(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "get_time", "arguments": "{}"}}


def test_a_tool_that_was_asked_for_here_is_known(call_id: str) -> None:
    before = time.perf_counter()
    note_asked("s", [call(call_id)], "m-1")
    is_new, asked = answer("s", call_id)
    assert is_new
    assert asked is not None
    assert before <= asked.at <= time.perf_counter()
    assert asked[1:] == ("m-1", "get_time", "{}")


def test_a_tool_that_was_asked_for_elsewhere_is_not_known(call_id: str) -> None:
    assert answer("s", call_id) == (True, None)


@pytest.mark.parametrize("is_asked_here", [True, False])
def test_an_answer_sent_again_is_not_new(call_id: str, is_asked_here: bool) -> None:
    if is_asked_here:
        note_asked("s", [call(call_id)], "m-1")
    is_new = [answer("s", call_id)[0] for _attempt in range(3)]
    assert is_new == [True, False, False]


def test_an_id_that_is_asked_for_again_is_a_new_run(call_id: str) -> None:
    for message_id in ("m-1", "m-2"):
        note_asked("s", [call(call_id)], message_id)
        is_new, asked = answer("s", call_id)
        assert (is_new, asked and asked.message_id) == (True, message_id)


def test_sessions_do_not_share_ids(call_id: str) -> None:
    note_asked("s", [call(call_id)], "m-1")
    assert answer("other", call_id) == (True, None)
    asked = answer("s", call_id)[1]
    assert asked is not None
    assert asked.message_id == "m-1"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_asked", Recent(3))
    for number in range(5):
        answer("s", f"answered {number}")
        note_asked("s", [{"id": f"asked {number}"}], "m")
    assert answer("s", "asked 4") == (True, tools.Asked(ANY, "m"))
    assert answer("s", "asked 0") == (True, None)
