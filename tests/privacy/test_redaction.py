"""What is replaced in a text and in values of any shape, and what the customer adds to that."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, ConfigurationError
from amplitude_ai_integrations.exceptions import shield
from amplitude_ai_integrations.privacy.patterns import redact
from amplitude_ai_integrations.privacy.redaction import Redactor
from tests.privacy import corpus


def test_the_kinds_that_amplitude_documents_have_its_labels() -> None:
    text = (
        "bob@example.com 415-555-2671 4111 1111 1111 1111 123-45-6789 123 45 6789 10.0.0.1 2001:db8::1"
        " +442071234567"
    )
    assert Redactor(AIConfig()).text(text) == (
        "[email] [phone] [credit_card] [ssn] [ssn] [ip_address] [ip_address] [phone]"
    )


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("https://user:bob@example.com/", "https://user:[REDACTED]@example.com/"),
        ("password=bob@example.com", "password=[REDACTED]"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "Bearer [token]"),
        ("::ffff:10.0.0.1", "[ip_address]"),
        ("4155552671@example.com", "[email]"),
    ],
)
def test_of_two_that_overlap_the_one_that_begins_first_is_replaced(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_nothing_to_replace_gives_the_same_text() -> None:
    text = "At 7:30 on 2026-11-21 she paid $1,299.99."
    assert Redactor(AIConfig()).text(text) is text


def test_strings_keys_and_numbers_at_depth() -> None:
    given = {
        "a@b.io": [{"phone": 4155551234, "deep": ["call 415-555-1234"]}],
        "card": 4111111111111111,
        "list": [[4111111111111111, 378282246310005.0, 4111111111111112]],
        "arguments": '{"email": "bob@example.com", "phone": 4155552671}',
        "epoch": 1700000000123,
        "total": 12.5,
        "yes": True,
        "nothing": None,
    }
    assert Redactor(AIConfig()).value(given) == {
        "[email]": [{"phone": "[phone]", "deep": ["call [phone]"]}],
        "card": "[credit_card]",
        "list": [["[credit_card]", "[credit_card]", 4111111111111112]],
        "arguments": '{"email": "[email]", "phone": "[phone]"}',
        "epoch": 1700000000123,
        "total": 12.5,
        "yes": True,
        "nothing": None,
    }


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("phone", 4155551234, "[phone]"),
        ("homePhone", "4155551234", "[phone]"),
        ("PHONE_NUMBER", "(415) 5551234", "[phone]"),
        ("mobile", 4155551234.0, "[phone]"),
        ("phones", [4155551234, [4155551235]], ["[phone]", ["[phone]"]]),
        ("creditCardNumber", 4111111111111112, "[credit_card]"),
        ("SSN", 457555462, "[ssn]"),
        ("social_security_number", "457555462", "[ssn]"),
        ("password", "x", "[REDACTED]"),
        ("password", 123456, "[REDACTED]"),
        ("apiKey", "abc", "[REDACTED]"),
        ("X-Api-Key", "abc", "[REDACTED]"),
        ("access_token", "abc", "[REDACTED]"),
        ("Authorization", "Digest abc", "[REDACTED]"),
        ("Set-Cookie", "a=b", "[REDACTED]"),
    ],
)
def test_a_key_may_tell_what_its_value_is(key: str, value: Any, expected: Any) -> None:
    assert Redactor(AIConfig()).value({key: value}) == {key: expected}
    assert json.loads(Redactor(AIConfig()).text(json.dumps({key: value}))) == {key: expected}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("phone_count", 4155551234),
        ("microphone", 4155551234),
        ("phone", 3),
        ("phone", "none"),
        ("card", 7),
        ("cards", "two of them"),
        ("input_tokens", 120),
        ("max_tokens", "4096"),
        ("token", 5),
        ("next_page_token", "CAUQAA"),
        ("password", ""),
        ("password", None),
        ("password", {"type": "string"}),
        ("secret_name", "prod"),
        ("primary_key", "abc"),
        ("version", "1.2.3.4"),
        ("k" * 1_000 + "password", "x"),
    ],
)
def test_a_key_that_only_looks_so_tells_nothing(key: str, value: Any) -> None:
    assert Redactor(AIConfig()).value({key: value}) == {key: value}
    text = json.dumps({key: value})
    assert Redactor(AIConfig()).text(text) == text


def test_keys_that_become_equal_are_kept_apart() -> None:
    given = {"[email] 2": 0, "a@b.io": 1, "c@d.io": 2, "e@f.io": 3, "[email]": 4}
    kept = Redactor(AIConfig()).value(given)
    assert list(kept.values()) == [0, 1, 2, 3, 4]
    assert all("@" not in name for name in kept)


def test_many_keys_that_become_equal_take_no_time() -> None:
    given = {f"a{number}@b.io": number for number in range(20_000)}
    assert len(Redactor(AIConfig()).value(given)) == len(given)


def test_own_patterns_and_functions_come_after_the_built_in_ones() -> None:
    config = AIConfig(
        custom_redaction_patterns=[r"\bACCT-\d+", (r"\bORD-(\w+)", r"[order \1]")],
        custom_redaction_fn=lambda text: text.replace("Ada", "[name]"),
    )
    assert Redactor(config).text("Ada a@b.io ACCT-12 ORD-x") == "[name] [email] [REDACTED] [order x]"
    assert Redactor(config).value({"Ada": ["ACCT-12", 5]}) == {"[name]": ["[REDACTED]", 5]}


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("function", [lambda text: 1 / 0, lambda text: None, lambda text: b"x"])
def test_a_failing_function_keeps_what_was_done_before_it(function: Any, caplog: Any) -> None:
    shield.swallowed.clear()
    redactor = Redactor(
        AIConfig(custom_redaction_fn=function, custom_redaction_patterns=["Ada"]),
    )
    assert [redactor.text("Ada a@b.io") for _ in range(3)] == ["[REDACTED] [email]"] * 3
    assert sum(shield.swallowed.values()) == 3
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("replacement", [r"\1", r"\g<name>", r"\q"])
def test_a_replacement_that_makes_no_sense_breaks_no_event(replacement: str) -> None:
    try:
        config = AIConfig(custom_redaction_patterns=[("Ada", replacement)])
    except ConfigurationError:
        return
    assert Redactor(config).text("Ada a@b.io") == "Ada [email]"


def test_redaction_can_be_switched_off() -> None:
    redactor = Redactor(AIConfig(redact_pii=False, custom_redaction_patterns=["Ada"]))
    given = {"a@b.io": "Ada", "password": "x", "card": 4111111111111111}
    assert redactor.value(given) == {**given, "a@b.io": "[REDACTED]"}


def test_a_pattern_that_does_not_compile_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="does not compile"):
        AIConfig(custom_redaction_patterns=["("])


def test_texts_of_all_sorts_are_taken() -> None:
    chance = random.Random(7)
    cases = corpus.positives() + corpus.negatives()
    letters = "".join({letter for case in cases for letter in case.text}) + "\ud800\x00\u2028"
    redactor = Redactor(AIConfig())
    for case in cases:
        start = chance.randrange(len(case.text))
        middle = "".join(chance.choices(letters, k=chance.randrange(5)))
        text = case.text[:start] + middle + case.text[start:] + chance.choice(cases).text
        assert isinstance(redactor.text(text), str)
        assert isinstance(redactor.value({text: [text]}), dict)
