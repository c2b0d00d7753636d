"""A door's own client: where its events go, and that whoever waits for the client's waits for them."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.client.variant import variant_of
from amplitude_ai_integrations.config import ContentMode, PrivacyConfig
from amplitude_ai_integrations.delivery.deferred import LARGE

LONG = "ann@example.com " * (LARGE // 8)
MODES = [ContentMode.FULL, ContentMode.METADATA_ONLY]


class Background(MemorySink):
    """A sink before which long texts are redacted in a thread, as before our own delivery."""

    is_background = True


@pytest.mark.parametrize("mode", MODES)
def test_a_flush_of_the_client_waits_for_what_its_doors_put_off(mode: ContentMode) -> None:
    sink = Background()
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=mode))
    variant = variant_of(ai, PrivacyConfig(content_mode=ContentMode.FULL))
    for _ in range(20):
        variant.track_user_message("u", LONG, "s")
    ai.flush(10)
    assert len(sink.events) == 20
    assert all("[email]" in event["event_properties"]["$llm_message"]["text"] for event in sink)


def test_it_counts_what_it_drops_with_the_client(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(before_send=lambda _event: None))
    variant_of(ai, PrivacyConfig(privacy_mode=True)).track_user_message("u", "Hi", "s")
    assert sink.events == []
    assert ai.status()["dropped"]


def test_switched_off_it_records_nothing(sink: MemorySink) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(enabled=False))
    variant_of(ai, PrivacyConfig(debug=True)).track_user_message("u", "Hi", "s")
    assert sink.events == []
