"""Pictures, sound and files in a call: told in the user's message, and never sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.config import ContentMode
from amplitude_ai_integrations.providers.openai import OpenAI

from .conftest import MakeClient
from .expected import MODEL, kinds, of_kind, seen, user

BYTES = b"canary picture " * 20
DATA = base64.b64encode(BYTES).decode()
ADDRESS = "https://user:pass@example.com/canary/cat.jpg?X-Amz-Signature=secret"
CHAT = [
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
    {"type": "image_url", "image_url": {"url": ADDRESS}},
    {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
    {"type": "file", "file": {"filename": "canary.pdf", "file_data": f"data:application/pdf;base64,{DATA}"}},
]
RESPONSE = [
    {"type": "input_image", "detail": "auto", "image_url": CHAT[0]["image_url"]["url"]},  # type: ignore[index]
    {"type": "input_image", "detail": "auto", "image_url": ADDRESS},
    {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
    {"type": "input_file", "filename": "canary.pdf", "file_data": f"data:application/pdf;base64,{DATA}"},
]
SIZE = len(BYTES)
TOLD = [
    {"type": "image", "mime_type": "image/png", "size_bytes": SIZE},
    {"type": "image", "url": "https://example.com/canary/cat.jpg"},
    {"type": "audio", "mime_type": "audio/wav", "size_bytes": SIZE},
    {"type": "file", "mime_type": "application/pdf", "name": "canary.pdf", "size_bytes": SIZE},
]
COUNTED = {
    "has_attachments": True,
    "attachment_count": 4,
    "attachment_types": ["audio", "file", "image"],
    "total_attachment_size_bytes": 3 * SIZE,
}


def _chat(client: Any, *parts: Any, **more: Any) -> None:
    said = [{"role": "user", "content": [*parts]}]
    client.chat.completions.create(model=MODEL, messages=said, **more)


def _respond(client: Any, *parts: Any, **more: Any) -> None:
    client.responses.create(model=MODEL, input=[{"role": "user", "content": [*parts]}], **more)


CALLS = pytest.mark.parametrize(
    ("call", "parts", "text"),
    [
        (_chat, CHAT, {"type": "text", "text": "Hi"}),
        (_respond, RESPONSE, {"type": "input_text", "text": "Hi"}),
    ],
)


@CALLS
def test_files_are_told_in_the_message_they_came_with(
    call: Any, parts: Any, text: Any, client: OpenAI, ai: AmplitudeAI, sink: MemorySink, session_id: str
) -> None:
    with ai.agent(user_id="u").session(session_id, track_session_end=False):
        call(client, text, *parts)
    said = seen(sink)[0]
    assert json.loads(said.pop("attachments")) == TOLD
    assert said == user("Hi", **COUNTED)


@CALLS
def test_a_message_of_files_alone_is_one(
    call: Any, parts: Any, text: Any, client: OpenAI, sink: MemorySink
) -> None:
    call(client, *parts)
    assert kinds(sink) == ["user", "answer"]
    (said,) = of_kind("user", sink)
    assert "llm_message" not in said
    assert {name: said[name] for name in COUNTED} == COUNTED


@CALLS
@pytest.mark.parametrize("mode", ["metadata_only", "customer_enriched"])
def test_only_counts_leave_where_no_word_may(
    mode: str, call: Any, parts: Any, text: Any, connect: MakeClient, sink: MemorySink
) -> None:
    ai = AmplitudeAI(sink=sink, config=AIConfig(content_mode=ContentMode(mode)))
    call(connect(OpenAI, amplitude=ai), text, *parts)
    (said,) = of_kind("user", sink)
    assert {name: said[name] for name in COUNTED} == COUNTED
    sent = json.dumps(sink.events)
    assert not [word for word in ("canary", "example.com", DATA[:20], "secret") if word in sent]


@CALLS
def test_no_byte_and_no_secret_leaves(
    call: Any, parts: Any, text: Any, client: OpenAI, sink: MemorySink
) -> None:
    call(client, text, *parts)
    sent = json.dumps(sink.events)
    assert not [word for word in (DATA[:20], "pass@", "Signature", "secret") if word in sent]


def test_another_picture_is_another_message(client: OpenAI, ai: AmplitudeAI, sink: MemorySink) -> None:
    with ai.agent(user_id="u").session(track_session_end=False):
        for part in (CHAT[0], CHAT[0], CHAT[3]):
            _chat(client, part)
    assert kinds(sink) == ["user", "answer", "answer", "user", "answer"]


def test_files_given_by_hand_stand_in_their_place(client: OpenAI, sink: MemorySink) -> None:
    _chat(client, CHAT[0], amplitude_attachments=[{"type": "image", "name": "mine"}])
    (said,), (answer,) = of_kind("user", sink), of_kind("answer", sink)
    assert json.loads(said["attachments"]) == [{"type": "image", "name": "mine"}]
    assert "has_attachments" not in answer
