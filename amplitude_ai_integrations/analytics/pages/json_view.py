"""JSON for reading: two levels open, the rest a click away, JSON inside strings unpacked."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from .text import said

_OPEN_LEVELS = 2
_MOST_ITEMS = 20
_DEEPEST = 12
_LONGEST = 64_000
_LONGEST_STRING = 2_000


def parsed(text: str | None) -> Any:
    """The JSON value in a text, or the text itself where it is none."""
    if not text or len(text) > _LONGEST or text.lstrip()[:1] not in tuple('{["-0123456789tfn'):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def json_view(text: str) -> Markup:
    """A value as the viewer shows it; text that is no JSON stays text."""
    value = parsed(text)
    is_json = value is None or isinstance(value, (dict, list, bool, int, float))
    inner = _value(value, 0, "") if is_json else said(_shortened(str(value), _LONGEST))
    body = str(inner).replace(
        "&#34;", '"'
    )  # quotes need no escape between elements, and JSON is full of them
    return Markup(f"<pre class=json tabindex=0>{body}</pre>")  # noqa: S704 - each piece went through said()


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… {len(text) - limit:,} more characters"


def _value(value: Any, level: int, indent: str) -> str:
    if isinstance(value, (dict, list)) and value:
        return _container(value, level, indent)
    if isinstance(value, str):
        return _string(value, level, indent)
    if value is None:
        return "<i>null</i>"
    return (
        str(said(json.dumps(value))) if isinstance(value, (dict, list)) else f"<var>{json.dumps(value)}</var>"
    )


def _string(value: str, level: int, indent: str) -> str:
    if value[:1] in ("{", "[") and isinstance(inner := parsed(value), (dict, list)) and inner:
        return f"{_value(inner, level, indent)} <em>was text</em>"
    quoted = json.dumps(_shortened(value, _LONGEST_STRING), ensure_ascii=False)
    return f"<samp>{said(quoted)}</samp>"


def _container(value: dict[str, Any] | list[Any], level: int, indent: str) -> str:
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    if level >= _DEEPEST:
        return f"{opening} <em>deeper than {_DEEPEST} levels</em> {closing}"
    inner = indent + "  "
    if isinstance(value, dict):
        items = [_pair(key, item, level + 1, inner) for key, item in value.items()]
    else:
        items = [inner + _value(item, level + 1, inner) for item in value]
    shown, hidden = ",\n".join(items[:_MOST_ITEMS]), items[_MOST_ITEMS:]
    if hidden:
        noun = "item" if len(hidden) == 1 else "items"
        shown += (
            f",\n{inner}<details><summary>{len(hidden)} more {noun}</summary>"
            + ",\n".join(hidden)
            + "</details>"
        )
    body = f"{opening}\n{shown}\n{indent}{closing}"
    if level < _OPEN_LEVELS:
        return body
    noun = "item" if len(value) == 1 else "items"
    return f"<details><summary>{opening} {len(value)} {noun} {closing}</summary>{body}</details>"


def _pair(key: str, value: Any, level: int, indent: str) -> str:
    name = said(json.dumps(key, ensure_ascii=False))
    return f"{indent}<b>{name}</b>: {_value(value, level, indent)}"
