"""Contents and what is in them: https://ai.google.dev/api/caching#Content."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple
from zlib import crc32

from ..calls.attachments import attachment
from ..calls.facts import peek
from ..schema.values import to_json

PROVIDER: Final = "google"
_MODEL: Final = "model"
_KINDS: Final = ("image", "audio", "video")


class Turn(NamedTuple):
    """What one side said: several contents in a row are one turn."""

    is_model: bool
    parts: list[Any]


def read(value: Any, *path: str) -> Any:
    """Follow names as ``peek`` does; dictionaries may have them in either of the vendor's spellings."""
    for name in path:
        if type(value) is dict:
            value = value[name] if name in value else value.get(_camel(name))
        else:
            value = getattr(value, name, None)
    return value


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def word(value: Any) -> str | None:
    """Return the vendor's word for a member of one of its enumerations, of which payloads have the text."""
    value = getattr(value, "value", value)
    return value if isinstance(value, str) and value else None


def model_of(name: Any) -> str:
    """Return a model's name alone: ``gemini-2.5-flash`` of ``publishers/google/models/gemini-2.5-flash``."""
    return str(name or "").rpartition("models/")[2]


def turns_of(contents: Any) -> list[Turn]:
    """Return contents by turns, whichever way they are given: a text, parts, contents, or a list of these."""
    turns: list[Turn] = []
    for item in contents if isinstance(contents, list) else [contents]:
        is_model, parts = _content(item)
        if turns and turns[-1].is_model == is_model:
            turns[-1].parts.extend(parts)
        else:
            turns.append(Turn(is_model, parts))
    return turns


def parts_of(content: Any) -> list[Any]:
    """Return the parts of one content: a system instruction, or an answer."""
    return [part for turn in turns_of(content) for part in turn.parts] if content is not None else []


def _content(item: Any) -> Turn:
    if isinstance(item, list):
        return Turn(False, list(item))
    if "parts" in item if type(item) is dict else hasattr(item, "parts"):
        parts = read(item, "parts")
        return Turn(read(item, "role") == _MODEL, list(parts) if isinstance(parts, (list, tuple)) else [])
    return Turn(read(item, "function_call") is not None, [item])


def words_of(part: Any) -> str:
    """Return the words of a part, but no thoughts."""
    if isinstance(part, str):
        return part
    text = None if read(part, "thought") is True else read(part, "text")
    return text if isinstance(text, str) else ""


def text_of(parts: list[Any]) -> str:
    """Return the words of parts that are sent."""
    return "\n".join(text for part in parts if (text := words_of(part)))


def calls_in(parts: list[Any], turn: int) -> list[dict[str, Any]]:
    """Return the tools that the parts of one turn ask for.

    The vendor may name no call. Two calls are then the same where turn, place, tool and arguments are.
    """
    asked = [call for part in parts if (call := read(part, "function_call")) is not None]
    return [_tool_call(call, f"{turn}-{place}") for place, call in enumerate(asked)]


def _tool_call(call: Any, place: str) -> dict[str, Any]:
    name = word(read(call, "name"))
    arguments = to_json(read(call, "args") or {})
    call_id = word(read(call, "id")) or f"call-{place}-{crc32(f'{name}{arguments}'.encode()):08x}"
    return {"type": "function", "id": call_id, "function": {"name": name, "arguments": arguments}}


def files_in(parts: list[Any]) -> list[dict[str, Any]]:
    """Return what an event says of the files among parts: sent along, uploaded before, or open pictures."""
    return [file for part in parts if not isinstance(part, str) and (file := _file(part)) is not None]


def _file(part: Any) -> dict[str, Any] | None:
    blob, link = read(part, "inline_data"), read(part, "file_data")
    if blob is not None:
        mime_type = read(blob, "mime_type")
        name = read(blob, "display_name")
        return attachment(_kind(mime_type), mime_type=mime_type, name=name, data=read(blob, "data"))
    file = part if link is None else link
    url = read(file, "uri") or read(file, "file_uri")
    mime_type, name = read(file, "mime_type"), read(file, "display_name")
    if url is not None:
        return attachment(
            _kind(mime_type), mime_type=mime_type, name=name, url=url, size=read(file, "size_bytes")
        )
    form = peek(part, "format")  # a picture of Pillow's
    return attachment("image", mime_type=f"image/{form.lower()}") if isinstance(form, str) else None


def _kind(mime_type: Any) -> str:
    kind = str(mime_type).partition("/")[0]
    return kind if kind in _KINDS else "file"
