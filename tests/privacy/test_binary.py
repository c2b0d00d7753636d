"""Images and other binary data are replaced by their type and size, wherever they stand."""

from __future__ import annotations

import base64
import json
import random

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.privacy.binary import binary
from amplitude_ai_integrations.privacy.redaction import Redactor

BYTES = random.Random(5).randbytes(900)
DATA = base64.b64encode(BYTES).decode()  # 1,200 characters
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + BYTES[:100]).decode()
WAVE = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt " + BYTES[:80]).decode()
LINES = base64.encodebytes(BYTES).decode()


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (f"see data:image/png;base64,{DATA}!", "see [image/png, 1222 characters]!"),
        ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "[image/gif, 42 characters]"),
        (f"![x](data:image/svg+xml;charset=utf-8;base64,{DATA})", "![x]([image/svg+xml, 1240 characters])"),
        (f"data:,{DATA}", "[data, 1206 characters]"),
        (f'"{PNG}" ', f'"[image/png, {len(PNG)} characters]" '),
        (f"a {WAVE} b", f"a [audio/wav, {len(WAVE)} characters] b"),
        (f"/9j/4AAQSkZJRg{PNG}", f"[image/jpeg, {len(PNG) + 14} characters]"),
        (f"x,{DATA};", "x,[base64, 1200 characters];"),
        (
            f"data:image/png;base64,{LINES}Then\nmore",
            f"[image/png, {len(LINES) + 21} characters]\nThen\nmore",
        ),
        ("4111111111111111" * 80, "4111111111111111" * 80),
        ("the data: 1,2,3 are in data:text", "the data: 1,2,3 are in data:text"),
        ("iVBORw0KG begins one, /9j/ another", "iVBORw0KG begins one, /9j/ another"),
        ("a" * 5_000, "a" * 5_000),
    ],
)
def test_binary_data_is_told_by_type_and_size(text: str, replaced: str) -> None:
    assert binary(text) == replaced


@pytest.mark.parametrize("escape", [lambda url: url, lambda url: url.replace("/", "\\/")])
def test_an_image_inside_json_is_replaced_whole(escape: object) -> None:
    text = json.dumps({"url": f"data:image/png;base64,{LINES}", "raw": f"/9j/4AAQ{DATA[:300]}", "n": 1.50})
    written = escape(text)  # type: ignore[operator]
    kept = json.loads(Redactor(AIConfig()).text(written))
    assert kept["n"] == 1.5
    assert kept["url"].startswith("[image/png, ")
    assert kept["raw"] == "[image/jpeg, 308 characters]"
    assert not any(DATA[at : at + 20] in kept["url"] for at in range(len(DATA) - 20))


def test_an_image_at_depth_is_replaced_before_anything_looks_at_it() -> None:
    seen: list[str] = []
    config = AIConfig(redact_pii=False, custom_redaction_fn=lambda text: seen.append(text) or text)  # type: ignore[func-returns-value]
    value = Redactor(config).value({"parts": [{"image": {"data": PNG}}]})
    assert value == {"parts": [{"image": {"data": f"[image/png, {len(PNG)} characters]"}}]}
    assert PNG not in seen
