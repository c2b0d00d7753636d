"""Pictures, sound and files in messages: https://platform.openai.com/docs/guides/images-vision."""

from __future__ import annotations

from typing import Any

from ..calls.attachments import attachment
from ..calls.facts import peek


def files_in(content: Any) -> list[dict[str, Any]]:
    """Return what is attached to a message, by the parts of its content in either API."""
    if not isinstance(content, (list, tuple)):
        return []
    return [told for part in content if (told := _file(part)) is not None]


def files_made(output: Any) -> list[dict[str, Any]]:
    """Return the pictures among the items of a response."""
    pictures = [item for item in output if peek(item, "type") == "image_generation_call"]
    return [
        attachment("image", mime_type=_mime_type("image", peek(item, "output_format")), data=data)
        for item in pictures
        if (data := peek(item, "result"))
    ]


def sound(audio: Any, form: Any = None) -> dict[str, Any]:
    """Return what is told of sound, whichever side it comes from."""
    return attachment("audio", mime_type=_mime_type("audio", form), data=peek(audio, "data"))


def _file(part: Any) -> dict[str, Any] | None:
    kind = peek(part, "type")
    if kind in ("image_url", "video_url"):
        inner = peek(part, kind)
        return attachment(kind.partition("_")[0], url=inner if isinstance(inner, str) else peek(inner, "url"))
    if kind == "input_image":
        return attachment("image", url=peek(part, "image_url"))
    if kind == "input_audio":
        return sound(peek(part, "input_audio"), peek(part, "input_audio", "format"))
    if kind in ("file", "input_file"):
        file = peek(part, "file") if kind == "file" else part
        name, data, url = peek(file, "filename"), peek(file, "file_data"), peek(file, "file_url")
        return attachment("file", name=name, data=data, url=url)
    return None


def _mime_type(kind: str, form: Any) -> str | None:
    return f"{kind}/{form}" if isinstance(form, str) else None
