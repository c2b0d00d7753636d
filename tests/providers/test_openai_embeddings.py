"""An embedding is one event of its own kind; what answers with no words is none."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from .expected import kinds, of_kind, seen


def test_an_embedding_is_one_event(ai: AmplitudeAI, sink: MemorySink, client: Any) -> None:
    with ai.agent("bot", user_id="u").session(session_id="s", track_session_end=False):
        client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    (event,) = seen(sink)
    assert event == {
        "user_id": "u",
        "kind": "embedding",
        "session_id": "s",
        "trace_id": "<id>",
        "agent_id": "bot",
        "content_mode": "full",
        "sdk_version": event["sdk_version"],
        "runtime": "python",
        "component_type": "embedding",
        "span_id": "<id>",
        "model_name": "text-embedding-3-small",
        "provider": "openai",
        "latency_ms": "<ms>",
        "is_error": False,
        "input_tokens": 5,
        "embedding_dimensions": 3,
        "cost_usd": 1e-07,
    }


def test_an_embedding_taken_raw_knows_its_dimensions(client: Any, sink: MemorySink) -> None:
    raw = client.embeddings.with_raw_response
    raw.create(model="text-embedding-3-small", input="a", amplitude_user_id="u").parse()
    assert [event["embedding_dimensions"] for event in of_kind("embedding", sink)] == [3]


def test_a_failed_embedding_is_one_failed_event(client: Any, sink: MemorySink) -> None:
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model="m", input="error429")
    (event,) = of_kind("embedding", sink)
    assert (event["is_error"], event["error_type"]) == (True, "RateLimitError")


def test_other_requests_of_the_client_are_no_answers(client: Any, sink: MemorySink) -> None:
    with pytest.raises(openai.APIStatusError):
        client.models.list()
    assert kinds(sink) == []
