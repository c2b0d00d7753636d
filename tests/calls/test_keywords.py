"""The carrier of a call's own keywords."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from amplitude_ai_integrations.calls.keywords import HEADER, CallKeywords, taken_from, taking_keywords


def create(*, model: str, extra_headers: dict[str, str] | None = None) -> Any:
    """Make a call."""
    return model, extra_headers


def test_a_method_keeps_its_signature_and_its_words() -> None:
    method = taking_keywords(create)
    assert inspect.signature(method) == inspect.signature(create)
    assert (method.__name__, method.__doc__) == ("create", "Make a call.")


def test_without_keywords_nothing_is_added() -> None:
    assert taking_keywords(create)(model="m") == ("m", None)


def test_keywords_travel_as_a_header_that_says_nothing() -> None:
    mine = {"x-mine": "1"}
    _model, headers = taking_keywords(create)(
        model="m", extra_headers=mine, amplitude_user_id="u", amplitude_conversation_id="c"
    )
    assert headers == {"x-mine": "1", HEADER: ""}
    assert mine == {"x-mine": "1"}
    assert taken_from(headers) == ({"x-mine": "1"}, {"user_id": "u", "session_id": "c"})


def test_a_keyword_that_is_nobodys_is_still_refused() -> None:
    with pytest.raises(TypeError, match="user_id"):
        taking_keywords(create)(model="m", user_id="u")


@pytest.mark.parametrize("headers", [None, {}, {"x-mine": "1"}, [("a", "b")], 7])
def test_headers_without_a_carrier_are_the_same_object(headers: Any) -> None:
    rest, keywords = taken_from(headers)
    assert rest is headers
    assert keywords == {}


def test_a_header_that_only_looks_like_a_carrier_says_nothing() -> None:
    assert taken_from({HEADER: "user_id=mallory"}) == ({}, {})


def test_a_carrier_is_an_empty_text() -> None:
    carrier = CallKeywords("")
    carrier.values = {"user_id": "secret"}
    assert (carrier, f"{carrier}", repr(carrier)) == ("", "", "''")
