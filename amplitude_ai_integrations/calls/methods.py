"""The public methods of a vendor's clients that take ``amplitude_*`` keywords.

A resource object of one client becomes an instance of a subclass of its own class; the class itself, and
every other client, stays as it is. ``patch`` changes the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from .facts import peek
from .keywords import taking_keywords
from .replacing import Undo, replace

_MARK = "takes_amplitude_keywords"


@dataclass(frozen=True)
class Resource:
    """What has methods that call a model: where a client has it, its class, and the methods' names."""

    path: tuple[str, ...]
    module: str
    name: str
    methods: tuple[str, ...] = ("create", "parse", "stream")

    def class_of(self, *, is_async: bool) -> Any:
        """Return its class, or ``None`` in versions that have none."""
        try:
            module = import_module(self.module)
        except ImportError:
            return None
        return getattr(module, f"Async{self.name}" if is_async else self.name, None)


def with_keywords(client: Any, resources: tuple[Resource, ...]) -> None:
    """Let the methods of this client's resources take ``amplitude_*`` keywords."""
    for resource in resources:
        owner = peek(client, *resource.path)
        if owner is not None and not hasattr(type(owner), _MARK):
            kind: Any = type(owner)
            owner.__class__ = _taking(kind, resource.methods)
            for depth in range(len(resource.path) + 1):
                _make_again(peek(client, *resource.path[:depth]))


def _make_again(owner: Any) -> None:
    """Let a client or a resource make anew what it holds of methods as they were."""
    for name in ("with_raw_response", "with_streaming_response"):
        made = vars(owner).pop(name, None)
        if made is not None and not hasattr(type(owner), name):  # older clients make it once, at their start
            setattr(owner, name, type(made)(owner))


def patch_keywords(resources: tuple[Resource, ...], *, is_async: bool) -> list[Undo]:
    """Let the methods of all clients' resources take them."""
    undos: list[Undo] = []
    for resource in resources:
        owner = resource.class_of(is_async=is_async)
        names = [name for name in resource.methods if hasattr(owner, name)]
        undos.extend(replace(owner, name, taking_keywords(getattr(owner, name))) for name in names)
    return undos


@cache
def _taking(kind: Any, names: tuple[str, ...]) -> type:
    methods = {name: taking_keywords(getattr(kind, name)) for name in names if hasattr(kind, name)}
    same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), {**methods, **same, _MARK: True})
