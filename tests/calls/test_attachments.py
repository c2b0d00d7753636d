"""What is told of a picture, a sound or a file: never what is in it."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from amplitude_ai_integrations.calls.attachments import attachment
from amplitude_ai_integrations.providers.openai_parts import files_in


@pytest.mark.parametrize("size", range(8))
def test_the_size_of_base64_is_that_of_its_bytes(size: int) -> None:
    data = base64.b64encode(b"x" * size).decode()
    assert attachment("image", data=data) == {"type": "image", "size_bytes": size}
    told = {"type": "image", "mime_type": "image/png", "size_bytes": size}
    assert attachment("image", url=f"data:image/png;base64,{data}") == told
    assert attachment("image", data=b"x" * size, mime_type="image/png") == told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("http://user:secret@example.com/a.png?sig=secret#part", "http://example.com/a.png"),
        ("gs://bucket/a.png", None),
        ("file:///etc/passwd", None),
        ("https://[broken", None),
        ("https://", None),
        ("https://example.com/" + "a" * 1_000, None),
        ("a.png", None),
        (7, None),
    ],
)
def test_only_an_address_on_the_web_is_told_and_without_secrets(url: Any, told: str | None) -> None:
    assert attachment("image", url=url).get("url") == told


@pytest.mark.parametrize("junk", [None, 7, "", b"\xff", [], {}, object(), "x" * 2_000, "\ud800"])
def test_what_is_not_of_its_kind_counts_as_not_given(junk: Any) -> None:
    told = attachment("file", mime_type=junk, name=junk, url=junk, size=junk if junk != 7 else -7)
    assert told == ({"type": "file", "name": junk} if junk == "\ud800" else {"type": "file"})


def test_data_that_is_not_base64_has_no_size() -> None:
    assert attachment("file", data="data:text/plain,hello") == {"type": "file", "mime_type": "text/plain"}
    assert attachment("file", data="data:") == {"type": "file"}


def test_large_data_is_not_copied() -> None:
    data = "data:image/png;base64," + "A" * 50_000_000
    begun = time.perf_counter()
    for _ in range(1_000):
        attachment("image", url=data)
    taken = time.perf_counter() - begun
    begun = time.perf_counter()
    data[1:].count("=")
    assert taken < 50 * (time.perf_counter() - begun)


PARTS = [
    ({"type": "text", "text": "Hi"}, None),
    ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}, "image"),
    ({"type": "image_url", "image_url": "https://example.com/a.png"}, "image"),
    ({"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}, "video"),
    ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "audio"),
    ({"type": "file", "file": {"filename": "a.pdf", "file_data": "AAAA"}}, "file"),
    ({"type": "input_image", "image_url": "data:image/png;base64,AAAA"}, "image"),
    ({"type": "input_image", "file_id": "file-1"}, "image"),
    ({"type": "input_file", "filename": "a.pdf", "file_url": "https://example.com/a.pdf"}, "file"),
    ({"type": "image_url"}, "image"),
    ({"type": "input_audio", "input_audio": 7}, "audio"),
    ({}, None),
    ("Hi", None),
    (None, None),
]


@pytest.mark.parametrize(("part", "kind"), PARTS)
def test_each_part_of_a_message_is_told_by_its_kind(part: Any, kind: str | None) -> None:
    assert [told["type"] for told in files_in([part])] == ([kind] if kind else [])


@pytest.mark.parametrize("content", [None, "Hi", 7, {}])
def test_a_message_without_parts_has_no_files(content: Any) -> None:
    assert files_in(content) == []
