"""What is replaced, what stays, and that neither takes long."""

from __future__ import annotations

import time

import pytest

from amplitude_ai_integrations import AIConfig, ConfigurationError
from amplitude_ai_integrations.privacy.patterns import binary, redact
from amplitude_ai_integrations.privacy.redaction import Redactor


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail bob@example.com now", "mail [email] now"),
        ("o'brien+x@mail.example.co.uk", "[email]"),
        ("call (415) 555-1234 or 415-555-1234", "call [phone] or [phone]"),
        ("415.555.1234 or 415 555 1234", "[phone] or [phone]"),
        ("+1 415-555-1234, +44 20 7946 0958", "[phone], [phone]"),
        ("+49 (0)30 1234567", "[phone]"),
        ("4111 1111 1111 1111", "[credit_card]"),
        ("4111-1111-1111-1111", "[credit_card]"),
        ("378282246310005", "[credit_card]"),
        ("ssn 123-45-6789 or 123 45 6789", "ssn [ssn] or [ssn]"),
        ("from 10.1.2.3:80", "from [ip_address]:80"),
        ("at 2001:db8:85a3::8a2e:370:7334", "at [ip_address]"),
        ("Authorization: Bearer abcdefghijklmnop.qrst", "Authorization: Bearer [token]"),
        ("key sk-proj-abcdefghijklmnopqrstuvwx", "key [api_key]"),
    ],
)
def test_personal_data_goes(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "version 1.2.3.4 of section 10.1.1.2",
        "1700000000 and 1700000000123",
        "order 4155551234",
        "4111 1111 1111 1112",
        "00000000-0000-4000-8000-000000000000",
        "git@github.com:amplitude/repo.git",
        "a[1::2] at 12:30:45 on 2026-11-21",
        "999.1.1.1",
        "3.14159 and 1,000,000.00",
        "000-45-6789",
        "email me @home",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


def test_data_urls_are_replaced_before_anything_looks_at_them() -> None:
    url = "data:image/png;base64," + "4111111111111111" * 50
    assert binary(f"see {url}!") == "see [image/png, 822 characters]!"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1 ",
        "a.",
        "a@",
        ":",
        "1.1.",
        "(1) ",
        "+1 ",
        "data:",
        "sk-a-",
        "bearer ",
        "-----BEGIN X-----",
    ],
)
def test_hostile_input_takes_linear_time(piece: str) -> None:
    def took(length: int) -> float:
        text = piece * (length // len(piece))
        best = float("inf")
        for _ in range(3):
            begun = time.perf_counter()
            redact(binary(text))
            best = min(best, time.perf_counter() - begun)
        return best

    assert took(400_000) / took(100_000) < 4 * 2.3


def test_strings_keys_and_numbers_at_depth() -> None:
    redactor = Redactor(AIConfig())
    given = {
        "a@b.io": [{"phone": 4155551234, "deep": ["call 415-555-1234"]}],
        "card": 4111111111111111,
        "epoch": 1700000000123,
        "total": 12.5,
    }
    assert redactor.value(given) == {
        "[email]": [{"phone": "[REDACTED]", "deep": ["call [phone]"]}],
        "card": "[REDACTED]",
        "epoch": 1700000000123,
        "total": 12.5,
    }


def test_keys_that_become_equal_are_kept_apart() -> None:
    assert Redactor(AIConfig()).value({"a@b.io": 1, "c@d.io": 2}) == {"[email]": 1, "[email] 1": 2}


def test_own_patterns_and_functions_come_after_the_built_in_ones() -> None:
    config = AIConfig(
        custom_redaction_patterns=[r"\bACCT-\d+", (r"\bORD-\w+", "[order]")],
        custom_redaction_fn=lambda text: text.replace("Ada", "[name]"),
    )
    assert Redactor(config).text("Ada a@b.io ACCT-12 ORD-x") == "[name] [email] [REDACTED] [order]"


@pytest.mark.usefixtures("swallowing")
@pytest.mark.parametrize("function", [lambda text: 1 / 0, lambda text: None])
def test_a_failing_function_keeps_what_was_done_before_it(function: object) -> None:
    config = AIConfig(custom_redaction_fn=function)  # type: ignore[arg-type]
    assert Redactor(config).text("a@b.io") == "[email]"


def test_redaction_can_be_switched_off() -> None:
    assert Redactor(AIConfig(redact_pii=False)).text("a@b.io") == "a@b.io"


def test_a_pattern_that_does_not_compile_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="does not compile"):
        AIConfig(custom_redaction_patterns=["("])
