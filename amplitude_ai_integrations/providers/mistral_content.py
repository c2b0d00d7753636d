"""What is in a message of Mistral's: a text, or a list of chunks, each a dictionary or a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..calls.attachments import attachment
from ..calls.facts import Usage, count, peek

_NO_ID = "null"  # what the vendor's models say where no id was sent


def words(value: Any) -> str | None:
    """Return a text as such: the vendor's models also have kinds of their own, and sentinels."""
    return str(value) if isinstance(value, str) else None


def chunks_of(content: Any) -> list[Any]:
    """Return the chunks of a content; a text is one."""
    if isinstance(content, str):
        return [{"text": content}]
    return [{"text": chunk} if isinstance(chunk, str) else chunk for chunk in _items(content)]


def text_of(content: Any, between: str = "") -> str:
    """Return what is said in a content, which is not what was thought."""
    if isinstance(content, str):
        return content
    return between.join(text for chunk in chunks_of(content) if (text := words(peek(chunk, "text"))))


def thought_of(content: Any) -> str:
    """Return the reasoning in a content: https://docs.mistral.ai/capabilities/reasoning/."""
    if isinstance(content, str):
        return ""
    return "".join(text_of(peek(chunk, "thinking")) for chunk in chunks_of(content))


def unlisted(value: Any, name: str) -> str | None:
    """Return a text that the vendor's model does not list; to ask the model for it itself is slow."""
    extra = value if type(value) is dict else getattr(value, "model_extra", None)
    return words(extra.get(name)) if extra else None


def attachments_of(content: Any) -> list[dict[str, Any]]:
    """Return what an event says of the pictures, the sound and the files in a content."""
    return [found for chunk in chunks_of(content) for found in _attachments(chunk)]


def _attachments(chunk: Any) -> Iterator[dict[str, Any]]:
    picture, document, sound = (peek(chunk, name) for name in ("image_url", "document_url", "input_audio"))
    if picture:
        yield attachment("image", url=picture if isinstance(picture, str) else peek(picture, "url"))
    elif document:
        yield attachment("file", url=document, name=peek(chunk, "document_name"))
    elif sound:
        is_address = isinstance(sound, str) and sound.startswith(("http://", "https://"))
        yield attachment("audio", url=sound) if is_address else attachment("audio", data=sound)
    elif peek(chunk, "file_id"):
        yield attachment("file")


def tool_call(call: Any) -> dict[str, Any]:
    """Return a tool call as all vendors' are told."""
    name, arguments = words(peek(call, "function", "name")), peek(call, "function", "arguments")
    return {
        "type": "function",
        "id": call_id(call),
        "function": {"name": name or "", "arguments": json_text(arguments)},
    }


def call_id(call: Any) -> str | None:
    """Return the id of a tool call, if it has one."""
    found = words(peek(call, "id"))
    return None if found == _NO_ID else found


def json_text(arguments: Any) -> str:
    """Return a tool's arguments as JSON; the vendor's models may hold them parsed."""
    if isinstance(arguments, str):
        return str(arguments)
    return msgspec.json.encode(arguments or {}).decode()


def plain(value: Any) -> Any:
    """Return what a caller wrote as dictionaries and lists, models of the vendor's among them."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(mode="json", by_alias=True, exclude_none=True)


def usage_of(usage: Any) -> Usage | None:
    """Return token counts; a model of which nothing was sent has zeros.

    The vendor's models do not list the cached tokens, which are among those sent.
    """
    sent, written = count(peek(usage, "prompt_tokens")), count(peek(usage, "completion_tokens"))
    if not sent and not written:
        return None
    return Usage(
        sent,
        written,
        count(peek(usage, "total_tokens")),
        cache_read=count(peek(usage, "prompt_tokens_details", "cached_tokens")),
    )


def _items(content: Any) -> list[Any]:
    return [*content] if isinstance(content, (list, tuple)) else []
