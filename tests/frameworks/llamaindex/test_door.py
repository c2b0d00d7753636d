"""The handler itself: how it is made, and where it observes."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.llms import MockLLM

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.frameworks.llamaindex import (
    AmplitudeLlamaIndexHandler,
    create_amplitude_llamaindex_handler,
)

from ...events import types


def test_it_observes_until_it_is_closed(ai: AmplitudeAI, sink: MemorySink) -> None:
    root: Any = get_dispatcher()
    before = [*root.span_handlers], [*root.event_handlers]
    handler = create_amplitude_llamaindex_handler(ai, user_id="u")
    MockLLM().complete("before")
    assert not handler.is_registered
    assert handler.register() is handler.register()
    MockLLM().complete("inside")
    handler.close()
    handler.close()
    MockLLM().complete("after")
    assert types(sink.events) == ["User Message", "AI Response"]
    assert (root.span_handlers, root.event_handlers) == before


def test_of_two_handlers_one_is_closed(ai: AmplitudeAI, sink: MemorySink) -> None:
    with AmplitudeLlamaIndexHandler(ai, user_id="a"):
        AmplitudeLlamaIndexHandler(ai, user_id="b").register().close()
        MockLLM().complete("inside")
    assert {event["user_id"] for event in sink.events} == {"a"}


def test_nothing_is_told_where_tracking_is_off(ai: AmplitudeAI, sink: MemorySink) -> None:
    ai.config = type(ai.config)(enabled=False)
    with AmplitudeLlamaIndexHandler(ai) as handler:
        MockLLM().complete("inside")
        assert len(handler._spans._told._watching.tree) == 0
    assert sink.events == []


def test_an_option_that_does_not_exist() -> None:
    options: Any = {"user": "u"}
    with pytest.raises(ConfigurationError, match="AmplitudeLlamaIndexHandler"):
        AmplitudeLlamaIndexHandler(AmplitudeAI(sink=MemorySink()), **options)
