"""The files that pages load: read once, compacted, and addressed by what is in them."""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2s
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _content(name: str) -> bytes:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return (_compact(text) if name.endswith(".css") else text).encode()


def _compact(css: str) -> str:
    spaced = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    tight = re.sub(r"\s*([{};,])\s*", r"\1", spaced)
    return re.sub(r"(:) | (>) ", r"\1\2", tight).replace(";}", "}").strip()


@cache
def _digest(name: str) -> str:
    return blake2s(_content(name), digest_size=6).hexdigest()


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _MEDIA_TYPES)


def static_url(name: str) -> str:
    """The address of a file, which changes when its content does."""
    return f"/static/{name}?v={_digest(name)}"


def static(request: Request) -> Response:
    """One of the files; kept for ever by whoever asked for exactly this content."""
    name = request.path_params["name"]
    if name not in _names():
        return PlainTextResponse("There is no such file.", 404)
    kept = _FOR_EVER if request.query_params.get("v") == _digest(name) else "no-cache"
    return Response(
        _content(name), media_type=_MEDIA_TYPES[Path(name).suffix], headers={"Cache-Control": kept}
    )
