"""From the keywords callers write to the fields of an event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..exceptions import ValidationError, logger
from ..schema.base import AgentEvent
from ..schema.catalog import Field, event_type, fields_of

ENVELOPE = ("user_id", "device_id", "browser_session_id", "groups", "event_properties")
_EXTRAS = {"usage", "auto_calculate_cost"}
_REFERENCES = {"session_id", "trace_id", "message_id", "span_id", "invocation_id", "target_id"}


@cache
def argument_names(kind: type[AgentEvent]) -> Mapping[str, str]:
    """Return the keywords an event's method takes, each with the field it fills."""
    return {
        field.about.argument or field.name: field.name for field in fields_of(kind) if not field.about.derived
    }


def fields_given(kind: type[AgentEvent], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given under the names of the event's fields; unset is what is ``None``."""
    names = argument_names(kind)
    values: dict[str, Any] = {}
    for keyword, value in given.items():
        if value is None or keyword in ENVELOPE:
            continue
        field = names.get(keyword)
        if field is not None:
            values[field] = value
        elif keyword in _EXTRAS:
            values[keyword] = value
        else:
            _warn_unknown(event_type(kind), keyword)
    return values


def validate(kind: type[AgentEvent], given: Mapping[str, Any]) -> None:
    """Check what was given to a ``track_*`` method, for ``AIConfig(validate=True)``.

    Raises:
        ValidationError: A keyword does not exist, an id is empty, or a number is none or out of range.
    """
    names = argument_names(kind)
    by_name = {field.name: field for field in fields_of(kind)}
    for keyword, value in given.items():
        if keyword in ENVELOPE:
            if value == "":
                raise ValidationError(f"{keyword} is empty; leave it out or give an id.")
        elif keyword not in names and keyword not in _EXTRAS:
            raise ValidationError(
                f"{event_type(kind)} takes no {keyword!r}; it takes {', '.join(sorted(names))}."
            )
        elif value is not None and keyword in names:
            _check(keyword, value, by_name[names[keyword]])


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
    if (field.required or field.name in _REFERENCES) and value == "":
        raise ValidationError(f"{keyword} is empty; leave it out or give a value.")


@cache
def _warn_unknown(event: str, keyword: str) -> None:
    logger.warning("%s takes no %r; it is left out. AIConfig(validate=True) raises instead.", event, keyword)
