"""All WSGI doors behind one server: the first part of the path says which."""

from __future__ import annotations

from typing import Any

from .doors import django, flask, plain_wsgi

from django.core.wsgi import get_wsgi_application  # isort: skip  # settings come first

DOORS: dict[str, Any] = {"plain_wsgi": plain_wsgi.app, "flask": flask.app, "django": get_wsgi_application()}
__all__ = ["app", "django"]


def app(environ: Any, start_response: Any) -> Any:
    _, door, path = environ["PATH_INFO"].split("/", 2)
    environ["PATH_INFO"] = f"/{path}"
    return DOORS[door](environ, start_response)
