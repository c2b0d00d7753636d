"""The words of a message, in whichever shape it was given."""

from __future__ import annotations

from typing import Any

from .values import to_json


def words_of(content: Any) -> str:
    """Return the text of a message's content: a text, a part with a text, or a list of such parts.

    Parts without words (images, files) are left out; what is none of these becomes JSON.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, (list, tuple)) and content and all(map(_is_part, content)):
        return "\n".join(text for part in content if (text := _text(part)))
    if _is_part(content) and _text(content):
        return _text(content)
    return to_json(content)


def _is_part(part: Any) -> bool:
    return isinstance(part, str) or (type(part) is dict and ("type" in part or "text" in part))


def _text(part: Any) -> str:
    text = part if isinstance(part, str) else part.get("text")
    return text if isinstance(text, str) else ""
