"""The one gate: an event in, the properties that may leave out, whichever door the event came through."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from ..config import AIConfig, ContentMode
from ..schema.base import AgentEvent
from ..schema.catalog import Field, fields_of
from ..schema.enrichments import SessionEnrichments
from ..schema.fields import Content
from ..schema.values import clean, plain, to_json
from .modes import LEAVES, judgement
from .redaction import Redactor


class Gate:
    """Applies a configuration's content mode and redaction to events."""

    def __init__(self, config: AIConfig) -> None:
        self.mode = config.content_mode
        self._leaves = LEAVES[config.content_mode]
        self._context_keys = frozenset(config.context_keys)
        self._redactor = Redactor(config)

    def properties(self, event: AgentEvent, custom: Mapping[Any, Any] | None = None) -> dict[str, Any]:
        """Return an event's properties under their wire names, stripped, redacted and bounded."""
        result = self._custom(custom) if custom else {}
        fields, read = _reading(type(event))
        for field, value in zip(fields, read(event), strict=True):
            if value is UNSET or value is None:
                continue
            kept = value if field.about.content is None else self._content(field, value)
            if kept is not None:
                result[field.wire] = kept
        return result

    def _content(self, field: Field, value: Any) -> Any:
        value = self._allowed(field, value)
        if value is None:
            return None
        if field.name == "llm_message":
            text = value if isinstance(value, str) else to_json(value)
            return {"text": self._redactor.text(clean(text))} if text else None
        if isinstance(value, str):
            return to_json(self._redactor.text(clean(value)))
        return to_json(self._redactor.value(plain(value)))

    def _allowed(self, field: Field, value: Any) -> Any:
        if self.mode is ContentMode.FULL:
            return value
        if isinstance(value, SessionEnrichments):
            return judgement(value, self._leaves)
        if field.about.content is Content.CONTEXT:
            return _chosen(value, self._context_keys)
        return judgement(value, self._leaves) if field.about.content in self._leaves else None

    def _custom(self, custom: Mapping[Any, Any]) -> dict[str, Any]:
        values = plain(custom)
        if not isinstance(values, dict):
            return {}
        if self.mode is ContentMode.FULL:
            redacted: dict[str, Any] = self._redactor.value(values)
            return redacted
        return {key: value for key, value in values.items() if isinstance(value, (bool, int, float))}


def _chosen(value: Any, keys: frozenset[str]) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    return {key: value[key] for key in value if key in keys} or None


@cache
def _reading(event: type[AgentEvent]) -> tuple[tuple[Field, ...], attrgetter[tuple[Any, ...]]]:
    """Return an event's fields and what reads them all at once."""
    fields = fields_of(event)
    return fields, attrgetter(*(field.name for field in fields))
