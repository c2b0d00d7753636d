"""Pictures, sound, films and documents in the content of a conversation."""

from __future__ import annotations

from typing import Any, Final

from ..calls.attachments import attachment
from ..calls.facts import peek

_KINDS: Final = {"image": "image", "audio": "audio", "video": "video", "document": "file"}
_DOCUMENTS: Final = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def attachments_of(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what an event says of the files in blocks of content."""
    return [_attachment(name, block[name]) for block in blocks for name in _KINDS if name in block]


def _attachment(name: str, file: Any) -> dict[str, Any]:
    form = peek(file, "format")
    mime_type = _DOCUMENTS.get(str(form)) if name == "document" else f"{name}/{form}" if form else None
    data = peek(file, "source", "bytes")
    return attachment(_KINDS[name], mime_type=mime_type, name=peek(file, "name"), data=data)
