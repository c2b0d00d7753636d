"""The public methods of OpenAI's clients that take ``amplitude_*`` keywords.

A resource object of one client becomes an instance of a subclass of its own class; the class itself, and
every other client, stays as it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..calls.facts import peek
from ..calls.keywords import taking_keywords

_RESOURCES = (
    ("chat", "completions"),
    ("beta", "chat", "completions"),
    ("responses",),
    ("embeddings",),
)
_METHODS = ("create", "parse", "stream")


def with_keywords(client: Any) -> None:
    """Let the methods of this client's resources take ``amplitude_*`` keywords."""
    for path in _RESOURCES:
        resource = peek(client, *path)
        if resource is not None and not hasattr(type(resource), "takes_amplitude_keywords"):
            kind: Any = type(resource)
            resource.__class__ = _taking(kind)
            for made_before in ("with_raw_response", "with_streaming_response"):
                resource.__dict__.pop(made_before, None)


@cache
def _taking(resource: Any) -> type:
    methods = {name: taking_keywords(getattr(resource, name)) for name in _METHODS if hasattr(resource, name)}
    names = {"__module__": resource.__module__, "__qualname__": resource.__qualname__}
    return type(resource.__name__, (resource,), {**methods, **names, "takes_amplitude_keywords": True})
