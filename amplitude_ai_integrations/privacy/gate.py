"""The one gate: an event in, the properties that may leave out, whichever door the event came through."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from msgspec import UNSET

from ..config import AIConfig, ContentMode
from ..schema.base import AgentEvent
from ..schema.catalog import Field, fields_of
from ..schema.fields import Content
from ..schema.names import wire_name
from ..schema.values import clean, json_of, plain, to_json
from ..version import __version__
from .modes import LEAVES, enrichments_of, judgement

RUNTIME: Final = "python"


class Gate:
    """Applies a configuration's content mode and redaction to events."""

    def __init__(self, config: AIConfig) -> None:
        from .redaction import Redactor  # its patterns take a while to compile

        self.mode = config.content_mode
        self._leaves = LEAVES[config.content_mode]
        self._context_keys = frozenset(config.context_keys)
        self._redactor = Redactor(config)
        self._stamps = _stamps(config)

    def properties(
        self, kind: type[AgentEvent], values: Mapping[str, Any], custom: Mapping[Any, Any] | None = None
    ) -> dict[str, Any]:
        """Return an event's properties under their wire names, stripped, redacted and bounded.

        ``values`` are by field name; what is ``None`` or ``UNSET`` is no property.
        """
        result = self._stamps.copy()
        if custom:
            result = {**self._custom(custom), **result}
        plain_fields, worded = _fields(kind)
        for name, value in values.items():
            if value is None or value is UNSET:
                continue
            wire = plain_fields.get(name)
            if wire is not None:
                result[wire] = value
                continue
            field = worded[name]
            kept = self._content(field, value)
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
            return json_of(self._redactor.text(clean(value)))
        return json_of(self._redactor.value(plain(value)))

    def _allowed(self, field: Field, value: Any) -> Any:
        if self.mode is ContentMode.FULL:
            return value
        if field.name == "enrichments":
            return judgement(enrichments_of(value), self._leaves)
        if field.about.content is Content.CONTEXT:
            return _chosen(value, self._context_keys)
        return judgement(value, self._leaves) if field.about.content in self._leaves else None

    def _custom(self, custom: Mapping[Any, Any]) -> dict[str, Any]:
        values = plain(custom)
        if not isinstance(values, dict):
            return {}
        redacted: dict[str, Any] = self._redactor.value(values)
        if self.mode is ContentMode.FULL:
            return redacted
        return {key: value for key, value in redacted.items() if isinstance(value, (bool, int, float))}


def _chosen(value: Any, keys: frozenset[str]) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    return {key: value[key] for key in value if key in keys} or None


@cache
def _fields(event: type[AgentEvent]) -> tuple[dict[str, str], dict[str, Field]]:
    """Return the wire names of an event's fields that hold no words, and the fields that do."""
    fields = fields_of(event)
    return (
        {field.name: field.wire for field in fields if field.about.content is None},
        {field.name: field for field in fields if field.about.content is not None},
    )


def _stamps(config: AIConfig) -> dict[str, Any]:
    """Return what every event says of the program that made it."""
    stamps = {
        "content_mode": config.content_mode.value,
        "sdk_version": __version__,
        "runtime": RUNTIME,
        "git_sha": config.git_sha,
        "git_ref": config.git_ref,
        "git_repo": config.git_repo,
    }
    return {wire_name(name): value for name, value in stamps.items() if value}
