"""From the keywords callers write to the fields of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..exceptions import ValidationError, logger
from ..schema.base import AgentEvent
from ..schema.catalog import Field, event_type, fields_of
from ..schema.events import UserMessage
from .plan import ENVELOPE, Plan, plan_of

_REFERENCES = {"session_id", "trace_id", "message_id", "span_id", "invocation_id", "target_id"}


def fields_given(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given under the names of the event's fields and in their types.

    What is ``None``, or has no value of its type in it, counts as not given.
    """
    slots = plan.slots
    values: dict[str, Any] = {}
    for keyword, value in given.items():
        if value is None:
            continue
        slot = slots.get(keyword)
        if slot is not None:
            name, shape = slot
            shaped = value if shape is None else shape(value)
            if shaped is not None:
                values[name] = shaped
        elif keyword in plan.extras:
            values[keyword] = value
        elif keyword not in ENVELOPE:
            _warn_unknown(plan.type, keyword)
    return values


def warn_of_json(kind: type[AgentEvent], given: Mapping[str, Any]) -> None:
    """Say once where a user's message is a JSON document: people read it as the session's title."""
    content = given.get("content")
    if kind is UserMessage and isinstance(content, str) and content.lstrip()[:1] in ("{", "["):
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(document, (dict, list)):
            _warn_json()


def validate(kind: type[AgentEvent], given: Mapping[str, Any]) -> None:
    """Check what was given to a ``track_*`` method, for ``AIConfig(validate=True)``.

    Raises:
        ValidationError: A keyword does not exist, an id is empty, or a number is none or out of range.
    """
    plan = plan_of(kind)
    slots = plan.slots
    by_name = {field.name: field for field in fields_of(kind)}
    for keyword, value in given.items():
        if keyword in ENVELOPE:
            _check_envelope(keyword, value)
        elif not plan.takes(keyword):
            raise ValidationError(
                f"{event_type(kind)} takes no {keyword!r}; it takes {', '.join(sorted(slots))}."
            )
        elif value is not None and keyword in slots:
            _check(keyword, value, by_name[slots[keyword].name])


def _check_envelope(keyword: str, value: object) -> None:
    if value == "":
        raise ValidationError(f"{keyword} is empty; leave it out or give an id.")
    if keyword == "timestamp_ms" and value is not None and (type(value) is not int or value <= 0):
        raise ValidationError(f"timestamp_ms is {value!r}; it must be whole milliseconds since the epoch.")


_CHOICES = {"target_type": ("message", "session"), "source": ("user", "ai", "reviewer")}


def _check(keyword: str, value: object, field: Field) -> None:
    if field.type in (int, float):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValidationError(f"{keyword} is {value!r}; it must be a number.")
        if keyword != "value" and not value >= (-1 if keyword == "idle_timeout_minutes" else 0):
            raise ValidationError(f"{keyword} is {value!r}; it must not be negative.")
        if value != value:  # noqa: PLR0124 - the one value that differs from itself is NaN
            raise ValidationError(f"{keyword} is {value!r}; it must be a number.")
    if field.type is bool and not isinstance(value, bool):
        raise ValidationError(f"{keyword} is {value!r}; it must be True or False.")
    if field.type is str and field.about.content is None and not isinstance(value, str):
        raise ValidationError(f"{keyword} is {value!r}; it must be a string.")
    if keyword in _CHOICES and value not in _CHOICES[keyword]:
        raise ValidationError(f"{keyword} is {value!r}; it must be one of {', '.join(_CHOICES[keyword])}.")
    if (field.required or field.name in _REFERENCES) and value == "":
        raise ValidationError(f"{keyword} is empty; leave it out or give a value.")


@cache
def _warn_unknown(event: str, keyword: str) -> None:
    logger.warning("%s takes no %r; it is left out. AIConfig(validate=True) raises instead.", event, keyword)


@cache
def _warn_json() -> None:
    logger.warning(
        "A user's message is a JSON document, which will be the session's title; pass the sentence a person "
        "would say as content, and the structure as context=."
    )
