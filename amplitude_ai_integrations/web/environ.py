"""What a WSGI environ says, in the terms of the other servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PREFIX = "HTTP_"


def path_of(environ: Mapping[str, Any]) -> str:
    """Return the path as the browser asked for it, the place where the application is mounted included."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if path.isascii():
        return path
    # Servers hand over bytes as if they were latin-1: https://peps.python.org/pep-3333/#unicode-issues
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers under their own names, in lower case."""
    return {
        name[len(_PREFIX) :].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and isinstance(value, str)
    }
