"""A text that is JSON is redacted inside, and otherwise stays as it is written."""

from __future__ import annotations

import json

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.privacy.redaction import Redactor
from tests.privacy import corpus


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"email": "bob@example.com", "phone": 4155552671}', '{"email": "[email]", "phone": "[phone]"}'),
        (' {"a" :\n1.50,"b":[ 1e3 , "a@b.io"]}\n', ' {"a" :\n1.50,"b":[ 1e3 , "[email]"]}\n'),
        ('["\\u0062ob@example.com", "x\\nbob@example.com"]', '["[email]", "x\\n[email]"]'),
        ('["é a@b.io", "\\u00e9 a@b.io"]', '["é [email]", "\\u00e9 [email]"]'),
        (r'{"arguments": "{\"phone\": 4155552671}"}', r'{"arguments": "{\"phone\": \"[phone]\"}"}'),
        ('{"phone": [1, 4155552671, {"n": 4155552671}, 4155552671]}',
         '{"phone": [1, "[phone]", {"n": 4155552671}, "[phone]"]}'),
        ('{"a": {"phone": "x"}, "n": 4155552671}', '{"a": {"phone": "x"}, "n": 4155552671}'),
        ("[4111111111111111, 4111111111111112]", '["[credit_card]", 4111111111111112]'),
        ('{"a@b.io": 1, "c@d.io": 2, "e": 3}', '{"[email]": 1, "[email] 2": 2, "e": 3}'),
        ('[{"a@b.io": 1}, {"a@b.io": 2}]', '[{"[email]": 1}, {"[email]": 2}]'),
        ('{"release": "1.2.3.4", "host": "1.2.3.4"}', '{"release": "1.2.3.4", "host": "[ip_address]"}'),
    ],
)  # fmt: skip
def test_values_are_replaced_and_the_rest_stays(text: str, redacted: str) -> None:
    assert Redactor(AIConfig()).text(text) == redacted
    json.loads(redacted)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1.50, "b": 1E+3, "c": [0.10, -0], "d": "\\u00e9\\/"}',
        '{"a": 1, "a": 2}',
        '{ "big": 123456789012345678901234567890 , "t": 1700000000123 }',
        "[]",
        " {} ",
        '{"logprobs": [{"n_tokens": 12, "text": " the"}]}',
    ],
)
def test_a_text_without_anything_personal_is_the_same_byte_for_byte(text: str) -> None:
    assert Redactor(AIConfig()).text(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("{not json} a@b.io", "{not json} [email]"),
        ('{"a": NaN, "b": "a@b.io"}', '{"a": NaN, "b": "[email]"}'),
        ('{"a": "a@b.io"} {"b": 1}', '{"a": "[email]"} {"b": 1}'),
        ("[a@b.io](mailto:a@b.io)", "[[email]](mailto:[email])"),
        ('["\\ud800", "a@b.io"]', '["\\ud800", "[email]"]'),
        ("[" * 100_000 + "a@b.io", "[" * 100_000 + "[email]"),
    ],
)
def test_what_is_no_json_is_redacted_as_text(text: str, redacted: str) -> None:
    assert Redactor(AIConfig()).text(text) == redacted


def test_json_within_json_is_redacted_at_every_level() -> None:
    text = '{"phone": 4155552671}'
    for _ in range(8):
        text = json.dumps({"arguments": text})
    inner = Redactor(AIConfig()).text(text)
    for _ in range(8):
        inner = json.loads(inner)["arguments"]
    assert json.loads(inner) == {"phone": "[phone]"}


@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_text_inside_json_is_redacted_as_it_is_outside(is_ascii: bool) -> None:
    redactor = Redactor(AIConfig())
    for case in corpus.positives() + corpus.negatives():
        written = json.dumps([{"k": case.text}], ensure_ascii=is_ascii)
        assert json.loads(redactor.text(written)) == [{"k": case.expected}]
        assert redactor.value([{"k": case.text}]) == [{"k": case.expected}]
